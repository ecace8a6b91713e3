"""Shares of the seven land covers (Figs. 4-5, D23) on maps of any size, from sums window by window.

In one window they equal those of ``refimpl.method.land_cover.land_cover_shares`` to the bit; the sum of several windows
is rounded once more.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.exact_pair import exact_pair
from refimpl.earth.grid import Source
from refimpl.evaluation.derived import codes_in, times_finer, under
from refimpl.evaluation.zone_sums import Sums
from refimpl.method.land_cover import LAND_COVERS, LandCoverShares, seven_classes, shares_of
from refimpl.twins import twin
from refimpl.windows.walks import windows


@twin("kernels.land_cover")
def land_cover_pairs(emission, valid, zones, igbp, known):
    """Sums of ``refimpl.method.land_cover.land_cover_sums``, each with what its rounding lost.

    Parameters
    ----------
    emission, valid, zones : (rows, cols) float64, bool, integer province codes (0 outside).
    igbp, known : (rows, cols) IGBP classes, and where there is one.

    Returns
    -------
    codes : (k,) int64, ascending.
    pairs : (2, k, 8) float64, rounded sums and their rests: the seven land covers, then cells without one.

    >>> yes = np.ones((1, 2), bool)
    >>> zones, igbp = np.array([[11, 11]]), np.array([[13, 13]])
    >>> land_cover_pairs.reference(np.array([[1e16, 1.0]]), yes, zones, igbp, yes)[1][:, 0, 5]
    array([1.e+16, 1.e+00])
    """
    inside = valid & (zones > 0)
    codes, province = np.unique(zones[inside], return_inverse=True)
    classes = np.where(known[inside], seven_classes(np.where(known, igbp, 0)[inside]), len(LAND_COVERS))
    pairs = np.zeros((2, codes.size, len(LAND_COVERS) + 1))
    for row, column in np.ndindex(pairs.shape[1:]):
        pairs[:, row, column] = exact_pair(emission[inside][(province == row) & (classes == column)])
    return codes.astype(np.int64), pairs


def coarse_shares(emission: Source, zones: Source | np.ndarray, land_cover: Source) -> LandCoverShares:
    """Fig. 4 at the coarse scale: the shares of a fine map by the land cover of the coarse cells around its cells.

    ``emission`` and ``zones`` (rows, cols) are on the fine grid.  ``land_cover`` (IGBP classes) is on the coarse one,
    with four or more fine cells in each of its cells.
    """
    found, factor = Sums(), times_finer(emission.grid, land_cover.grid)
    for window in windows(emission.grid.shape):
        codes = codes_in(zones, window)
        if (codes > 0).any():
            cells, classes = emission.part(window), under(land_cover, window, factor)
            found.add(*land_cover_pairs(cells.values, cells.valid, codes, classes.values, classes.valid))
    return shares_of(*found.totals((len(LAND_COVERS) + 1,)))
