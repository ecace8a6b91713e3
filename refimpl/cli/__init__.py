"""The command line: one file a verb, with its options, its call and its words.

A verb is a module with ``HELP`` (its line in ``--help``), ``options(verb)`` (adds its arguments) and ``call(args)``
(reads files, calls one stage of the method, writes files). There is no science here. ``call`` imports the stages when
it runs, so that ``--help`` stays fast. A fault of the input is one sentence on standard error and exit status 2. An
internal bug is a traceback and exit status 1.

===================  ===================================================================================
``command_line``     the parser, the table of verbs, and ``main``
``arguments``        kinds of arguments, and the options that several verbs share
``shared_inputs``    inputs that several verbs take: named drivers, the emission of each province
``run``              the whole method on one case, going on where an earlier run stopped
``inventory``        Eq. 1: fuel consumption to emission, and Table 3
``info``             what a raster is, and what would go wrong with it
``warp``             one raster to a working grid
``zonal``            totals, means and counts of drivers by province, and their ranking
``fit``              Table 1: the four regression models
``predict``          Fig. 1: the coarse map
``upscale``          Fig. 8: super-resolution of one map (ZSSR)
``allocate``         Eq. 3: province totals onto the cells of a map
``evaluate``         Figs. 4-6: a map beside land cover, other maps and its alternatives
``verify``           the golden suite, put to refimpl or to a foreign program
``warm_up``          kernels compiled ahead
``explain``          decisions D01-D24, and the keys of a run.toml
===================  ===================================================================================
"""

from refimpl.cli.command_line import main, parser

__all__ = ["main", "parser"]
