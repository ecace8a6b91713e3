"""Copies of eight bytes at once between any two places of an array: ``copy_eight(out, to, source)``.

The compiler cannot know how far apart two places of one array are, so a loop that copies single bytes there stays a
loop of single bytes.  Nothing is checked: both places need eight bytes of the array from there on.
Without the compiler (NUMBA_DISABLE_JIT) it is plain Python.
"""

from __future__ import annotations

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic


@intrinsic
def copy_eight(typing, out, to, source):
    """out[to : to + 8] = out[source : source + 8], all read before any is written; ``out`` uint8."""

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        word = ir.IntType(64)
        begin, end = (
            builder.bitcast(builder.gep(array.data, [place]), word.as_pointer())
            for place in (arguments[2], arguments[1])
        )
        builder.store(builder.load(begin, align=1), end, align=1)
        return context.get_dummy_value()

    return types.void(out, types.intp, types.intp), generate


if config.DISABLE_JIT:

    def copy_eight(out, to, source):
        out[to : to + 8] = out[source : source + 8].copy()
