"""Where the golden suite's answers come from: one script an oracle and topic, none of which imports refimpl.

A script has ``FLAGS`` (the bugs that its cases catch, each explained once) and ``cases()``, which returns a list of
``suite.Case``.  Supporting modules, which hold the arithmetic of several scripts or a part of a script's cases, have
neither.  ``python -m tests.oracles`` writes ``golden/v1``; with ``--check`` it regenerates the cases and compares them
with those that are there.
"""
