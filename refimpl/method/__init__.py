"""SVR-ZSSR on NumPy arrays and nothing else, in the order of the paper (Liu et al., Scientific Reports 13, 2023).

Nothing here knows files, windows, threads or progress.  Read ``svr_zssr`` first: the whole method in one function.

========================== ==========================================================================================
the whole                  ``svr_zssr`` (Fig. 9); where the paper is silent: ``decisions`` (D01-D24)
statistics                 ``inventory`` (Eq. 1, Table 3), ``province_totals`` (D03, Pearson's r)
the regression (Table 1)   ``selection`` (which model, D07), ``metrics`` (Eqs. 4-6), ``svr`` with ``smo`` and
                           ``kernel_functions``, ``linear``, ``bayesian``, ``elastic_net``; around them ``scaling``,
                           ``fitted_regression``, ``estimator``
the coarse map (Fig. 1)    ``coarse_map``
super-resolution (Fig. 8)  ``settings``, ``image_range``, ``resize``, ``training_pairs``, ``network``, ``adam``,
                           ``schedule``, ``training`` (Eq. 2), ``back_projection``, ``super_resolution``
the correction (Eq. 3)     ``correction``
the judgement (Figs. 4-5)  ``land_cover``
checks of what is given    ``checked_inputs``, ``hyperparameters``
========================== ==========================================================================================

A hot function stands here plainly, and ``@twin("kernels.x")`` above it: a call runs its fast form in ``kernels/x.py``,
which gives the same.  With ``REFIMPL_BACKEND=numpy``, or ``with refimpl.twins.backend("numpy")``, what you read runs.
``name.reference`` is the plain function whichever backend is in use.
"""
