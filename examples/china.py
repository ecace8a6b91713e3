"""SVR-ZSSR on the sample's GeoTIFFs, read and written by tifffile: China in 2010, 0.1 to 0.05 degrees."""

from pathlib import Path

import numpy as np
import tifffile

from refimpl import UpscaleSettings, Year, spatialize
from refimpl.earth.grid import Grid
from refimpl.earth.projection import WGS84

folder, grid = Path("golden/china-10km"), Grid(WGS84, (73.0, 54.0, 0.1, -0.1), (360, 620))
table = np.genfromtxt(folder / "energy.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")

def driver(name, year):
    cells = tifffile.imread(folder / f"{name}_{year}.tif").astype(float)
    return np.where(cells == -9999, np.nan, cells).reshape(360, 2, 620, 2).mean(axis=(1, 3))  # 0.05 to 0.1 degrees

def known_of(year):
    fuels = {fuel: table[fuel][table["year"] == year] for fuel in table.dtype.names[3:]}
    return Year(fuels, {name: driver(name, year) for name in ("ntl", "population", "gdp")})

zones, settings = tifffile.imread(folder / "provinces_30arcsec.tif")[3::6, 3::6], UpscaleSettings(crop=64, max_steps=300)
made = spatialize(known_of(2010), known_of(2005), table["code"][table["year"] == 2010], zones[::2, ::2],
                  grid.cell_areas(), settings, 2010, fine_zones=zones, fine_areas=grid.refined().cell_areas())
place = [(33550, "d", 3, (0.05, 0.05, 0.0)), (33922, "d", 6, (0, 0, 0, 73.0, 54.0, 0)),  # where the map lies
         (34735, "H", 12, (1, 1, 0, 2, 1024, 0, 1, 2, 2048, 0, 1, 4326)), (42113, "s", 0, "nan")]
tifffile.imwrite("china.tif", np.where(made.mapped, made.emission, np.nan), compression="zlib", extratags=place)
