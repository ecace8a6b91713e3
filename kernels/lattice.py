"""A polynomial through 11 x 11 nodes at all points of a tile: the twin of ``refimpl.earth.lattice.interpolated``.

A row of points is eleven rows of numbers, each times a factor of its own, added up in the reference's order.  This is
vector code that writes nothing except the row itself.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import kernel

SNAP = 1e-9


def interpolated(nodal, row_basis, col_basis):
    total = np.zeros((row_basis.shape[1], col_basis.shape[1]))
    interpolate(*(np.ascontiguousarray(each, np.float64) for each in (nodal, row_basis, col_basis)), total)
    return total


@kernel
def interpolate(nodal, row_basis, col_basis, total):
    nodes, cols = col_basis.shape
    for r in range(total.shape[0]):
        row = total[r]
        for k in range(nodes):
            factor = 0.0
            for i in range(nodes):
                factor += row_basis[i, r] * nodal[i, k]
            basis = col_basis[k]
            for c in range(cols):
                row[c] += factor * basis[c]
        for c in range(cols):
            whole = np.rint(row[c])
            row[c] = whole if abs(row[c] - whole) < SNAP else row[c]
