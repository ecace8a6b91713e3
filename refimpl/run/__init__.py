"""One case from a TOML file to finished results: the floor on which the method, its maps and its figures meet.

``pipeline`` is the table of contents of a run.  All else here brings a case to it, or keeps and writes what it made.
This floor imports those below it (method, earth, formats, windows, evaluation, figures), and none of them imports it.
In reading order:

================== ==================================================================================
the method
================== ==================================================================================
``pipeline``       Fig. 9: the whole method, one call a stage
``results``        the type of what each stage makes
``provinces``      D03: zones, the working grid, totals of drivers by province, provinces that an edge cuts
``area``           D04, D19, D20: zones and drivers on the grids of the map
``drivers``        driver rasters as densities
``judgement``      Figs. 4-6: the map against its alternatives and reference maps
``reference_maps`` land cover, ODIAC, FFDAS and other inventories from files
``years``          several years in one run
================== ==================================================================================

================== ==================================================================================
what a case says
================== ==================================================================================
``config``         a run.toml, read and checked
``sections``       its tables, with each key's type, default and documentation
``toml_settings``  fills one settings dataclass from one table
================== ==================================================================================

================== ==================================================================================
what is kept
================== ==================================================================================
``stages``         functions whose results are kept, so that none is done twice
``stage_keys``     settings, files and stages that each stage depends on
``values``         results of stages as bytes
``program``        a digest of this code and what it runs on
``lock``           one run at a time in an output folder
================== ==================================================================================

================== ==================================================================================
what is written
================== ==================================================================================
``report``         every file of the output folder
``columns``        the columns of its tables
``summary``        the lines that a run prints at its end
================== ==================================================================================

================== ==================================================================================
who computes
================== ==================================================================================
``workers``        the executor of a run: threads, processes, or a cluster
``cluster``        a Dask cluster as an executor
``warm_up``        kernels compiled ahead of the first run
================== ==================================================================================
"""
