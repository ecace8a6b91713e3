"""Table 1: how emission follows night lights, population and GDP at province level; four models, hand-written.

``selection.compare_models`` fits and judges them, ``selection.choose`` picks one (D07), and
``fitted.FittedRegression`` applies it and keeps it.  Read ``svr.py`` and ``smo.py`` for the winner.
"""

from __future__ import annotations

from refimpl.regression.bayesian import BayesianRegression
from refimpl.regression.elastic_net import ElasticNet
from refimpl.regression.fitted import FittedRegression
from refimpl.regression.linear import LinearRegression
from refimpl.regression.scaling import MinMaxScaler, StandardScaler
from refimpl.regression.selection import SelectionTable, choose, compare_models, fit_model, format_table
from refimpl.regression.svr import SVR, duality_gap

__all__ = [
    "SVR", "BayesianRegression", "LinearRegression", "ElasticNet", "MinMaxScaler", "StandardScaler", "FittedRegression",
    "SelectionTable", "compare_models", "choose", "fit_model", "format_table", "duality_gap",
]  # fmt: skip
