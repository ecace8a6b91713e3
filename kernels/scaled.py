"""Windows of a resized map: the twin of ``refimpl.windows.scaled.weigh_window``.

The kernel that resizes whole maps (``kernels.resize``) takes the taps of every output row and column as arguments.  So
a window is resized like an image of its own, with taps that are never mirrored here.  A crop of 128 x 128 cells is one
part, so it is computed by the calling thread.
"""

from __future__ import annotations

import numpy as np

from kernels.resize import ANY, NORMALISE, PLAIN, RESIZE_PART_COLUMNS, contiguous_float, resize_part, rows_of_part
from kernels.tools.threads import run_parts
from refimpl.method.resize import HALF


def weigh_window(image, valid, rows, cols, every_valid):
    """Values and validity of the window whose taps in ``image`` and ``valid`` are ``rows`` and ``cols``."""
    image, valid = contiguous_float(image), np.ascontiguousarray(valid, bool)
    if image.shape != valid.shape:
        raise ValueError(f"expected valid of shape {image.shape}, got {valid.shape}")
    shape = len(rows[0]), len(cols[0])
    finish, enough = (PLAIN, np.ones(shape, bool)) if every_valid else (NORMALISE, np.empty(shape, bool))
    out, blocks, band = np.empty(shape, image.dtype), _blocks(cols[0]), rows_of_part(shape[1])
    taps = *_as_compiled(rows, image.dtype), *_as_compiled(cols, image.dtype)
    parts = -(-shape[0] // band) * len(blocks)
    half = image.dtype.type(HALF)
    run_parts(resize_part, parts, band, image, valid, *taps, blocks, ANY, half, finish, out, enough)
    return out, enough


def _as_compiled(taps, dtype):
    """Taps as arrays of the types that the kernel is compiled for."""
    return np.array(taps[0], np.int64, order="C"), np.array(taps[1], dtype, order="C")


def _blocks(indices):
    """Blocks of columns as in ``kernels.resize``, where no column shares its taps with another."""
    starts = range(0, len(indices), RESIZE_PART_COLUMNS)
    ends = (min(start + RESIZE_PART_COLUMNS, len(indices)) for start in starts)
    blocks = ((start, end, indices[start:end]) for start, end in zip(starts, ends))
    return np.array([(start, end, end, end, cells.min(), cells.max() + 1) for start, end, cells in blocks])
