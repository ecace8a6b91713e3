"""refimpl: an auditable reference implementation of SVR-ZSSR.

SVR-ZSSR turns one number per province (its yearly CO2 emission) into a fine grid (Liu et al.,
Scientific Reports 13, 2023).  Read ``refimpl/run/pipeline.py`` first: it is the table of contents of
the method.  Importing this package imports no numba; a kernel is compiled when it is first called.
"""

__version__ = "0.1.0"
