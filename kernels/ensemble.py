"""The median of eight images, cell by cell: the twin of ``refimpl.method.super_resolution.median``.

The eight numbers of a cell are sorted as two fours.  Pair the first four in ascending with the second four in
descending order: the minima of the pairs are the four smaller of the eight numbers, the maxima the four larger ones
(Batcher's merge; Knuth, The Art of Computer Programming, volume 3, section 5.3.4).  The median lies midway between the
largest of the minima and the smallest of the maxima.  There is no branch in this, so whole vectors of neighbouring
cells are worked on at once.
"""

from __future__ import annotations

import numpy as np

from kernels.resize import contiguous_float, rows_of_part
from kernels.tools.compiled import inner, kernel
from kernels.tools.threads import run_parts


def median(images):
    """Cell by cell, the median of images (8, rows, cols) without NaN; any other number of images is left to NumPy."""
    if len(images) != 8:
        return np.median(images, axis=0)
    images = contiguous_float(images)
    out = np.empty(images.shape[1:], images.dtype)
    band = rows_of_part(out.shape[1])
    run_parts(median_part, -(-out.shape[0] // band), band, images, out)
    return out


@inner
def sort4(a, b, c, d):
    a, b, c, d = min(a, b), max(a, b), min(c, d), max(c, d)
    a, b, c, d = min(a, c), min(b, d), max(a, c), max(b, d)
    return a, min(b, c), max(b, c), d


@kernel
def median_part(part, worker, band, images, out):
    for i in range(part * band, min(part * band + band, len(out))):
        row = out[i]
        r0, r1, r2, r3 = images[0, i], images[1, i], images[2, i], images[3, i]
        r4, r5, r6, r7 = images[4, i], images[5, i], images[6, i], images[7, i]
        two = images.dtype.type(2)
        for j in range(row.size):
            a, b, c, d = sort4(r0[j], r1[j], r2[j], r3[j])
            e, f, g, h = sort4(r4[j], r5[j], r6[j], r7[j])
            low = max(max(min(a, h), min(b, g)), max(min(c, f), min(d, e)))
            high = min(min(max(a, h), max(b, g)), min(max(c, f), max(d, e)))
            row[j] = (low + high) / two
