"""Double-double sums: unevaluated pairs (high, low) of doubles, in which every addition keeps its rounding error.

high + low, taken exactly, is the sum to some 100 bits.  Rounded to a double it is the exact sum, rounded, except where
the sum lies within 2^-70 of the middle of two doubles.

    two_sum(a, b)              the rounded sum and its error, exactly (Knuth)
    add(high, low, k, x)       add x to the pair high[k], low[k] of two arrays; the low part only gathers the errors
    add_pair(h, l, x, y)       the pair h, l plus the pair x, y, brought to |low| <= ulp(high) / 2
    add_pairs(h, l, x, y)      the same on arrays, for Python
    product(n, w)              a whole number below 2^26 times a double, exactly, as a pair (Veltkamp's split)

Error of ``add_pair``: three roundings of low parts, each off by at most u times the part, u = 2^-53; the last addition
is exact.  Where the pairs are brought to |low| <= ulp(high) / 2 and add up to S at most, no part is larger than 2 u S,
so the error is below 6 u^2 S; a larger y adds 3 u |y|.
"""

from __future__ import annotations

from kernels.tools.compiled import inner


@inner
def two_sum(a, b):
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@inner
def add(high, low, k, term):
    high[k], rest = two_sum(high[k], term)
    low[k] += rest


@inner
def add_pair(high, low, x, y):
    total, rest = two_sum(high, x)
    rest += low + y
    high = total + rest
    return high, rest - (high - total)


def add_pairs(high, low, x, y):
    """``add_pair`` on arrays, for Python."""
    total = high + x
    part = total - high
    rest = (high - (total - part)) + (x - part) + (low + y)
    high = total + rest
    return high, rest - (high - total)


@inner
def product(n, w):
    """The product's halves n x (upper 26 bits of w) and n x (the rest): each is exact."""
    shifted = w * 134217729.0  # 2^27 + 1
    upper = shifted - (shifted - w)
    return two_sum(n * upper, n * (w - upper))
