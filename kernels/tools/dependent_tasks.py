"""Tasks that wait for each other, handed out inside compiled code; run by ``run_tasks`` of ``threads``.

    take(turns)                  the next number, counted up in turns[0]; no two threads get the same
    mark(done, place)            done[place] = 1; a thread that sees the mark sees all that was written before it
    all_marked(done, a, b)       are done[a] ... done[b - 1] marked?  Waits a little for it

``turns`` and ``done`` are 1-D int64 arrays of zeros.  Tasks are numbered so that each needs only tasks of lower
numbers.  Those have been taken before, so a thread that waits always waits for one that works: there is no deadlock.  A
layer of the network can begin with its first rows while another thread is at the last rows of the layer before.  So
threads need not wait at the end of every layer for the slowest of them.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernels.tools.compiled import inner

PATIENCE = 5000
"""How often ``all_marked`` looks at marks that are not set before it gives up: some microseconds."""
_INT64 = ir.IntType(64)
_KIND = types.Array(types.int64, 1, "C")


def _place(context, builder, sig, args):
    return builder.gep(context.make_array(sig.args[0])(context, builder, args[0]).data, [args[1]])


@intrinsic
def _add_one(typing, array, place):
    def generate(context, builder, sig, args):
        return builder.atomic_rmw("add", _place(context, builder, sig, args), _INT64(1), "acq_rel")

    return types.int64(_KIND, types.intp), generate


@intrinsic
def mark(typing, array, place):
    def generate(context, builder, sig, args):
        builder.store_atomic(_INT64(1), _place(context, builder, sig, args), "release", 8)
        return context.get_dummy_value()

    return types.void(_KIND, types.intp), generate


@intrinsic
def _look(typing, array, place):
    def generate(context, builder, sig, args):
        return builder.load_atomic(_place(context, builder, sig, args), "acquire", 8)

    return types.int64(_KIND, types.intp), generate


@inner
def take(turns):
    return _add_one(turns, 0)


@inner
def all_marked(done, first, last):
    patience = PATIENCE
    for place in range(first, last):
        while _look(done, place) == 0:
            patience -= 1
            if patience < 0:
                return False
    return True
