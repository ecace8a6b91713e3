"""The network applied to an image of any size, piece by piece: the twin of ``refimpl.windows.inference.infer``.

A piece is a sweep (``kernels.tools.sweep``) over a square of the image with as many cells around it as the layers see;
each layer computes only what the later ones need.  A sweep starts at multiples of 4 cells, where the tiles of the whole
image start too, so every cell has the bytes that ``forward`` gives it.  The layers alternate between two planes of the
size of a piece, whatever the size of the image.
"""

from __future__ import annotations

import numpy as np

from kernels.network import run_sweep, suits
from refimpl.windows import inference as reference
from refimpl.windows.inference import ALIGNMENT, check_window, halo

PIECE = 512
"""Side of a piece in cells, a multiple of 4: two planes of 76 MB.  With half of it another ninth of all cells would be
computed twice, where pieces meet."""


def infer(network, image, valid, window=None, progress=None):
    """``forward`` of an image (H, W), or only of the cells of ``window``; 0 where not ``valid``."""
    if not suits(network, image):
        return reference.infer.reference(network, image, valid, window, progress)
    top, bottom, left, right = check_window(image, valid, window)
    output = np.zeros((bottom - top, right - left), np.float32)
    pieces = [(i, j) for i in range(top, bottom, PIECE) for j in range(left, right, PIECE)]
    for done, (i, j) in enumerate(pieces, start=1):
        here = np.s_[i : min(i + PIECE, bottom), j : min(j + PIECE, right)]
        _infer_piece(network, image, valid[here], i, j, output[i - top : i - top + PIECE, j - left : j - left + PIECE])
        if progress:
            progress.update(done / len(pieces))
    return output


def _infer_piece(network, image, valid, i, j, output):
    """Fill ``output``, whose corner is cell (i, j) of the image, where ``valid``."""
    rows, columns = np.flatnonzero(valid.any(axis=1)), np.flatnonzero(valid.any(axis=0))
    if not rows.size:
        return
    wanted = i + rows[0], i + rows[-1] + 1, j + columns[0], j + columns[-1] + 1
    reach = halo(network.depth)
    above, before = (max(start - reach, 0) // ALIGNMENT * ALIGNMENT for start in wanted[::2])
    around = image[above : wanted[1] + reach, before : wanted[3] + reach]
    inside = tuple(int(n) for n in (wanted[0] - above, wanted[1] - above, wanted[2] - before, wanted[3] - before))
    fine, _, _ = run_sweep(network, around, inside)
    within = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    np.copyto(output[within], fine[inside[0] : inside[1], inside[2] : inside[3]], where=valid[within])
