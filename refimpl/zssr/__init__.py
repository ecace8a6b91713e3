"""Zero-shot super-resolution of one map, Fig. 8 and Eq. 2 (after Shocher, Cohen & Irani 2018).

A small network learns, from the coarse map and its own further coarsened copies alone, how fine structure follows
from coarse structure, and is then applied to the coarse map itself.  Read in this order: ``intensity`` (the map as an
image), ``resize`` (down and up by two), ``augment`` (pairs), ``network``, ``adam``, ``schedule``, ``train``,
``upscale``.
"""
