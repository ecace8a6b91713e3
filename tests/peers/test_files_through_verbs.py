"""Rasters as GDAL writes them, through ``warp``, ``zonal`` and ``run`` unchanged: the numbers of a plain file.

The forms (tests/peers/forms.py) cover each codec, predictor, layout, type, byte order, kind of nodata, side file and
reference system that a user may bring, and most pairs of them, not their whole product.
"""

import csv
import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from refimpl.cli import main
from tests.conftest import toy_zones

rasterio = pytest.importorskip("rasterio")
from rasterio.transform import Affine  # noqa: E402

from tests.peers.forms import (  # noqa: E402
    BIG,
    FINE,
    FORMS,
    SYSTEMS,
    TILES,
    ZONE,
    form,
    moved_to,
    plain,
    polygons,
    stored,
    write,
)

SAMPLE = Path(__file__).resolve().parent.parent.parent / "golden" / "china-10km"


def warped(path, folder, name, *options):
    """What ``warp`` makes of a file, as GDAL reads it: numbers, 0 where masked, and the mask."""
    out = folder / f"{name}.tif"
    assert main(["warp", str(path), "--quiet", "--output", str(out), *map(str, options)]) == 0
    with rasterio.open(out) as file:
        found = file.read(1, masked=True)
    return found.filled(0), np.ma.getmaskarray(found)


def totals(path, folder, name, *options):
    """What ``zonal`` writes for a file."""
    out = folder / f"{name}.csv"
    assert main(["zonal", f"x={path}", "--quiet", "--output", str(out), *map(str, options)]) == 0
    with open(out, newline="") as table:
        return list(csv.reader(table))


@pytest.fixture
def zones(tmp_path):
    how = form("uint8", "LZW", 2, 0, transform=FINE, **TILES)
    return write(tmp_path / "zones.tif", how, toy_zones()[None], None)


METHODS = {"mean": 20000, "sum": 20000, "nearest": 12000, "bilinear": 9000, "cubic": 7000}
"""Cell sizes in metres: means and sums go coarser, points finer."""


@pytest.mark.parametrize("name", FORMS)
def test_a_file_of_any_form_gives_what_the_plain_file_gives(tmp_path, zones, name):
    how = FORMS[name]
    bands, values, valid = stored(how)
    path = write(tmp_path / ("a.png" if how.get("driver") == "PNG" else "a.tif"), how, bands, valid)
    beside, band = plain(tmp_path / "plain.tif", values, valid), ["--band", how.get("band", 1)]
    for method, size in METHODS.items():
        options = ["--zones", zones, "--method", method, "--cell-size", size]
        found, expected = warped(path, tmp_path, "a-w", *options, *band), warped(beside, tmp_path, "plain-w", *options)
        assert found[0].astype(float).tobytes() == expected[0].tobytes() and np.array_equal(found[1], expected[1])
        assert expected[0].any() and expected[1].any()
    whole = ["--extent", 300000, 3200000, 1100000, 4200000, "--cell-size", 40000, "--kind", "count"]
    shared = warped(path, tmp_path, "a-w", *whole, *band)[0]
    assert math.fsum(shared.flat) == pytest.approx(math.fsum(values[valid].tolist()), rel=1e-9)
    table = totals(path, tmp_path, "a-z", "--zones", zones, "--kind", "count", *band)
    assert table == totals(beside, tmp_path, "plain-z", "--zones", zones, "--kind", "count")
    for code, total, _, count, _ in table[1:]:
        inside = valid & (ZONE == int(code))
        assert int(count) == inside.sum()
        # A count becomes a density and a count again: three roundings a cell.
        assert float(total) == pytest.approx(math.fsum(values[inside]), rel=3e-15)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_file_in_another_system_gives_what_the_plain_file_gives_as_far_as_it_can(tmp_path, zones, name):
    bands, values, valid = stored(form("float32", nodata=-9999))
    crs = rasterio.crs.CRS.from_user_input(SYSTEMS[name])
    moved, place = moved_to(crs, bands[0])
    ways = form("float32", "LZW", 3, -9999, **TILES), form("float32", "ZSTD", 2, -9999, **BIG)
    paths = [
        write(tmp_path / f"{number}.tif", how | {"transform": place, "crs": crs}, moved[None], None)
        for number, how in enumerate(ways)
    ]
    paths.append(plain(tmp_path / "plain.tif", values, valid))
    options = ["--zones", zones, "--ignore-datum"] if "Krasovsky" in name else ["--zones", zones]
    one, two, expected = (warped(path, tmp_path, "w", *options, "--cell-size", 20000) for path in paths)
    assert np.array_equal(one[0], two[0]) and np.array_equal(one[1], two[1])
    both = ~(one[1] | expected[1])
    assert both.sum() >= 0.98 * (~expected[1]).sum()
    # The borders of pixels moved by up to 250 m: of some 120 km of borders in a cell of 400 km2, mostly at random.
    assert np.abs(one[0] - expected[0])[both].max() < 0.05 * values.max()
    first, second, right = (totals(path, tmp_path, "z", *options) for path in paths)
    assert first == second and [row[0] for row in first] == [row[0] for row in right]
    for row, plain_row in zip(first[1:], right[1:]):
        for at in (1, 2, 4):  # total, mean and area; a column of pixels may be wider or narrower as one
            assert float(row[at]) == pytest.approx(float(plain_row[at]), rel=3e-3)


POLYGONS = {
    "codes as text": {"code": str},
    "codes as floats, byte order mark": {"code": float, "mark": "\ufeff"},
    "CGCS2000 by name, as QGIS writes": {"crs": "urn:ogc:def:crs:EPSG::4490"},
    "two parts each": {"halves": True, "crs": "urn:ogc:def:crs:OGC:1.3:CRS84"},
}


@pytest.mark.parametrize("name", POLYGONS)
def test_zones_as_polygons_give_what_zones_as_a_raster_give(tmp_path, zones, name):
    how = form("int16", "LZW", 2, -1, scale=(0.25, 0.0), **TILES, **BIG)
    bands, _, valid = stored(how)
    path = write(tmp_path / "a.tif", how, bands, valid)
    others = ["--zones", polygons(tmp_path / "zones.json", **POLYGONS[name]), "--zone-id", "adcode"]
    right = totals(path, tmp_path, "right", "--zones", zones)
    for rule in ("centre", "area"):
        found = totals(path, tmp_path, rule, *others, "--zone-rule", rule)
        assert [row[0] for row in found] == [row[0] for row in right]
        assert [row[3] for row in found] == [row[3] for row in right]
        # Borders of zones are borders of cells but for rounding of coordinates; vertices have sixteen digits.
        numbers = [np.array([row[1:] for row in table[1:]], float) for table in (found, right)]
        np.testing.assert_allclose(*numbers, rtol=1e-12)
    size = ["--cell-size", 25000]
    one, two = warped(path, tmp_path, "w", *others, *size), warped(path, tmp_path, "right", "--zones", zones, *size)
    assert np.array_equal(one[0][~one[1] & ~two[1]], two[0][~one[1] & ~two[1]])
    assert (one[1] == two[1]).mean() > 0.97  # a coast falls on the centre of half a cell, or beside it


def run(world, *settings):
    """Balance and emissions of a run of two steps, as text and as GDAL reads them."""
    settings = ('regression.model="svr"', "upscale.max_steps=2", *settings)
    words = [word for setting in settings for word in ("--set", setting)]
    assert main(["run", str(world / "run.toml"), "--quiet", "--output", str(world / "results"), *words]) == 0
    with rasterio.open(world / "results" / "emissions.tif") as file:
        return (world / "results" / "mass_balance.csv").read_text(), file.read(1, masked=True)


def rewritten(world, name, how, suffix=".tif"):
    """A raster of the world in another form; what stood there is gone."""
    with rasterio.open(world / f"{name}.tif") as file:
        values, place = file.read(1), file.transform
    (world / f"{name}.tif").unlink()
    if how.get("transform") == "south-up":
        rows = len(values)
        how = how | {"transform": Affine(place.a, 0, place.c, 0, -place.e, place.f + rows * place.e)}
        values = values[::-1]
    write(world / f"{name}{suffix}", {"transform": place} | how, values.astype(how["dtype"])[None], None)


def test_a_run_on_files_of_mixed_forms_is_the_run_on_the_plain_ones(world):
    expected = run(world)
    rewritten(world, "ntl_2010", form("float32", "LZW", 3, -9999, **TILES, **BIG))
    rewritten(world, "ntl_2005", form("float64", "ZSTD", 2, np.nan, bigtiff="YES"))
    rewritten(world, "population_2010", form("float32", "DEFLATE", 3, crs="EPSG:4490", transform="south-up"))
    rewritten(world, "population_2005", form("float32", "PACKBITS", sides=".tfw", profile="BASELINE"))
    rewritten(world, "zones", form("uint16", "LZW", 2, 0, **TILES, area_or_point="Point"))
    rewritten(world, "land_cover", form("uint8", driver="PNG", sides=".pgw"), ".png")
    balance, emissions = run(world, 'land_cover.raster="land_cover.png"')
    assert balance == expected[0] and len(balance.splitlines()) == 5
    assert emissions.tobytes() == expected[1].tobytes() and np.array_equal(emissions.mask, expected[1].mask)
    assert {path.name for path in world.glob("land_cover*")} >= {"land_cover.png", "land_cover.pgw", "land_cover.prj"}


def test_a_run_on_files_in_mixed_systems_and_polygons_keeps_the_mass_balance(world):
    expected = run(world)
    systems = ("UTM", "MODIS sinusoidal", "Albers of Asia", "Albers, Krasovsky")
    for name, system in zip(("ntl_2010", "ntl_2005", "population_2010", "population_2005"), systems):
        crs = rasterio.crs.CRS.from_user_input(SYSTEMS[system])
        with rasterio.open(world / f"{name}.tif") as file:
            moved, place = moved_to(crs, file.read(1), 1000)
        how = form("float32", "LZW", 3, -9999, **TILES, transform=place, crs=crs)
        write(world / f"{name}.tif", how, moved[None], None)
    polygons(world / "provinces.json", str, "urn:ogc:def:crs:EPSG::4490", halves=True)
    settings = 'zones.raster="provinces.json"', 'zones.id="adcode"', "grid.ignore_datum=true"
    balance, emissions = run(world, *settings)
    assert balance == expected[0]
    both = ~(np.ma.getmaskarray(emissions) | np.ma.getmaskarray(expected[1]))
    assert both.sum() == (~np.ma.getmaskarray(expected[1])).sum()
    # Pixels moved by up to 500 m, at random, in cells of 20 km; rasters that lie 3 km off give less.
    assert np.corrcoef(emissions.data[both], expected[1].data[both])[0, 1] > 0.995


@pytest.mark.parametrize("year", [2005, 2010])
@pytest.mark.parametrize("name", ["ntl", "population", "gdp"])
def test_the_samples_drivers_keep_their_totals_through_warp_and_zonal(tmp_path, name, year):
    path, zones = SAMPLE / f"{name}_{year}.tif", SAMPLE / "provinces_30arcsec.tif"
    with rasterio.open(path) as source, rasterio.open(zones) as codes:
        # A province's pixels are a little wider than a sixth of a cell: the one north-west of the centre holds it.
        values, code = source.read(1, masked=True), codes.read(1)[2::6, 2::6]
    extent = ["--extent", -3000000, 1600000, 2700000, 6000000]  # holds every valid cell whole
    found, _ = warped(path, tmp_path, "w", "--kind", "count", *extent, "--cell-size", 50000)
    assert math.fsum(found.flat) == pytest.approx(math.fsum(values.compressed().tolist()), rel=1e-9)
    table = totals(path, tmp_path, "z", "--zones", zones, "--kind", "count")
    assert [row[0] for row in table[1:]] == [str(one) for one in np.unique(code) if one not in (0, 71, 81, 82)]
    for row in table[1:]:
        inside = values[code == int(row[0])].compressed().tolist()
        assert int(row[3]) == len(inside) and float(row[1]) == pytest.approx(math.fsum(inside), rel=1e-14)


def test_the_samples_classes_are_the_same_on_their_own_grid(tmp_path):
    path, place = SAMPLE / "igbp_0.05deg.tif", ["--projection", "geographic", "--extent", 73, 18, 135.15, 54]
    with rasterio.open(path) as source:
        values = source.read(1)
    for many, method in itertools.product((1, 2), ("mode", "nearest")):
        found, masked = warped(path, tmp_path, "w", "--method", method, *place, "--cell-size", 0.05 / many)
        assert found.dtype == np.uint8 and not masked.any()
        assert np.array_equal(found, values.repeat(many, axis=0).repeat(many, axis=1))
