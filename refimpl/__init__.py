"""refimpl: an auditable reference implementation of SVR-ZSSR.

SVR-ZSSR turns one number per province (its yearly CO2 emission) into a fine grid (Liu et al., Scientific Reports 13,
2023).  ``spatialize`` is the whole method on NumPy arrays; read ``refimpl/method/svr_zssr.py`` first.  The floors, from
the ground up:

================================ =====================================================================================
``errors``, ``twins``,           the ground: one kind of error, the pairing with fast kernels, progress lines
``progress``
``method/``                      SVR-ZSSR on NumPy arrays, in the paper's order
``earth/``                       grids, reference systems, projections, areas, overlap, warp, polygons
``formats/``                     GeoTIFF, PNG, WKT, GeoJSON, side files, tables, models; files whole or not at all
``windows/``                     the method on maps larger than memory
``evaluation/``, ``figures/``    judging and drawing
``run/``                         one case from TOML to results
``conformance/``                 the golden suite as judge
``cli/``                         one file a verb
================================ =====================================================================================

Importing this package imports no numba; a kernel is compiled when it is first called.
"""

from refimpl.method.checked_inputs import Year
from refimpl.method.settings import UpscaleSettings
from refimpl.method.svr_zssr import Spatialized, spatialize

__version__ = "0.1.0"
__all__ = ["Spatialized", "UpscaleSettings", "Year", "spatialize"]
