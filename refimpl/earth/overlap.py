"""Exact overlap of target cells with source pixels: the weights of all area-weighted resampling.

Section "Raster data": the drivers are resampled to one grid.  The four corners of a target cell, in the source's pixel
coordinates (u to the right, v down, pixel (i, j) = [j, j+1] x [i, i+1]), form a quadrilateral.  The part of it inside
a pixel is found without polygon clipping.  Walk round the quadrilateral and sum, over its four edges,

    integral over u in [j, j+1] of clamp(v(u) - i, 0, 1) du        (Green's theorem)

Every edge is straight, so each integral is a trapezoid plus a rectangle.  The sum is the signed area of the
quadrilateral inside the pixel.  Neighbouring cells have common corners, so they divide each pixel without gap or
overlap.  The edges are taken as straight in pixel coordinates; for cells of 10 km that is off by metres.
"""

from __future__ import annotations

import numpy as np

from refimpl.twins import twin

OVERLAP_NOISE, OVERLAP_NOISE_FLOOR = 1e-12, 1e-15
"""An overlap of at most 1e-12 of the cell's area plus 1e-15 pixels is rounding, not contact."""
ALIKE = 1e-9
"""Classes whose areas differ by less than this share of the largest area count as equal: the rest is rounding."""


def edge_integral(u1, v1, u2, v2, i, j):
    """Integral of clamp(v - i, 0, 1) du along the part of the edge (u1, v1)-(u2, v2) with j <= u <= j + 1.

    float64 arrays of one shape; negative where the edge runs to the left.

    >>> edge = np.array([0.0]), np.array([0.0]), np.array([2.0]), np.array([2.0])
    >>> float(edge_integral(*edge, 0, 0)[0]), float(edge_integral(*edge, 0, 1)[0]), float(edge_integral(*edge, 1, 0)[0])
    (0.5, 1.0, 0.0)
    """
    left, right = np.maximum(np.minimum(u1, u2), j), np.minimum(np.maximum(u1, u2), j + 1)
    width = np.where(right > left, right - left, 0.0)
    run = np.where(u1 == u2, 1.0, u2 - u1)
    low, high = v1 + (left - u1) / run * (v2 - v1) - i, v1 + (right - u1) / run * (v2 - v1) - i
    low, high = np.minimum(low, high), np.maximum(low, high)
    # From `begin` to `end`, where 0 <= v - i <= 1, it is a trapezoid; beyond `end`, where v - i > 1, a rectangle.
    rise = np.where(high > low, high - low, 1.0)
    begin, end = np.clip(-low / rise, 0, 1), np.clip((1 - low) / rise, 0, 1)
    mean = (np.clip(low, 0, 1) + np.clip(high, 0, 1)) / 2
    fraction = np.where(high > low, (end - begin) * mean + (1 - end), mean)
    return np.sign(u2 - u1) * width * fraction


def signed_area(u, v):
    """Signed area of quadrilaterals (4, n) by the shoelace formula, with the sign of the sum of edge integrals."""
    u, v = u - u[0], v - v[0]
    return sum((u[k - 3] - u[k]) * (v[k - 3] + v[k]) / 2 for k in range(4))


@twin("kernels.warp")
def overlap_sums(values, valid, weights, u, v):
    """Sums over the source pixels under each target cell, for means and totals.

    Parameters
    ----------
    values, valid : (rows, cols) real and bool; the source.
    weights : (rows,) float64, the weight of one pixel of each row (its true area, or 1).
    u, v : (R + 1, C + 1) float64, corners of the target cells in the source's pixel coordinates; nan off the map.

    Returns
    -------
    weighted : (R, C) float64, sum of overlap x weight x value over valid pixels, overlap in pixels.
    weight : (R, C) float64, sum of overlap x weight over valid pixels.
    covered : (R, C) float64, share of the cell's area in pixel coordinates that valid pixels cover, 0 to 1.

    >>> u, v = np.meshgrid([0.0, 1.5], [0.0, 1.0])
    >>> sums = overlap_sums.reference(np.array([[2.0, 4.0]]), np.array([[True, True]]), np.ones(1), u, v)
    >>> [float(s[0, 0]) for s in sums]
    [4.0, 1.5, 1.0]
    """
    shape = (u.shape[0] - 1, u.shape[1] - 1)
    sums = np.zeros((3, shape[0] * shape[1]))
    here, overlaps = _quad_overlaps(valid, u, v)
    for row, col, overlap in overlaps:
        sums[:, here] += overlap * np.stack([weights[row] * values[row, col], weights[row], np.ones_like(overlap)])
    sums[2, here] = _shares_of_area(sums[2, here], u, v, here)
    return tuple(sums.reshape(3, *shape))


@twin("kernels.warp")
def overlap_modes(values, valid, weights, u, v):
    """The value with the largest sum of overlap x weight in each target cell; of values that are ALIKE, the lowest.

    Parameters are those of ``overlap_sums``; values of any dtype.

    Returns
    -------
    modes : (R, C) of the values' dtype; 0 where the cell overlaps no valid pixel.
    covered : (R, C) float64, share of the cell's area in pixel coordinates that valid pixels cover, 0 to 1.

    >>> u, v = np.meshgrid([0.0, 3.0], [0.0, 1.0])
    >>> classes = np.array([[7, 5, 7]], np.uint8)
    >>> [float(a[0, 0]) for a in overlap_modes.reference(classes, classes > 0, np.ones(1), u, v)]
    [7.0, 1.0]
    """
    shape = (u.shape[0] - 1, u.shape[1] - 1)
    here, overlaps = _quad_overlaps(valid, u, v)
    modes, covered, known = np.zeros(here.size, values.dtype), np.zeros(here.size), sorted(set(values[valid].tolist()))
    shares = np.zeros((len(known), here.size))
    for row, col, overlap in overlaps:
        covered += overlap
        for share, value in zip(shares, known):
            share += np.where(values[row, col] == value, overlap * weights[row], 0.0)
    if known and here.size:
        largest = shares >= shares.max(axis=0) * (1 - ALIKE)
        modes = np.where(covered > 0, np.array(known, values.dtype)[largest.argmax(axis=0)], modes)
    found = np.zeros(shape[0] * shape[1], values.dtype), np.zeros(shape[0] * shape[1])
    found[0][here], found[1][here] = modes, _shares_of_area(covered, u, v, here)
    return found[0].reshape(shape), found[1].reshape(shape)


def _quads(u, v) -> tuple[np.ndarray, np.ndarray]:
    """u and v of the corners of the cells, (4, cells) each: upper left, upper right, lower right, lower left."""
    return tuple(np.stack([c[:-1, :-1], c[:-1, 1:], c[1:, 1:], c[1:, :-1]]).reshape(4, -1) for c in (u, v))


def _shares_of_area(covered: np.ndarray, u, v, here: np.ndarray) -> np.ndarray:
    """``covered``, in pixels, as a share of the cells' areas."""
    u, v = (c[:, here] for c in _quads(u, v))
    area = np.abs(signed_area(u - np.floor(u.min(0)), v - np.floor(v.min(0)))) if here.size else covered
    return np.minimum(covered / np.where(area == 0, 1.0, area), 1.0)


def _quad_overlaps(valid, u, v):
    """The cells that are on the map, and for each place in their bounding boxes (row, column, overlap), (cells,) each.

    Where a cell overlaps no valid pixel at that place, the overlap is 0, and row and column have no meaning.
    """
    u, v = _quads(u, v)
    here = np.flatnonzero(np.all(np.isfinite(u) & np.isfinite(v), axis=0))
    if not here.size:
        return here, ()
    return here, _box_overlaps(valid, u[:, here], v[:, here])


def _box_overlaps(valid, u, v):
    """Row by row through the boxes, (row, column, overlap) of one pixel of each box."""
    rows, cols = valid.shape
    # Coordinates count from the bounding box, so that rounding does not grow with the size of the source.
    left, top = np.floor(u.min(0)).astype(int), np.floor(v.min(0)).astype(int)
    u, v = u - left, v - top
    area = signed_area(u, v)
    for i in range(int(np.ceil(v.max()))):
        for j in range(int(np.ceil(u.max()))):
            overlap = np.sign(area) * sum(edge_integral(u[k - 4], v[k - 4], u[k - 3], v[k - 3], i, j) for k in range(4))
            row, col = top + i, left + j
            inside = (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
            row, col = np.where(inside, row, 0), np.where(inside, col, 0)
            counts = inside & valid[row, col] & (overlap > OVERLAP_NOISE * np.abs(area) + OVERLAP_NOISE_FLOOR)
            yield row, col, np.where(counts, overlap, 0.0)
