"""Undoing the predictors of TIFF: the differences that writers form of pixels before they compress them.

Section "Raster data".  A segment holds (rows, columns, samples); differences run along a row, each sample by itself.
tifffile without imagecodecs undoes predictor 2 in the same way and lacks predictor 3.
Source: TIFF 6.0, section 14 (predictor 2); Adobe's technical note 3 (predictor 3).
"""

from __future__ import annotations

import numpy as np

from refimpl.twins import twin


@twin("kernels.predictors")
def undo_differences(pixels: np.ndarray) -> np.ndarray:
    """Predictor 2: (rows, columns, samples) unsigned, each less its left neighbour except the first, modulo 2^bits.

    >>> undo_differences(np.array([[[250], [10], [255]]], np.uint8)).ravel().tolist()
    [250, 4, 3]
    """
    return np.cumsum(pixels, axis=1, dtype=pixels.dtype)


@twin("kernels.predictors")
def undo_float_differences(octets: np.ndarray, samples: int, width: int) -> np.ndarray:
    """Predictor 3: (rows, columns x samples x width) uint8 to the bits of floats, (rows, columns x samples) unsigned.

    The highest bytes of all numbers of a row stand first, then the next ones, and so on.  The differences run over all
    these bytes, between those that are ``samples`` apart.  The byte order of the file does not matter.

    >>> undo_float_differences(np.array([[63, 1, 64, 0]], np.uint8), 1, 2).tolist()
    [[16256, 16512]]
    """
    rows, row_bytes = octets.shape
    planes = np.cumsum(octets.reshape(rows, -1, samples), axis=1, dtype=np.uint8).reshape(rows, width, -1)
    return np.ascontiguousarray(planes.transpose(0, 2, 1)).view(f">u{width}")[..., 0].astype(f"u{width}")
