"""Faults in a run.toml: each is one sentence that names the file, the key and the nearest right spelling."""

import pytest

from refimpl.errors import InputError
from refimpl.run.config import SECTIONS, documentation, read_config


def edited(world, old, new):
    text = (world / "run.toml").read_text()
    assert old in text
    (world / "run.toml").write_text(text.replace(old, new))
    return world / "run.toml"


def test_a_run_is_read_with_its_defaults(world):
    config = read_config(world / "run.toml")
    assert config.map_year == 2010 and config.drivers.names == ("ntl", "population")
    assert config.drivers.predict == config.drivers.by_year[2010]
    assert config.zones.minimum_share == 0.995 and config.regression.model == "auto"


@pytest.mark.parametrize(
    "old, new, says",
    [
        ("seed = 1", "sead = 1", "run.toml: sead: unknown key; did you mean 'seed'?"),
        ("[grid]", "[gird]", "run.toml: gird: unknown key; did you mean 'grid'?"),
        ("cell_size = 20000", "cellsize = 20000", "run.toml: grid.cellsize: unknown key; did you mean 'cell_size'?"),
        ("cell_size = 20000", 'cell_size = "20 km"', "grid.cell_size = '20 km'; expected a number"),
        ("cell_size = 20000", "cell_size = -1", "grid.cell_size = -1.0; expected a length above 0"),
        ("cell_size = 20000", 'projection = "albers"', "grid.cell_size: missing; expected a number"),
        ("cell_size = 20000", 'cell_size = 20000\nprojection = "alberts"', "did you mean 'albers'?"),
        ("cell_size = 20000", 'cell_size = 20000\nextent = "covers"', "did you mean 'cover'?"),
        ("cell_size = 20000", "cell_size = 20000\nextent = [1, 2, 3]", "expected 'cover' or a list of 4 x a number"),
        ("cell_size = 20000", "cell_size = 20000\nextent = [3, 2, 1, 4]", "xmin < xmax"),
        ('"zones.tif"', '"zone.tif"', "zone.tif: does not exist, expected the file that"),
        ('"zones.tif"', "11", "zones.raster = 11; expected a file name in quotes"),
        ("[drivers.2005]", "[drivers.2004]", "table [drivers.2005] is missing; statistics.test_year = 2005"),
        ("[drivers.2005]", "[drivers.y2005]", "drivers.y2005: unknown key; expected a year such as"),
        ('population = "population_2005.tif"', "", "driver 'population' stands in one of"),
        ("channels = 8", "channels = 0", "upscale.channels"),
        ("crop = 16", "crop = 15", "upscale.crop: 15 is odd"),
        ("max_steps = 6", "max_steps = true", "upscale.max_steps = true; expected a whole number"),
        ("max_steps = 6", "steps = 6", "upscale.steps: unknown key"),
        ("[upscale]", "[regression.svm]\nC = 1.0\n[upscale]", "did you mean 'svr'?"),
        ("[upscale]", "[regression.svr]\nc = 1.0\n[upscale]", "regression.svr.c: unknown key; did you mean 'C'?"),
        ("[upscale]", "[regression.svr]\nC = 0\n[upscale]", "[regression.svr]: SVR: C is 0"),
        ("[upscale]", '[regression]\nmodel = "forest"\n[upscale]', "regression.model = 'forest'"),
        ("[upscale]", "[allocate.totals]\nTibet = 3.0\n[upscale]", "allocate.totals.Tibet: is no province code"),
        (
            "[upscale]",
            '[drivers.kinds]\nntl = "counts"\n[upscale]',
            "drivers.kinds.ntl = 'counts'; did you mean 'count'?",
        ),
        ("seed = 1", "seed = -1", "seed = -1; expected a whole number, 0 or more"),
        ("[statistics]", "[statistics", "is not valid TOML"),
        ("[land_cover]", "land_cover = 3\n[other]", "unknown key"),
    ],
)
def test_a_fault_is_one_sentence_with_file_key_and_remedy(world, old, new, says):
    path = edited(world, old, new)
    with pytest.raises(InputError) as fault:
        read_config(path)
    message = str(fault.value)
    assert says in message and "\n" not in message and str(world) in message


def test_a_value_where_a_table_belongs_is_refused(world):
    path = edited(world, "seed = 1", "seed = 1\nevaluate = 3")
    with pytest.raises(InputError, match=r"evaluate = 3; expected a table, written as \[evaluate\]"):
        read_config(path)


def test_overrides_change_one_key_and_are_checked_like_the_file(world):
    config = read_config(world / "run.toml", ("upscale.max_steps=3", "regression.model=svr", "seed = 9"))
    assert (config.upscale.max_steps, config.regression.model, config.seed) == (3, "svr", 9)
    with pytest.raises(InputError, match="upscale.max_step: unknown key; did you mean 'max_steps'"):
        read_config(world / "run.toml", ("upscale.max_step=3",))
    with pytest.raises(InputError, match="--set nonsense: expected table.key=value"):
        read_config(world / "run.toml", ("nonsense",))


def test_every_key_is_documented():
    for key, default, doc in documentation():
        assert doc and default, key
    keys = {key.split(".")[0] for key, _, _ in documentation()}
    assert set(SECTIONS) <= keys
