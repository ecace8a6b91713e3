"""The exact sum of numbers, as the nearest double and the rest.

D03.  Sums over zones are added block by block.  A pair keeps what the rounding of a block's sum lost, so that the sum
of all blocks is rounded once, at the end, and depends neither on the blocks nor on their order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable


def exact_pair(terms: Iterable[float]) -> tuple[float, float]:
    """The exact sum as the nearest double, and the double nearest to the rest; nan where it is beyond all doubles.

    >>> exact_pair([1e16, 1.0]), exact_pair([1e308, 1e308])
    ((1e+16, 1.0), (nan, nan))
    """
    terms = [float(term) for term in terms]
    try:
        high = math.fsum(terms)
        return high, math.fsum([*terms, -high])
    except (OverflowError, ValueError):  # a term or the sum is infinite
        return math.nan, math.nan
