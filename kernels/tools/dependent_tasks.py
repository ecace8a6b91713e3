"""Tasks that wait for each other, handed out inside of compiled code; run by ``kernels.tools.threads.run_tasks``.

    take(turns)                  the next number, counted up in turns[0]; no two threads get the same
    mark(done, place)            done[place] = 1, and all that this thread wrote before is seen by who sees the mark
    all_marked(done, a, b)       are done[a] ... done[b - 1] marked?  Waits a little for it

``turns`` and ``done`` are 1-D int64 arrays of zeros.  Tasks are numbered so that each needs only tasks of lower
numbers.  These have been taken before, so whoever waits waits for a thread that works: there is no standstill.  A
layer of the network can begin with its first rows while another thread is at the last rows of the layer before, so
threads do not meet at the end of every layer, where the slower one would be waited for.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernels.tools.compiled import inner

PATIENCE = 5000
"""Looks at a mark before ``all_marked`` gives up: some microseconds."""
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
