"""Figs. 4-5: how a province's emission is shared among the seven land covers (section "Spatial evaluation index"; D23).

The paper names seven classes and not how MCD12's seventeen IGBP classes fall into them; D23 decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from refimpl.errors import InputError
from refimpl.twins import twin

LAND_COVERS: dict[str, tuple[int, ...]] = {
    "forest": (1, 2, 3, 4, 5),
    "shrubland": (6, 7),
    "grasslands": (8, 9, 10),
    "water": (0, 11, 15, 17),
    "croplands": (12, 14),
    "built-up": (13,),
    "bare": (16,),
}
"""D23: the IGBP classes of MCD12 (0 or 17 is water) in each of the paper's seven."""


@dataclass(frozen=True)
class LandCoverShares:
    """Shares of emission: ``shares`` (n, 7) float64, each row sums to 1 (nan where a province emits nothing)."""

    codes: np.ndarray
    shares: np.ndarray
    unclassified: np.ndarray
    """(n,) part of the province's emission on cells without a land cover; not counted in ``shares``."""

    def mean(self, land_cover: str) -> float:
        """The mean over the provinces of the share of one land cover."""
        column = self.shares[:, list(LAND_COVERS).index(land_cover)]
        return float(np.nanmean(column)) if np.isfinite(column).any() else float("nan")


def seven_classes(igbp: np.ndarray) -> np.ndarray:
    """D23: IGBP codes (0-17) as the index of their land cover in ``LAND_COVERS``, 0-6; int64, same shape.

    >>> seven_classes(np.array([13, 0, 17, 4]))
    array([5, 3, 3, 0])
    """
    table = np.full(18, -1)
    for index, members in enumerate(LAND_COVERS.values()):
        table[list(members)] = index
    codes, given = np.asarray(igbp).astype(np.int64), np.asarray(igbp)
    if codes.size and (codes.min() < 0 or codes.max() > 17 or (codes != given).any()):
        wrong = given[(codes < 0) | (codes > 17) | (codes != given)].flat[0]
        raise InputError(f"land cover class {wrong:g}; expected the IGBP classes 0-17 of MCD12, others as nodata")
    return table[codes]


@twin("kernels.land_cover")
def land_cover_sums(emission, valid, zones, igbp, known):
    """The emission of each province on each of the seven land covers, and on cells without one.

    Parameters
    ----------
    emission, valid : (rows, cols) real and bool: the map, per cell.
    zones : (rows, cols) integer province codes, 0 outside.
    igbp, known : (rows, cols) IGBP class, and where there is one.

    Returns
    -------
    codes : (k,) int64, ascending: the provinces with a valid cell.
    sums : (k, 8) float64 in the unit of ``emission``; the last column is that of cells without a land cover.

    Raises
    ------
    InputError
        A class beyond 0-17 where the map is valid and the class is known.

    >>> yes = np.ones((1, 2), bool)
    >>> land_cover_sums.reference(np.array([[1.0, 3.0]]), yes, np.array([[11, 11]]), np.array([[13, 12]]), yes)[1]
    array([[0., 0., 0., 0., 3., 1., 0., 0.]])
    """
    inside = valid & (zones > 0)
    codes, province = np.unique(zones[inside], return_inverse=True)
    classes = np.where(known[inside], seven_classes(np.where(known, igbp, 0)[inside]), len(LAND_COVERS))
    sums = np.zeros((codes.size, len(LAND_COVERS) + 1))
    for row, column in np.ndindex(sums.shape):
        sums[row, column] = math.fsum(emission[inside][(province == row) & (classes == column)])
    return codes.astype(np.int64), sums


def land_cover_shares(emission: np.ndarray, valid: np.ndarray, zones: np.ndarray, igbp: np.ndarray, known: np.ndarray):
    """The part of each province's emission on each of the seven land covers.

    Parameters and errors are those of ``land_cover_sums``.

    Returns
    -------
    LandCoverShares, one row for each province with a valid cell.

    >>> e = np.array([[1.0, 3.0]])
    >>> yes = np.ones((1, 2), bool)
    >>> land_cover_shares(e, yes, np.array([[11, 11]]), np.array([[13, 12]]), yes).mean("built-up")
    0.25
    """
    return shares_of(*land_cover_sums(emission, valid, zones, igbp, known))


def shares_of(codes: np.ndarray, sums: np.ndarray) -> LandCoverShares:
    """The shares that the ``sums`` (k, 8) of ``land_cover_sums`` make.

    >>> shares_of(np.array([11]), np.array([[0.0, 0, 0, 0, 3, 1, 0, 4]])).unclassified
    array([0.5])
    """
    classified = sums[:, :-1].sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(classified > 0, sums[:, :-1] / classified, np.nan)
        unclassified = np.where(sums.any(axis=1), sums[:, -1] / sums.sum(axis=1), 0.0)
    return LandCoverShares(codes, shares, unclassified)
