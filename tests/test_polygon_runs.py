"""The whole road and its verbs with provinces as GeoJSON, beside the same provinces as a raster."""

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from refimpl.cli import main
from refimpl.errors import InputError
from refimpl.formats.geotiff import read_raster
from refimpl.run.config import read_config
from refimpl.run.pipeline import run

BOXES = {11: (110, 33.6, 112, 36), 12: (112, 33.6, 114, 36), 13: (110, 31.2, 112, 33.6), 14: (112, 31.2, 114, 33.6)}
BOXES[15] = (114, 31.2, 114.8, 36)
"""The toy world's zones, west, south, east, north."""


def outline(west, south, east, north):
    """A ring with a vertex every tenth of a degree, so that its edges follow the parallels on any map."""
    x, y = np.linspace(west, east, 41), np.linspace(south, north, 41)
    bottom, right = [[lon, south] for lon in x], [[east, lat] for lat in y]
    top, left = [[lon, north] for lon in x[::-1]], [[west, lat] for lat in y[::-1]]
    return bottom + right[1:] + top[1:] + left[1:]


@pytest.fixture
def provinces(world):
    """The path of the GeoJSON beside the world's run.toml."""
    features = [
        {
            "type": "Feature", "properties": {"name": f"province {code}", "adcode": str(code)},
            "geometry": {"type": "Polygon", "coordinates": [outline(*box)]},
        }
        for code, box in BOXES.items()
    ]  # fmt: skip
    path = world / "provinces.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def settings(rule):
    return ['zones.raster="provinces.geojson"', 'zones.id="adcode"', f'zones.rule="{rule}"']


@pytest.mark.parametrize("rule", ["centre", "area"])
def test_a_run_on_polygons_has_the_driver_totals_and_province_totals_of_the_raster(world, provinces, rule):
    plain = run(read_config(world / "run.toml"))
    found = run(read_config(world / "run.toml", settings(rule)))
    # The zones follow the drivers' cells, so that either rule gives whole cells; a share of 1 is one but for rounding.
    np.testing.assert_allclose(found.provinces.fit.totals, plain.provinces.fit.totals, rtol=1e-12)
    np.testing.assert_allclose(found.provinces.test.totals, plain.provinces.test.totals, rtol=1e-12)
    assert found.area.totals == plain.area.totals and found.coarse.raster.grid == plain.coarse.raster.grid
    assert found.allocation.balance.total.tolist() == plain.allocation.balance.total.tolist()
    same = found.area.zones.values == plain.area.zones.values
    # By area a coast may move by half a cell of 10 km, around an outline of some 1,900 km.
    assert same.mean() > (0.999 if rule == "centre" else 0.93)
    assert set(np.unique(found.area.zones.values)) == {0, 11, 12, 13, 14, 15}


def test_the_verbs_take_polygons(world, provinces, capsys, monkeypatch):
    monkeypatch.chdir(world)
    polygons = ["--zones", "provinces.geojson", "--zone-id", "adcode"]
    zonal = ["zonal", "ntl=ntl_2010.tif", "population=population_2010.tif", "--quiet", "--output"]
    assert main([*zonal, "raster.csv", "--zones", "zones.tif"]) == 0
    expected = table(world / "raster.csv")
    for rule in ("centre", "area"):
        assert main([*zonal, "polygons.csv", *polygons, "--zone-rule", rule]) == 0
        found = table(world / "polygons.csv")
        assert found["code"] == expected["code"] == ["11", "12", "13", "14", "15"]
        for name in ("ntl", "ntl_mean", "ntl_count", "population_area_km2"):
            np.testing.assert_allclose(np.array(found[name], float), np.array(expected[name], float), rtol=1e-9)
    warp = ["warp", "ntl_2010.tif", "--cell-size", "20000", "--quiet", "--output"]
    assert main([*warp, "a.tif", "--zones", "zones.tif"]) == main([*warp, "b.tif", *polygons]) == 0
    one, two = read_raster("a.tif"), read_raster("b.tif")
    assert one.grid == two.grid and (one.valid == two.valid).mean() > 0.99
    assert main(["inventory", "energy.csv", "--output", "inventory.csv", "--quiet"]) == 0
    allocate = ["allocate", "b.tif", *polygons, "--emissions", "inventory.csv", "--year", "2010", "--quiet"]
    assert main([*allocate, "--output", "emissions.tif", "--balance", "balance.csv"]) == 0
    assert table(world / "balance.csv")["code"] == ["11", "12", "13", "14"]
    evaluate = ["evaluate", "emissions.tif", *polygons, "--land-cover", "land_cover.tif", "--quiet"]
    assert main([*evaluate, "--output", "cover.csv"]) == 0
    assert {"11", "12", "13", "14"} <= set(table(world / "cover.csv")["code"])


def table(path):
    with open(path, newline="") as handle:
        rows = list(csv.DictReader(handle))
    return {name: [row[name] for row in rows] for name in rows[0]}


def test_a_wrong_column_or_rule_is_one_sentence_and_nothing_is_written(world, provinces, monkeypatch, capsys):
    monkeypatch.chdir(world)
    assert main(["zonal", "ntl=ntl_2010.tif", "--zones", "provinces.geojson", "--output", "no.csv"]) == 2
    said = capsys.readouterr().err
    assert "feature 1: has no column 'code', it has name, adcode; did you mean 'adcode'?" in said
    assert main(["zonal", "ntl=ntl_2010.tif", "--zones", "zones.tif", "--zone-rule", "area", "--output", "no.csv"]) == 2
    assert "belong to GeoJSON" in capsys.readouterr().err and not (world / "no.csv").exists()
    with pytest.raises(InputError, match=r"zones.rule = 'centrum'; did you mean 'centre'\?"):
        read_config(world / "run.toml", settings("centrum"))


def test_a_run_on_polygons_gives_the_same_bytes_for_any_number_of_threads(world, provinces):
    outputs = []
    for threads in ("1", "3"):
        folder = world / f"out{threads}"
        command = [sys.executable, "-m", "refimpl", "run", str(world / "run.toml"), "--output", str(folder)]
        command += [word for one in settings("area") for word in ("--set", one)]
        subprocess.run(command, check=True, env=os.environ | {"REFIMPL_THREADS": threads}, capture_output=True)
        outputs.append(json.loads((folder / "run.json").read_text())["outputs"])
    assert outputs[0] == outputs[1]
