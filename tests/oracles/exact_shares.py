"""Eq. 3 for one province in exact fractions: shares rounded once, then D22's residual onto the largest cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

WHY = "a product, a quotient and the sum of weights in float64: some 1e-15"
SUM_WHY = "D22: the exact sum of the cells, rounded once, is the total"


def share_out(weights: Sequence[Fraction], areas: Sequence[Fraction], total: float) -> list[float]:
    """Eq. 3, D21, D22 for one province; ``weights`` are weight x area."""
    weights = list(weights if any(weights) else areas)
    cells = [float(Fraction(total) * weight / sum(weights)) for weight in weights]
    for receiver in sorted(range(len(cells)), key=lambda i: -weights[i]):
        left = Fraction(total) - sum(map(Fraction, cells))
        if float(Fraction(total) - left) != total:
            cells[receiver] = float(Fraction(cells[receiver]) + left)
    assert float(sum(map(Fraction, cells))) == total
    return cells


def plain_formulas_miss(weights: Sequence[float], total: float) -> bool:
    """Whether no usual formula in float64 keeps the total."""
    whole = (math.fsum(weights), sum(weights))
    formulas = (lambda w, s: w * total / s, lambda w, s: w / s * total, lambda w, s: w * (total / s))
    return all(math.fsum(formula(w, s) for w in weights) != total for s in whole for formula in formulas)
