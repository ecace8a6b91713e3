"""Exact sum of numbers, as a pair: the nearest double and the remainder.

D03.  Zonal sums are added block by block.  The pair keeps what the rounding of a block's sum lost.  The sum of all
blocks is therefore rounded once, at the end, and depends neither on the blocks nor on their order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable


def exact_pair(terms: Iterable[float]) -> tuple[float, float]:
    """The double nearest to the exact sum, and the double nearest to the remainder; (nan, nan) if the sum overflows.

    >>> exact_pair([1e16, 1.0]), exact_pair([1e308, 1e308])
    ((1e+16, 1.0), (nan, nan))
    """
    terms = [float(term) for term in terms]
    try:
        high = math.fsum(terms)
        return high, math.fsum([*terms, -high])
    except (OverflowError, ValueError):  # a term or the sum is infinite
        return math.nan, math.nan
