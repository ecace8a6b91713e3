"""True areas of the cells of Web Mercator and transverse Mercator grids (D03), row by row.

Section "Raster data".  Both maps keep angles, not areas: in Web Mercator at 45 N, dx dy is twice the true area.

- Web Mercator: a cell lies between two meridians and two parallels, as on a geographic grid.  Its area is exact:
  dx a (q(p2) - q(p1)) / 2 with Snyder's q (1987, eq. 3-12).
- Transverse Mercator: a cell's area is dx dy / k^2.  The point scale k changes along the row.  Each cell of a row gets
  the row's mean area, so that the areas of all cells add up to the area of the grid.  In a UTM zone the cells of a row
  differ from that mean by at most 0.2 %.  A grid whose cells differ from it by more than 1 % (one wider than about
  1,500 km) is refused, because no single area holds for its rows.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.crs import CRS
from refimpl.earth.ellipsoid import authalic_q
from refimpl.earth.projection import inverse
from refimpl.earth.transverse_mercator import transverse_scale
from refimpl.errors import InputError

MOST_APART = 0.01
"""Largest difference of an area from the mean of its row, as a share of that mean."""
_BLOCK_ROWS = 2**12


def conformal_areas(crs: CRS, transform: tuple[float, float, float, float], shape: tuple[int, int]) -> np.ndarray:
    """Area in km2 of one cell of each row of a grid, (rows,) float64.

    Raises
    ------
    InputError
        In a transverse Mercator grid, the areas of a row differ by more than MOST_APART, or a cell lies off the map.

    >>> conformal_areas(CRS("web_mercator"), (0, 5622000, 2000, -2000), (1, 1)).round(2).tolist()
    [2.0]
    """
    x0, y0, dx, dy = transform
    if crs.kind == "web_mercator":
        lat = np.radians(inverse(crs, crs.false_easting, y0 + dy * np.arange(shape[0] + 1))[1])
        q = authalic_q(np.sin(lat), crs.e2)
        return dx / 1e3 * (crs.a / 1e3) / 2 * (q[:-1] - q[1:])
    starts = range(0, shape[0], _BLOCK_ROWS)
    blocks = [(y0 + dy * start, min(_BLOCK_ROWS, shape[0] - start)) for start in starts]
    return np.concatenate([_transverse_areas(crs, x0, dx, shape[1], top, dy, rows) for top, rows in blocks])


def _transverse_areas(crs: CRS, x0: float, dx: float, cols: int, top: float, dy: float, rows: int) -> np.ndarray:
    """The mean area of each row by Gauss-Legendre quadrature: eight nodes along the row, two across.

    The two ends of the row are evaluated too, to find how far areas differ from the mean.
    """
    (along, share), (across, part) = (np.polynomial.legendre.leggauss(count) for count in (8, 2))
    along, share = np.concatenate([[-1], along, [1]]), np.concatenate([[0], share, [0]]) / 2
    x = x0 + dx * cols * (1 + along) / 2
    y = top + dy * (np.arange(rows)[:, np.newaxis] + (1 + across) / 2)
    lon, lat = inverse(crs, x, y[:, :, np.newaxis])
    k = crs.scale * transverse_scale(np.radians(lon - crs.central_meridian), np.radians(lat), crs.a, crs.f)
    relative = np.einsum("rjc,j->rc", k**-2.0, part / 2)
    mean = relative @ share
    apart = np.abs(relative / mean[:, np.newaxis] - 1).max()
    if not apart <= MOST_APART:
        fault = "reaches off the map"
        if not np.isnan(apart):
            fault = f"has cells whose true areas differ by {apart:.2%} from their row's mean, expected {MOST_APART:.0%}"
        albers = "+proj=aea +lat_1=25 +lat_2=47 +lon_0=105 +datum=WGS84"
        raise InputError(
            f"a grid in {crs.describe()}, x from {x[0]:.0f} to {x[-1]:.0f}, {fault}; "
            f"convert it with 'gdalwarp -t_srs \"{albers}\" -r average IN.tif OUT.tif'"
        )
    return mean * (dx / 1e3) * (-dy / 1e3)
