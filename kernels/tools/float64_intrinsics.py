"""Intrinsics of float64 kernels: three operations that plain Python code cannot express.

    multiply_add(x, y, z)     x * y + z, in one rounding where the processor can (``llvm.fmuladd``)
    power_of_two(s)           2^n from s = 1.5 * 2^52 + n, n from -1022 to 1023
    uncounted(a)              the array a, with references that numba does not count

Each is a line of machine code or none.  They are scalar: LLVM makes vectors of the loops around them (vectors of
float32 are in ``simd``).  Without the compiler (NUMBA_DISABLE_JIT) they are ordinary functions.

Why ``uncounted``: numba counts the references to an array, and counts again each time a row of it gets a name.  Two
threads that count the same array up and down compete for one cache line.  The caller's reference is counted and
outlives the kernel, so the kernel need not count.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

WHOLE = 1.5 * 2.0**52
"""Added to a number below 2^51, it rounds that to a whole number, which is left in the last bits of the sum."""
_BIAS = 1023 << 52


@intrinsic
def multiply_add(typing, x, y, z):
    def generate(context, builder, sig, args):
        double = ir.DoubleType()
        kind = ir.FunctionType(double, [double] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.fmuladd.f64"), args)

    return types.float64(types.float64, types.float64, types.float64), generate


@intrinsic
def power_of_two(typing, shifted):
    def generate(context, builder, sig, args):
        word = ir.IntType(64)
        exponent = builder.shl(builder.bitcast(args[0], word), word(52))
        return builder.bitcast(builder.add(exponent, word(_BIAS)), ir.DoubleType())

    return types.float64(types.float64), generate


@intrinsic
def uncounted(typing, array):
    def generate(context, builder, sig, args):
        found = context.make_array(sig.args[0])(context, builder, args[0])
        found.meminfo = cgutils.get_null_value(found.meminfo.type)
        found.parent = cgutils.get_null_value(found.parent.type)
        return found._getvalue()

    return array(array), generate


if config.DISABLE_JIT:

    def multiply_add(x, y, z):
        return x * y + z

    def power_of_two(shifted):
        return np.ldexp(1.0, int(shifted - WHOLE)) if shifted == shifted else shifted

    def uncounted(array):
        return array
