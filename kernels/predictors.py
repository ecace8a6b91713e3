"""Predictors of TIFF undone in one pass over each row: twins of ``refimpl.formats.predictors``.

A row stays in the nearest cache while its differences are summed and, for floats, its byte planes are joined.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import kernel


def undo_differences(pixels):
    out = np.array(pixels, pixels.dtype.newbyteorder("="), order="C")
    add_along_rows(out)
    return out


def undo_float_differences(octets, samples, width):
    octets = np.ascontiguousarray(octets).view()
    octets.flags.writeable = False
    out = np.empty((octets.shape[0], octets.shape[1] // width), f"u{width}")
    join_planes(octets, samples, out)
    return out


@kernel
def add_along_rows(pixels):
    rows, cols, samples = pixels.shape
    for i in range(rows):
        if samples == 1:
            total = pixels[i, 0, 0]
            for j in range(1, cols):
                total = pixels.dtype.type(total + pixels[i, j, 0])
                pixels[i, j, 0] = total
        else:
            for j in range(1, cols):
                for k in range(samples):
                    pixels[i, j, k] += pixels[i, j - 1, k]


@kernel
def join_planes(octets, samples, out):
    rows, row_bytes = octets.shape
    cols = out.shape[1]
    summed, total = np.empty(row_bytes, np.uint8), np.uint8(0)
    for i in range(rows):
        for j in range(min(samples, row_bytes)):
            summed[j] = octets[i, j]
        if samples == 1:
            total = np.uint8(0)
            for j in range(row_bytes):
                total = np.uint8(total + octets[i, j])
                summed[j] = total
        else:
            for j in range(samples, row_bytes):
                summed[j] = octets[i, j] + summed[j - samples]
        for j in range(cols):
            number = np.uint64(0)
            for k in range(row_bytes // cols):
                number = (number << np.uint64(8)) | np.uint64(summed[k * cols + j])
            out[i, j] = number
