"""SVR-ZSSR from top to bottom (Fig. 9): statistics and drivers in, a corrected fine emission map out.

Read ``spatialize`` first.  Each line is one step of the paper, and each function that it calls holds the formula.

========  ==========================================  ==================================================
paper     function                                    from -> to
========  ==========================================  ==================================================
Eq. 1     ``inventory.emission``                      fuels -> province totals SC_n, 10^4 t CO2 a year
-         ``province_totals.zonal_sums``              densities, zones -> province totals of a driver (D03)
Table 1   ``selection.compare_models``, ``choose``    totals of two years -> the winning regression (D06, D07)
Fig. 1    ``coarse_map.predict_coarse``               regression, drivers -> coarse map CE (D05)
-         ``image_range.clip_negative``               CE without its negative values (D08)
-         ``image_range.measure_range``               CE -> an image in [0, 1] (D09)
Fig. 8    ``training_pairs.pyramid``                  the image in its scales (D14, D15)
Eq. 2     ``training.train``                          crops of the image -> the network (D10-D13, D16)
Fig. 8    ``super_resolution.apply_network``          network, image -> fine image, half the cell size (D17, D19)
-         ``super_resolution.weights_of``             fine image -> weights CW, at least 0 (D18)
Eq. 3     ``correction.allocate``                     CW, SC_n -> emission of each cell, totals exact (D20-D22)
========  ==========================================  ==================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from refimpl.errors import InputError
from refimpl.method.back_projection import children
from refimpl.method.checked_inputs import Year, check_emission, check_training, checked_world
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
from refimpl.method.training import Trained, dtype_of, generator_of, train
from refimpl.method.training_pairs import SCALES, Tape, crop_size, pyramid


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
    fit, test : the regressions learn from the year ``fit``, and it is mapped; the best one is chosen on ``test`` (D07).
    codes : (n,) the codes of the provinces that have statistics, whole numbers from 1 up, n at least 3.
    zones : (rows, cols) integer province codes, 0 outside.  Other provinces than ``codes`` are predicted, but they
        have no emission (D20).
    areas : (rows,) area of a cell of each row, km2.
    settings, seed : of the super-resolution.  A ``factor`` beyond 2 doubles gradually, with a network for each
        doubling (D17).
    models, model : settings by model; "auto" (D07), or the name of the model that is to be taken.
    scaling, upper_quantile : D05, as in ``predict_coarse``.
    fine_zones, fine_areas : (fine rows, fine cols) and (fine rows,), where they are known better than from the coarse
        cells.  By default a fine cell has its coarse cell's zone and an equal part of its area.
    network, tape : first weights and crops of the first training, to repeat another implementation's training.

    Raises
    ------
    InputError
        An argument of wrong shape, type or range; a driver that one year lacks; a province without a cell; no cell with
        all drivers; all statistics 0; a map without structure or admissible crop.

    Warns
    -----
    DataWarning
        A driver with negative cells.  With ``driver_totals`` or ``fine_zones``: a province without a fine cell, whose
        total is not mapped.  A province whose weights are all 0 (D21).  A solver that stopped early.

    Three provinces on a grid of 12 x 12 cells of 1 km2:

    >>> rng, rows = np.random.default_rng(1), np.arange(12)
    >>> zones = np.repeat(1 + rows // 4, 12).reshape(12, 12)
    >>> lights = rng.random((12, 12)) * zones
    >>> years = [Year({"coal": np.array([100.0, 210.0, 290.0]) * k}, {"lights": lights * k}) for k in (1.0, 0.9)]
    >>> settings = UpscaleSettings(layers=2, channels=8, max_steps=20)
    >>> made = spatialize(*years, [1, 2, 3], zones, np.ones(12), settings)
    >>> made.emission.shape, made.model, round(float(made.emission[:8].sum()), 6)  # 100 x 10^4 t of coal
    ((24, 24), 'linear', 190.029885)
    """
    validate(settings)
    choice("spatialize", "model", model, ("auto", *MODELS))
    check_training(models, seed, tape)
    factor = 2**settings.doublings
    world = checked_world(fit, test, codes, zones, areas, fine_zones, fine_areas, factor)
    fit, test, codes, zones, areas, fine_zones, fine_areas = world
    names = tuple(fit.drivers)

    fit_emission, test_emission = emission(fit.fuels), emission(test.fuels)  # Eq. 1
    check_emission(fit_emission)
    fit_totals, test_totals = (driver_totals(year, codes, zones, areas) for year in (fit, test))
    table = compare_models(fit_totals, fit_emission, test_totals, test_emission, models, feature_names=names)
    winner = choose(table) if model == "auto" else model

    inside = (fine_zones > 0).reshape(zones.shape[0], factor, zones.shape[1], factor).any(axis=(1, 3))
    coarse_valid = np.isfinite([fit.drivers[name] for name in names]).all(axis=0) & inside
    coarse = predict_coarse(table[winner].fitted, fit.drivers, coarse_valid, areas, scaling, upper_quantile)

    weights, valid, trained = coarse, coarse_valid, []
    for doubling in range(1, settings.doublings + 1):
        positive_map = clip_negative(weights)
        image_range = measure_range(positive_map, valid)
        image = image_range.to_image(positive_map, valid)
        size = crop_size(image.shape, settings.crop)
        levels = pyramid(image.astype(dtype_of(network)), valid, size, SCALES if settings.pyramid else SCALES[:1])
        trained.append(train(levels, size, settings, generator_of(seed, doubling), network, tape))
        fine = apply_network(trained[-1].network, image, valid, settings)
        valid = children(valid)
        weights = np.where(valid, weights_of(fine, image_range, settings), 0.0)
        # D09: the baseline is removed before the first doubling only.
        settings, network, tape = replace(settings, baseline="keep"), None, None

    cells, mapped = allocate(weights, valid, fine_zones, fine_areas, dict(zip(codes.tolist(), fit_emission.tolist())))
    return Spatialized(cells, mapped, table, winner, coarse, coarse_valid, weights, tuple(trained))


def driver_totals(year: Year, codes: np.ndarray, zones: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """D03: the total of each driver in each province, (n, d), provinces in the order of ``codes``.

    Raises
    ------
    InputError
        A province has no cell with a value.

    >>> year = Year({}, {"ntl": np.array([[1.0, np.nan, 4.0]])})
    >>> driver_totals(year, np.array([12, 11]), np.array([[11, 11, 12]]), np.array([0.5]))
    array([[2. ],
           [0.5]])
    """
    if year.driver_totals is not None:
        return np.stack(list(year.driver_totals.values()), axis=1)
    totals = np.empty((codes.size, len(year.drivers)))
    for column, (name, density) in enumerate(year.drivers.items()):
        valid = np.isfinite(density)
        found, sums, _, counts = zonal_sums(np.where(valid, density, 0.0), valid, zones, areas)
        known = dict(zip(found[counts > 0].tolist(), sums[counts > 0].tolist()))
        for row, code in enumerate(codes.tolist()):
            if code not in known:
                raise InputError(f"codes: province {code} has a statistic, but no cell with a value of {name!r}; leave "
                                 "it out, or give zones and drivers that have it")  # fmt: skip
            totals[row, column] = known[code]
    return totals
