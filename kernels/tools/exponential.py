"""e^x in float64 as plain arithmetic, so that a loop over it becomes vector code; used by ``kernel_values``.

A call of the C library's exp takes one number at a time, and an RBF kernel would spend most of its time on it.  Here
x = n ln 2 + r with a whole n and |r| <= ln(2) / 2, and e^x = 2^n e^r:

- n is rounded by adding 1.5 * 2^52, which leaves the whole part in the last bits of the sum;
- r = x - n ln 2 with ln 2 in two parts (Cody & Waite), the first of which is exact times n;
- e^r = 1 + r + r^2 q(r), q of degree 9 through Chebyshev's nodes: off by less than 2^-55;
- 2^n is made from its bits.  No single form gives both 2^-1074 and 2^1024, so where n is negative it is computed as
  2^(n + 64) / 2^64, and elsewhere as 2^(n - 64) * 2^64.  Results below 2^-1022 are rounded once more, by that last
  product.

There is no branch and no table: every step is an addition, product, comparison or shift.  The error is below 1.5 units
in the last place.  There are three loops instead of one, because a processor looks ahead some sixty operations and
would wait for the end of one long chain.
"""

from __future__ import annotations

from kernels.tools.compiled import inner
from kernels.tools.float64_intrinsics import WHOLE, multiply_add, power_of_two

LEAST, LARGEST = -746.0, 710.0
"""Beyond these e^x is 0 or infinite in float64."""
PER_LN2 = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10


@inner
def exponentials(factor, values, wholes):
    """values[k] = e^(factor values[k]); NaN stays NaN.  ``wholes``, as long as values or longer, is work memory."""
    for k in range(values.size):
        x = factor * values[k]
        x = LEAST if x < LEAST else x  # in this order, a comparison with NaN keeps it
        x = LARGEST if x > LARGEST else x
        n = multiply_add(x, PER_LN2, WHOLE) - WHOLE
        wholes[k] = n
        values[k] = multiply_add(n, -LN2_LOW, multiply_add(n, -LN2_HIGH, x))
    for k in range(values.size):
        r = values[k]
        square = r * r
        fourth = square * square
        a = multiply_add(r, 2.510038549551032e-08, 2.7620088445409746e-07)
        b = multiply_add(r, 2.7557268459997064e-06, 2.4801521295954376e-05)
        c = multiply_add(r, 0.00019841269863053618, 0.0013888888917213717)
        d = multiply_add(r, 0.008333333333330062, 0.04166666666662413)
        e = multiply_add(r, 0.16666666666666669, 0.5000000000000001)
        q = multiply_add(multiply_add(a, fourth, multiply_add(b, square, c)), fourth, multiply_add(d, square, e))
        values[k] = 1.0 + multiply_add(q, square, r)
    for k in range(values.size):
        negative = wholes[k] < 0.0
        power = power_of_two(wholes[k] + (WHOLE + 64.0 if negative else WHOLE - 64.0))
        values[k] = values[k] * power * (2.0**-64 if negative else 2.0**64)
