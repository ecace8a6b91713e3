"""SVR-ZSSR from top to bottom (Fig. 9): statistics and drivers in, a corrected fine emission map out.

Read ``spatialize`` first.  Each line is one step of the paper, and each function that it calls holds the formula.

========  ==========================================  ==================================================
paper     function                                    from -> to
========  ==========================================  ==================================================
Eq. 1     ``inventory.emission``                      fuels -> province totals SC_n, 10^4 t CO2 a year
-         ``province_totals.zonal_sums``              densities, zones -> province totals of a driver (D03)
Table 1   ``selection.compare_models``, ``choose``    totals of two years -> the winning regression (D07)
Fig. 1    ``coarse_map.predict_coarse``               regression, drivers -> coarse map CE (D05)
-         ``image_range.measure_range``               CE -> an image in [0, 1] (D08, D09)
Fig. 8    ``training_pairs.pyramid``                  the image in its scales (D14, D15)
Eq. 2     ``training.train``                          crops of the image -> the network (D10-D13)
Fig. 8    ``super_resolution.apply_network``          network, image -> weights CW at half the cell size (D16-D19)
Eq. 3     ``correction.allocate``                     CW, SC_n -> emission of each cell, totals exact (D20-D22)
========  ==========================================  ==================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from refimpl.errors import InputError
from refimpl.method.back_projection import children
from refimpl.method.coarse_map import UPPER_QUANTILE, predict_coarse
from refimpl.method.correction import allocate
from refimpl.method.hyperparameters import choice
from refimpl.method.image_range import clip_negative, measure_range
from refimpl.method.inventory import emission
from refimpl.method.network import Network
from refimpl.method.province_totals import zonal_sums
from refimpl.method.selection import MODELS, SelectionTable, Settings, choose, compare_models
from refimpl.method.settings import UpscaleSettings, validate
from refimpl.method.super_resolution import apply_network, weights_of
from refimpl.method.training import Trained, train
from refimpl.method.training_pairs import SCALES, Tape, crop_size, pyramid


@dataclass(frozen=True)
class Year:
    """What is known of one year.

    ``fuels``: consumption by fuel of Table 3, each (n,) float64, 10^4 t (natural gas: 10^8 m3), in the order of the
    province codes.  ``drivers``: densities per km2 by name, each (rows, cols); a cell without a value holds NaN.
    ``totals``: their province totals, each (n,), where they are known better than from these cells (from the drivers'
    own, finer grids, say).
    """

    fuels: Mapping[str, np.ndarray]
    drivers: Mapping[str, np.ndarray]
    totals: Mapping[str, np.ndarray] | None = None


@dataclass(frozen=True)
class Spatialized:
    """What ``spatialize`` made.

    ``emission`` (fine rows, fine cols) float64, 10^4 t CO2 per cell a year, and ``mapped``, bool: where it is defined;
    ``table``: Table 1, and the name of the ``model`` that won; ``coarse`` and ``coarse_valid`` (rows, cols): CE;
    ``weights``: CW, of the shape of ``emission``; ``trained``: the network of each doubling, with its history and tape.
    """

    emission: np.ndarray
    mapped: np.ndarray
    table: SelectionTable
    model: str
    coarse: np.ndarray
    coarse_valid: np.ndarray
    weights: np.ndarray
    trained: tuple[Trained, ...]


def spatialize(
    fit: Year, test: Year, codes: Sequence[int], zones: np.ndarray, areas: np.ndarray,
    settings: UpscaleSettings = UpscaleSettings(), seed: int = 0, *,
    models: Settings | None = None, model: str = "auto",
    scaling: str = "separate", upper_quantile: float = UPPER_QUANTILE,
    fine_zones: np.ndarray | None = None, fine_areas: np.ndarray | None = None,
    network: Network | None = None, tape: Tape | None = None,
) -> Spatialized:  # fmt: skip
    """SVR-ZSSR, the whole method (Fig. 9): emission of every fine cell in the year of ``fit``.

    Parameters
    ----------
    fit, test : the year that the regressions learn from and that is mapped, and the year that chooses among them.
    codes : (n,) the codes of the provinces that have statistics, from 1 up.
    zones : (rows, cols) integer province codes, 0 outside.
    areas : (rows,) float64, area of a cell of each row, km2.
    settings, seed : of the super-resolution.
    models, model : settings by model; "auto" (D07) or the name of the model that is to be taken.
    scaling, upper_quantile : D05, as in ``predict_coarse``.
    fine_zones, fine_areas : province codes and areas of the fine cells, where they are known better than from the
        coarse ones (by default a fine cell has its coarse cell's zone and an equal part of its area).
    network, tape : first weights and crops of the (first) training, to repeat another implementation's.

    Raises
    ------
    InputError
        A setting out of range, a driver that one year lacks, no cell with all drivers, a province without a cell, a map
        without structure or admissible crop, negative amounts.

    Three provinces on a grid of 12 x 12 cells of 1 km2:

    >>> rng, rows = np.random.default_rng(1), np.arange(12)
    >>> zones = np.broadcast_to(1 + rows // 4, (12, 12))
    >>> lights = rng.random((12, 12)) * zones
    >>> years = [Year({"coal": np.array([100.0, 210.0, 290.0]) * k}, {"lights": lights * k}) for k in (1.0, 0.9)]
    >>> settings = UpscaleSettings(layers=2, channels=8, max_steps=20)
    >>> made = spatialize(*years, [1, 2, 3], zones, np.ones(12), settings)
    >>> made.emission.shape, round(float(made.emission.sum()), 3)  # 600 x 10^4 t of coal
    ((24, 24), 1140.179)
    """
    validate(settings)
    choice("spatialize", "model", model, ("auto", *MODELS))
    names, totals, sums = tuple(fit.drivers), [], []
    for year in (fit, test):
        totals.append(np.broadcast_to(emission(year.fuels), len(codes)))  # Eq. 1
        sums.append(np.stack([province_totals(year, name, codes, zones, areas) for name in names], axis=1))
    table = compare_models(sums[0], totals[0], sums[1], totals[1], models, feature_names=names)
    winner = choose(table) if model == "auto" else model

    factor = 2**settings.doublings
    fine_zones = np.kron(zones, np.ones((factor, factor), zones.dtype)) if fine_zones is None else fine_zones
    fine_areas = np.repeat(areas / factor**2, factor) if fine_areas is None else fine_areas
    inside = (fine_zones > 0).reshape(zones.shape[0], factor, zones.shape[1], factor).any(axis=(1, 3))
    valid = np.isfinite([fit.drivers[name] for name in names]).all(axis=0) & inside
    coarse = predict_coarse(table[winner].fitted, fit.drivers, valid, areas, scaling, upper_quantile)

    weights, known, networks = coarse, valid, []
    for doubling in range(1, settings.doublings + 1):
        positive = clip_negative(weights)  # D08
        image_range = measure_range(positive, valid)
        image = image_range.to_image(positive, valid)
        size, dtype = crop_size(image.shape, settings.crop), np.float32 if network is None else network.parameters.dtype
        levels = pyramid(image.astype(dtype), valid, size, SCALES if settings.pyramid else SCALES[:1])
        rng = np.random.Generator(np.random.PCG64(seed if doubling == 1 else (seed, doubling)))
        networks.append(train(levels, size, settings, rng, network, tape))
        fine = apply_network(networks[-1].network, image, valid, settings)
        valid = children(valid)
        weights = np.where(valid, weights_of(fine, image_range, settings), 0.0)
        settings, network, tape = replace(settings, baseline="keep"), None, None  # only once (D09)

    mapped_totals = dict(zip(map(int, codes), totals[0].tolist()))
    cells, mapped = allocate(weights, valid, fine_zones, fine_areas, mapped_totals)  # Eq. 3
    return Spatialized(cells, mapped, table, winner, coarse, known, weights, tuple(networks))


def province_totals(year: Year, name: str, codes: Sequence[int], zones: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """D03: the total of one driver in each province, (n,), in the order of ``codes``.

    Raises
    ------
    InputError
        The year lacks the driver, or a province has no cell with a value.

    >>> year = Year({}, {"ntl": np.array([[1.0, np.nan, 4.0]])})
    >>> province_totals(year, "ntl", [12, 11], np.array([[11, 11, 12]]), np.array([0.5]))
    array([2. , 0.5])
    """
    if name not in (year.totals or year.drivers):
        raise InputError(f"driver {name!r} is missing in one of the two years; give both years the same drivers")
    if year.totals:
        return np.asarray(year.totals[name], float)
    density = np.asarray(year.drivers[name], float)
    valid = np.isfinite(density)
    found, totals, _, counts = zonal_sums(np.where(valid, density, 0.0), valid, zones, areas)
    total = dict(zip(found[counts > 0].tolist(), totals[counts > 0].tolist()))
    for code in codes:
        if code not in total:
            raise InputError(f"province {code}: has a statistic, but no cell with a value of {name!r}; leave it out of "
                             "the codes and the fuels, or give zones and drivers that have it")  # fmt: skip
    return np.array([total[code] for code in codes], float)
