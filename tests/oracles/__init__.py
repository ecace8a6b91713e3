"""Where the golden suite's answers come from: one script an oracle and topic, none of which imports refimpl.

Each module has ``ORACLE`` (a key of ``suite.ORACLES``), ``FLAGS`` (the bugs that its cases catch, each explained once) and
``cases()``, which yields ``suite.Case``.  ``python -m tests.oracles`` writes ``golden/v1``; with ``--check`` it regenerates
the cases and compares them with those that are there.
"""
