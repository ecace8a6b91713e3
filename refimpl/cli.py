"""The command line: one verb for the whole method and one for each of its stages.

Verbs parse, read files, call one function and write files; there is no science here.  A fault of the
input is one sentence on standard error and exit status 2; an internal bug is a traceback and status 1.
Modules are imported inside the verbs, so that ``--help`` stays fast.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

from refimpl import __version__
from refimpl.errors import DataWarning, InputError, did_you_mean
from refimpl.progress import set_quiet

SAMPLE = Path("golden") / "china-10km" / "run.toml"


class Parser(argparse.ArgumentParser):
    """Argparse whose faults are our one sentence and status 2, with the nearest right verb or option."""

    def error(self, message: str):
        raise InputError(f"{message}; see {self.prog} --help")


def positive(text: str) -> float:
    """A finite number above 0, for argparse."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a length above 0")
    return value


def named_rasters(words: list[str]) -> dict[str, Path]:
    """``ntl=a.tif population=b.tif`` as a dict."""
    pairs = {}
    for word in words:
        name, equals, file = word.partition("=")
        if not equals or not name or not file:
            raise InputError(f"{word!r}: expected NAME=FILE, such as ntl=ntl_2010.tif")
        if name in pairs:
            raise InputError(f"driver {name!r} is given twice; name each driver once")
        pairs[name] = Path(file)
    return pairs


def sample_case() -> Path:
    """The run.toml of the sample: beside the package in a source checkout, else below the current folder."""
    for root in (Path(__file__).resolve().parent.parent, Path.cwd()):
        if (root / SAMPLE).is_file():
            return root / SAMPLE
    raise InputError(f"{SAMPLE}: not found; run in a checkout of the source, or name a run.toml: refimpl run PATH/run.toml")


def verb_run(args) -> None:
    """The whole method."""
    from refimpl.config import read_config
    from refimpl.pipeline import run
    from refimpl.report import check_folder, summary, write_results

    config = read_config(args.config or sample_case(), tuple(args.set))
    folder = Path(args.output or config.output)
    check_folder(folder)
    results = run(config)
    write_results(results, folder)
    print(summary(results, folder))


def verb_inventory(args) -> None:
    """Eq. 1."""
    from refimpl.inventory import FUELS, read_inventory
    from refimpl.report import inventory_columns
    from refimpl.tables import format_table, write_table

    if args.energy is None:
        fuels = FUELS.values()
        columns = {"fuel": [f.name for f in fuels], "LC": [f.calorific_value for f in fuels]}
        columns |= {"CC": [f"{f.carbon_content:g}" for f in fuels], "COF": [f"{f.oxidation_factor:g}" for f in fuels]}
        columns["EC"] = [f"{f.emission_coefficient:.4f}" for f in fuels]
        print("Table 3: EC in kg CO2/kg (natural gas: kg CO2/m3)\n" + format_table(columns))
        return
    write_table(args.output, inventory_columns(read_inventory(args.energy)))


def verb_warp(args) -> None:
    """One raster to a working grid."""
    from refimpl.raster.geotiff import read_raster, write_raster
    from refimpl.raster.grid import Grid
    from refimpl.raster.projection import named_crs
    from refimpl.raster.warp import warp_mean, warp_nearest, warp_sum
    from refimpl.raster.zones import clip_to_zones, cover

    raster = read_raster(args.raster)
    zones = read_raster(args.zones) if args.zones else None
    crs = named_crs(args.projection)
    if args.extent:
        xmin, ymin, xmax, ymax = args.extent
        cols, rows = ((xmax - xmin) / args.cell_size, (ymax - ymin) / args.cell_size)
        if min(cols, rows) < 1 or abs(cols - round(cols)) > 1e-6 or abs(rows - round(rows)) > 1e-6:
            raise InputError(f"--extent: is {cols:g} x {rows:g} cells of {args.cell_size:g}; expected whole cells, xmin ymin xmax ymax")
        grid = Grid(crs, (xmin, ymax, args.cell_size, -args.cell_size), (round(rows), round(cols)))
    elif zones is not None:
        grid = cover(zones, crs, args.cell_size)
    else:
        raise InputError("refimpl warp: neither --extent nor --zones is given; expected one of them to say which area to cover")
    warped = {"density": warp_mean, "count": warp_sum, "class": warp_nearest}[args.kind](raster, grid)
    if zones is not None:
        warped = clip_to_zones(warped, warp_nearest(zones, grid))
    write_raster(args.output, warped, nodata=255 if warped.values.dtype == "uint8" else None)


def verb_zonal(args) -> None:
    """Province totals, means and counts of drivers, and their rank."""
    from refimpl.raster.geotiff import read_raster
    from refimpl.raster.warp import warp_nearest
    from refimpl.raster.zonal import rank_drivers, zonal_statistics
    from refimpl.report import ranking_columns
    from refimpl.tables import format_table, write_table

    zones = read_raster(args.zones)
    columns: dict = {}
    for name, path in named_rasters(args.drivers).items():
        raster = read_raster(path)
        table = zonal_statistics(raster, warp_nearest(zones, raster.grid))
        if columns and columns["code"].tolist() != table.codes.tolist():
            raise InputError(f"{path}: covers other provinces than the first driver; give rasters of one area")
        columns |= {"code": table.codes, name: table.total, f"{name}_mean": table.mean, f"{name}_count": table.count}
        columns["area_km2"] = table.area_km2
    if args.emissions:
        emission = emissions_of(args.emissions, args.year)
        rows = [i for i, code in enumerate(columns["code"].tolist()) if code in emission]
        observed = [emission[int(columns["code"][i])] for i in rows]
        ranking = rank_drivers({name: columns[name][rows] for name in named_rasters(args.drivers)}, observed)
        print(format_table(ranking_columns(ranking)))
    write_table(args.output, columns)


def emissions_of(path: Path, year: int | None) -> dict[int, float]:
    """Emission by province code of one year, from the file that ``refimpl inventory`` writes."""
    from refimpl.tables import read_table

    table = read_table(path, ("code", "year", "emission_1e4t"), "emissions, as 'refimpl inventory' writes them")
    codes, years, emission = table.integers("code"), table.integers("year"), table.numbers("emission_1e4t", minimum=0.0)
    wanted = int(years.max()) if year is None else year
    rows = years == wanted
    if not rows.any():
        raise InputError(f"{path}: has no year {wanted}; it has {', '.join(map(str, sorted(set(years.tolist()))))}")
    return dict(zip(codes[rows].tolist(), emission[rows].tolist()))


def drivers_and_emission(zonal: Path, emissions: Path, year: int | None, names: list[str] | None):
    """Arrays for the regression: (names, drivers (n, d), emission (n,)), provinces that both files have."""
    import numpy as np

    from refimpl.tables import read_table

    table = read_table(zonal, ("code",), "province totals, as 'refimpl zonal' writes them")
    others = [c for c in table.columns if c not in ("code", "area_km2") and not c.endswith(("_mean", "_count"))]
    names = names or others
    emission = emissions_of(emissions, year)
    codes = table.integers("code").tolist()
    rows = [i for i, code in enumerate(codes) if code in emission]
    if len(rows) < 3:
        raise InputError(f"{zonal}: has {len(rows)} provinces that {emissions} has too; a regression needs 3 or more")
    columns = [table.numbers(name)[rows] for name in names]
    return names, np.stack(columns, axis=1), np.array([emission[codes[i]] for i in rows])


def verb_fit(args) -> None:
    """Table 1, and the chosen model as JSON."""
    from refimpl.config import read_model_settings
    from refimpl.regression.selection import MODELS, choose, compare_models, format_table
    from refimpl.tables import columns_of, write_table

    if args.model not in ("auto", *MODELS):
        raise InputError(f"--model {args.model}{did_you_mean(args.model, ('auto', *MODELS))}")
    settings = read_model_settings(args.settings, tuple(args.set))
    names, drivers, emission = drivers_and_emission(args.drivers, args.emissions, args.year, None)
    _, test_drivers, test_emission = drivers_and_emission(args.test_drivers, args.emissions, args.test_year, names)
    details = {"feature_names": names, "metadata": {"fit_year": args.year, "test_year": args.test_year}}
    table = compare_models(drivers, emission, test_drivers, test_emission, settings, **details)
    print(format_table(table))
    table[choose(table) if args.model == "auto" else args.model].fitted.save(args.output)
    if args.table:
        write_table(args.table, columns_of(table.rows()))


def verb_predict(args) -> None:
    """The coarse map CE."""
    from refimpl.coarse import predict_coarse
    from refimpl.raster.geotiff import read_raster, write_raster
    from refimpl.regression.fitted import FittedRegression

    model = FittedRegression.load(args.model)
    drivers = {name: read_raster(path) for name, path in named_rasters(args.drivers).items()}
    unknown = sorted(set(drivers) - set(model.feature_names))
    if unknown:
        raise InputError(f"driver {unknown[0]!r} is not one the model was fitted on{did_you_mean(unknown[0], model.feature_names)}")
    coarse = predict_coarse(model, drivers, args.scaling)
    write_raster(args.output, coarse.raster, description="coarse map CE")
    if coarse.negative:
        print(f"{coarse.negative} cells are negative; the super-resolution clips them to 0 (D08)")


def verb_upscale(args) -> None:
    """The fine map CW."""
    import numpy as np

    from refimpl.config import read_upscale_settings
    from refimpl.progress import stage
    from refimpl.raster.geotiff import read_raster, write_raster
    from refimpl.zssr.tape import Tape
    from refimpl.zssr.upscale import super_resolve

    settings = read_upscale_settings(args.settings, tuple(args.set))
    coarse = read_raster(args.coarse)
    tape = Tape.load(args.replay) if args.replay else None
    rng = np.random.Generator(np.random.PCG64(args.seed))
    with stage("upscale") as progress:
        fine = super_resolve(coarse, settings, rng, progress, tape)
    write_raster(args.output, fine.weights, description="fine map CW, the weights of Eq. 3")
    if args.curve:
        fine.history.save(args.curve)
    if args.tape:
        fine.tape.save(args.tape)
    if fine.clipped:
        print(f"{fine.clipped} negative cells of the coarse map were clipped to 0 (D08)")


def verb_allocate(args) -> None:
    """Eq. 3."""
    from refimpl.allocation import allocate, per_km2
    from refimpl.raster.geotiff import read_raster, write_raster
    from refimpl.raster.warp import warp_nearest
    from refimpl.report import balance_columns
    from refimpl.tables import format_table, write_table

    weights = read_raster(args.weights)
    zones = warp_nearest(read_raster(args.zones), weights.grid)
    result = allocate(weights, zones.values, emissions_of(args.emissions, args.year))
    columns = balance_columns(result.balance, {})
    columns.pop("province")
    write_raster(args.output, result.emission, description="CO2 emission per cell")
    if args.per_km2:
        write_raster(args.per_km2, per_km2(result.emission), description="CO2 emission density")
    if args.balance:
        write_table(args.balance, columns)
    print(format_table(columns))


def verb_evaluate(args) -> None:
    """Land-cover shares of a map, and its errors against another."""
    import numpy as np

    from refimpl.evaluation.comparison import judge
    from refimpl.evaluation.land_cover import LAND_COVERS
    from refimpl.raster.geotiff import read_raster
    from refimpl.raster.grid import Raster
    from refimpl.raster.warp import warp_nearest, warp_sum
    from refimpl.report import accuracy_columns, land_cover_columns
    from refimpl.tables import format_table, write_table

    if not args.land_cover and not args.reference:
        raise InputError("refimpl evaluate: neither --land-cover nor --reference is given; expected at least one to judge the map by")
    emission = read_raster(args.emission)
    zones = warp_nearest(read_raster(args.zones), emission.grid)
    emission = Raster.masked(np.asarray(emission.values, float), emission.valid, emission.grid, emission.units)
    land_cover = warp_nearest(read_raster(args.land_cover), emission.grid) if args.land_cover else None
    reference = warp_sum(read_raster(args.reference), emission.grid) if args.reference else None
    judged = judge(args.emission.name, emission, zones.values, {}, land_cover, reference)
    if land_cover is not None:
        columns = land_cover_columns(judged, {})
        columns.pop("province")
        write_table(args.output, columns)
        print("mean share of emission: " + ", ".join(f"{name} {judged.land_cover.mean(name):.3f}" for name in LAND_COVERS))
    if reference is not None:
        columns = accuracy_columns([judged], {})
        columns.pop("province")
        if args.accuracy:
            write_table(args.accuracy, columns)
        print(format_table(columns))


def verb_explain(args) -> None:
    """Decisions and configuration keys."""
    if args.topic == "decisions":
        from refimpl.decisions import DECISIONS

        for one in DECISIONS:
            option = f"; option {one.option}" if one.option else ""
            print(f"{one.id}  {one.question}: {one.decision} [{one.acts_in}{option}]")
        return
    from refimpl.config import documentation

    for key, default, doc in documentation():
        print(f"{key} = {default}\n    {doc}")


def parser() -> argparse.ArgumentParser:
    """All verbs and their options."""
    top = Parser(prog="refimpl", description="SVR-ZSSR: provincial CO2 statistics to a fine emission map, totals exact.")
    top.add_argument("--version", action="version", version=f"refimpl {__version__}")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)

    def add(name: str, function, help: str) -> argparse.ArgumentParser:
        verb = verbs.add_parser(name, help=help, description=help)
        verb.set_defaults(function=function)
        verb.add_argument("--quiet", action="store_true", help="no progress lines")
        return verb

    def settable(verb) -> None:
        verb.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="override one setting; may be repeated")

    run = add("run", verb_run, "the whole method; without a file, the sample case (China, 10 km to 5 km)")
    run.add_argument("config", nargs="?", type=Path, help="a run.toml (see: refimpl explain config)")
    run.add_argument("--output", type=Path, help="folder for the results")
    settable(run)

    inventory = add("inventory", verb_inventory, "Eq. 1: fuel consumption to emission; without a file, prints Table 3")
    inventory.add_argument("energy", nargs="?", type=Path, help="CSV: code, province, year and a column for each fuel (10^4 t; gas 10^8 m3)")
    inventory.add_argument("--output", type=Path, default=Path("inventory.csv"))

    warp = add("warp", verb_warp, "bring a raster to a working grid, clipped to the zones if they are given")
    warp.add_argument("raster", type=Path)
    warp.add_argument("--kind", choices=("density", "count", "class"), default="density", help="averaged, summed, or nearest")
    warp.add_argument("--projection", choices=("albers", "geographic", "sinusoidal"), default="albers")
    warp.add_argument("--cell-size", type=positive, required=True, help="metres, or degrees")
    warp.add_argument("--extent", type=float, nargs=4, metavar=("XMIN", "YMIN", "XMAX", "YMAX"), help="by default: cover the zones")
    warp.add_argument("--zones", type=Path)
    warp.add_argument("--output", type=Path, required=True)

    zonal = add("zonal", verb_zonal, "province totals, means and counts of drivers; with --emissions, drivers ranked by Pearson r")
    zonal.add_argument("drivers", nargs="+", metavar="NAME=FILE")
    zonal.add_argument("--zones", type=Path, required=True)
    zonal.add_argument("--emissions", type=Path, help="what 'refimpl inventory' wrote")
    zonal.add_argument("--year", type=int, help="of the emissions; by default their last")
    zonal.add_argument("--output", type=Path, default=Path("zonal.csv"))

    fit = add("fit", verb_fit, "Table 1: fit the four models on one year, test them on another, save the best (D07)")
    fit.add_argument("--drivers", type=Path, required=True, help="what 'refimpl zonal' wrote for the year of the fit")
    fit.add_argument("--test-drivers", type=Path, required=True)
    fit.add_argument("--emissions", type=Path, required=True)
    fit.add_argument("--year", type=int, required=True)
    fit.add_argument("--test-year", type=int, required=True)
    fit.add_argument("--model", default="auto", help="auto, svr, bayesian, linear or elastic_net")
    fit.add_argument("--settings", type=Path, help="a run.toml whose [regression] table is used")
    fit.add_argument("--output", type=Path, default=Path("model.json"))
    fit.add_argument("--table", type=Path, help="Table 1 as CSV")
    settable(fit)

    predict = add("predict", verb_predict, "the coarse map CE: the model on every cell")
    predict.add_argument("drivers", nargs="+", metavar="NAME=FILE", help="rasters on one grid")
    predict.add_argument("--model", type=Path, required=True)
    predict.add_argument("--scaling", choices=("separate", "shared"), default="separate", help="D05")
    predict.add_argument("--output", type=Path, default=Path("coarse.tif"))

    upscale = add("upscale", verb_upscale, "ZSSR: a map at twice its resolution, by a network trained on it alone")
    upscale.add_argument("coarse", type=Path)
    upscale.add_argument("--settings", type=Path, help="a run.toml whose [upscale] table is used")
    upscale.add_argument("--seed", type=int, default=0)
    upscale.add_argument("--output", type=Path, default=Path("weights.tif"))
    upscale.add_argument("--curve", type=Path, help="loss and learning rate of each step as CSV")
    upscale.add_argument("--tape", type=Path, help="every random draw as CSV")
    upscale.add_argument("--replay", type=Path, help="a tape to follow instead of drawing")
    settable(upscale)

    allocate = add("allocate", verb_allocate, "Eq. 3: province totals onto the cells of a map, exactly")
    allocate.add_argument("weights", type=Path)
    allocate.add_argument("--zones", type=Path, required=True)
    allocate.add_argument("--emissions", type=Path, required=True)
    allocate.add_argument("--year", type=int, help="of the emissions; by default their last")
    allocate.add_argument("--output", type=Path, default=Path("emissions.tif"))
    allocate.add_argument("--per-km2", type=Path, help="the density map, t CO2/km2/year")
    allocate.add_argument("--balance", type=Path, help="the mass balance as CSV")

    evaluate = add("evaluate", verb_evaluate, "judge a map: shares of the seven land covers, errors against another map")
    evaluate.add_argument("emission", type=Path, help="10^4 t per cell")
    evaluate.add_argument("--zones", type=Path, required=True)
    evaluate.add_argument("--land-cover", type=Path, help="IGBP classes (MCD12)")
    evaluate.add_argument("--reference", type=Path, help="another emission map, 10^4 t per cell")
    evaluate.add_argument("--output", type=Path, default=Path("land_cover.csv"))
    evaluate.add_argument("--accuracy", type=Path, help="R2, MAE and RMSE by province as CSV")

    explain = add("explain", verb_explain, "list the decisions where the paper is silent, or every key of a run.toml")
    explain.add_argument("topic", choices=("decisions", "config"))
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; returns the exit status, 0 or 2."""
    try:
        args = parser().parse_args(arguments)
        set_quiet(args.quiet)
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, category, *_: print(f"warning: {message}", file=sys.stderr)
            warnings.simplefilter("always", DataWarning)
            args.function(args)
    except InputError as fault:
        print(f"refimpl: {fault}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    return 0
