"""Eight float32 lanes as one value: a small explicit vector type for the convolution kernels.

LLVM turns plain loops into vector code only where its cost model agrees, and a small matrix product that must keep
eight to twelve running sums in registers is where it does not.  Here the vectors are spelled out:

    load(a, (i, j, c))            a[i, j, c : c + 8] as one vector; the last axis of ``a`` must be contiguous
    store(a, (i, j, c), v)        the reverse
    broadcast(a, (i, j))          the scalar a[i, j] in every lane
    splat(s)                      the number s in every lane
    x + y, x - y, s * x           lane by lane; s a vector or a float
    multiply_add(x, y, z)         x * y + z, in one rounding where the processor can (``llvm.fmuladd``)
    at_least(v, floor)            max(v, floor); NaN stays NaN (ReLU, with floor 0)
    where_positive(a, v)          v where a > 0, else 0; 0 where a is NaN
    sum_lanes(v)                  the sum of the lanes, always in the same order

No operation carries a fast-math flag: products and sums are fused only where ``multiply_add`` says so, and nothing is
reordered, so that a machine gives the same bytes each time.  LLVM lowers <8 x float> to one AVX register, to two
of SSE or NEON: slower there, right everywhere.  Indices are not checked, and vectors need no alignment.

``kernel`` compiles a function for the threads of ``kernels.threads``; ``inner`` a function that kernels call.
"""

from __future__ import annotations

import hashlib
import operator
from pathlib import Path

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 8
_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_INT32 = ir.IntType(32)


class Float32x8(types.Type):
    """The numba type of a vector; it lives in registers only, never in an array."""

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
    """``value`` itself if it is a vector, else the number in every lane."""
    if numba_type is float32x8:
        return value
    return _all_lanes(builder, context.cast(builder, value, numba_type, types.float32))


def _address(context, builder, signature_, arguments):
    """Pointer to array[index], for the first two arguments of load, store and broadcast."""
    array_type, index_type = signature_.args[:2]
    array = context.make_array(array_type)(context, builder, arguments[0])
    is_tuple = isinstance(index_type, types.BaseTuple)
    parts = cgutils.unpack_tuple(builder, arguments[1]) if is_tuple else [arguments[1]]
    kinds = list(index_type) if is_tuple else [index_type]
    index = [context.cast(builder, part, kind, types.intp) for part, kind in zip(parts, kinds)]
    return cgutils.get_item_pointer(context, builder, array_type, array, index, wraparound=False)


@intrinsic
def load(typing, array, index):
    def generate(context, builder, sig, args):
        pointer = _address(context, builder, sig, args)
        return builder.load(builder.bitcast(pointer, _VECTOR.as_pointer()), align=4)

    return float32x8(array, index), generate


@intrinsic
def store(typing, array, index, vector):
    def generate(context, builder, sig, args):
        pointer = _address(context, builder, sig, args)
        builder.store(args[2], builder.bitcast(pointer, _VECTOR.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(array, index, vector), generate


@intrinsic
def broadcast(typing, array, index):
    def generate(context, builder, sig, args):
        return _all_lanes(builder, builder.load(_address(context, builder, sig, args), align=4))

    return float32x8(array, index), generate


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


_SOURCES = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()

inner = njit(error_model="numpy")
"""Compile a function that kernels call; it becomes part of each of them."""


def kernel(function):
    """Compile a kernel: it releases the interpreter lock, and its machine code is kept on disk.

    Where numba keeps it (beside the source, or in the user's cache folder if that is read-only) is numba's business.
    numba takes stored code for fresh as long as the kernel's own file is unchanged, so an edit of this file would
    go unnoticed: the text of all kernel files is added to what it compares.
    """
    compiled = njit(nogil=True, cache=True, error_model="numpy")(function)
    index = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(index, "_source_stamp"):
        index._source_stamp = (index._source_stamp, _SOURCES)
    return compiled
