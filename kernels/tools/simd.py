"""Eight float32 lanes as one value: a small explicit vector type for the convolution kernels.

LLVM turns plain loops into vector code only where its cost model agrees.  It does not agree for a small matrix product
that must keep eight to twelve running sums in registers.  Here the vectors are spelled out:

    pointer(a)                    the address of the first value of a float32 array
    behind(a, n)                  the pointer n values further on
    load(a, n)                    the values n to n + 7 behind pointer a
    store(a, n, v)                the reverse
    broadcast(a, n)               the value n behind pointer a in every lane
    splat(s)                      the number s in every lane
    x + y, x - y, s * x           lane by lane; s a vector or a float
    multiply_add(x, y, z)         x * y + z, in one rounding where the processor can (``llvm.fmuladd``)
    at_least(v, floor)            max(v, floor); NaN stays NaN (ReLU, with floor 0)
    where_positive(a, v)          v where a > 0, else 0; 0 where a is NaN
    sum_lanes(v)                  the sum of the lanes, always in the same order
    prefetch(a, n)                ask for the cache line of the value n behind pointer a; harmless anywhere in memory

No operation carries a fast-math flag: products and sums are fused only where ``multiply_add`` says so, and nothing is
reordered, so a machine gives the same bytes each time.  LLVM lowers <8 x float> to one AVX register or to two of SSE or
NEON, which is slower and gives the same sums.  Vectors need no alignment.

Why pointers: numba counts the references to an array, also where one small function hands it to another.  Two threads
that count the same array up and down compete for one cache line, and that took longer than the arithmetic.  The price
is that offsets are spelled out and not checked.
"""

from __future__ import annotations

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 8
_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_INT32 = ir.IntType(32)


class Float32x8(types.Type):
    """The numba type of a vector; it exists only in registers, never in an array."""

    def __init__(self):
        super().__init__(name="float32x8")


float32x8 = Float32x8()


@register_model(Float32x8)
class _Float32x8Model(models.PrimitiveModel):
    def __init__(self, manager, numba_type):
        super().__init__(manager, numba_type, _VECTOR)


def _shuffle(builder, first, second, lanes):
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(_INT32, len(lanes)), lanes))


def _all_lanes(builder, scalar):
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    return _shuffle(builder, builder.insert_element(undefined, scalar, _INT32(0)), undefined, [0] * LANES)


def _as_vector(context, builder, numba_type, value):
    """``value`` itself if it is a vector, else a vector with the number in every lane."""
    if numba_type is float32x8:
        return value
    return _all_lanes(builder, context.cast(builder, value, numba_type, types.float32))


def _place(builder, arguments):
    """The address of value n behind pointer a, for (a, n, ...)."""
    return builder.gep(arguments[0], [arguments[1]])


@intrinsic
def pointer(typing, array):
    def generate(context, builder, sig, args):
        return context.make_array(sig.args[0])(context, builder, args[0]).data

    if isinstance(array, types.Array) and array.dtype == types.float32 and array.layout == "C":
        return types.CPointer(types.float32)(array), generate


@intrinsic
def behind(typing, start, offset):
    def generate(context, builder, sig, args):
        return _place(builder, args)

    return start(start, types.intp), generate


@intrinsic
def load(typing, start, offset):
    def generate(context, builder, sig, args):
        return builder.load(builder.bitcast(_place(builder, args), _VECTOR.as_pointer()), align=4)

    return float32x8(start, types.intp), generate


@intrinsic
def store(typing, start, offset, vector):
    def generate(context, builder, sig, args):
        builder.store(args[2], builder.bitcast(_place(builder, args), _VECTOR.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(start, types.intp, vector), generate


@intrinsic
def broadcast(typing, start, offset):
    def generate(context, builder, sig, args):
        return _all_lanes(builder, builder.load(_place(builder, args), align=4))

    return float32x8(start, types.intp), generate


@intrinsic
def splat(typing, number):
    def generate(context, builder, sig, args):
        return _as_vector(context, builder, sig.args[0], args[0])

    return float32x8(number), generate


@intrinsic
def multiply_add(typing, x, y, z):
    def generate(context, builder, sig, args):
        vectors = [_as_vector(context, builder, kind, value) for kind, value in zip(sig.args, args)]
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.fmuladd.v8f32"), vectors)

    return float32x8(x, y, z), generate


@intrinsic
def at_least(typing, vector, floor):
    def generate(context, builder, sig, args):
        return builder.select(builder.fcmp_unordered(">", *args), *args)

    return float32x8(vector, floor), generate


@intrinsic
def where_positive(typing, condition, vector):
    def generate(context, builder, sig, args):
        zero = ir.Constant(_VECTOR, [0.0] * LANES)
        return builder.select(builder.fcmp_ordered(">", args[0], zero), args[1], zero)

    return float32x8(condition, vector), generate


@intrinsic
def sum_lanes(typing, vector):
    def generate(context, builder, sig, args):
        part = args[0]
        for half in (4, 2, 1):  # lanes 0-3 plus 4-7, then 0-1 plus 2-3, then 0 plus 1
            low = _shuffle(builder, part, part, list(range(half)))
            part = builder.fadd(low, _shuffle(builder, part, part, list(range(half, 2 * half))))
        return builder.extract_element(part, _INT32(0))

    return types.float32(vector), generate


@intrinsic
def prefetch(typing, start, offset):
    def generate(context, builder, sig, args):
        address, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        place = builder.bitcast(_place(builder, args), address)
        builder.call(function, [place, number(0), number(3), number(1)])  # for reading; into the nearest cache; data
        return context.get_dummy_value()

    return types.void(start, types.intp), generate


def _register_operator(symbol, instruction):
    kinds = (float32x8, float32x8), (types.float64, float32x8)
    infer_global(symbol)(
        type("VectorOperator", (ConcreteTemplate,), {"cases": [signature(float32x8, *kind) for kind in kinds]})
    )

    def generate(context, builder, sig, args):
        vectors = [_as_vector(context, builder, kind, value) for kind, value in zip(sig.args, args)]
        return getattr(builder, instruction)(*vectors)

    for kind in kinds:
        lower_builtin(symbol, *kind)(generate)


for _symbol, _instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _register_operator(_symbol, _instruction)
