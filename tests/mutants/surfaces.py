"""Mutants of what works on rasters: reading, geometry, warps, zones, the coarse map, Eq. 3, evaluation."""

from tests.mutants.mutant import Mutant


def _raster(id, file, old, new):
    return Mutant(id, "raster", f"raster/{file}.py", old, new)


def _zonal(id, old, new):
    return Mutant(id, "zonal", "raster/zonal.py", old, new)


def _sums(id, old, new):
    return Mutant(id, "zonal", "raster/zonal_sums.py", old, new)


def _coarse(id, old, new):
    return Mutant(id, "coarse", "coarse.py", old, new)


def _allocation(id, old, new):
    return Mutant(id, "allocation", "allocation.py", old, new)


def _shares(id, old, new):
    return Mutant(id, "allocation", "shares.py", old, new)


def _evaluation(id, file, old, new):
    return Mutant(id, "evaluation", f"evaluation/{file}.py", old, new)


SURFACES = [
    _raster(
        "d03-areas-of-a-sphere",
        "grid",
        "authalic_q(np.sin(np.radians(latitude)), self.crs.e2)",
        "authalic_q(np.sin(np.radians(latitude)), 0.0)",
    ),
    _raster(
        "d03-areas-at-the-equator",
        "grid",
        "return (self.crs.a / 1e3) ** 2 / 2 * np.radians(dx) * (q[:-1] - q[1:])",
        "return np.full(rows, dx * -dy * 111.32**2)",
    ),
    _raster(
        "d04-meridian-110",
        "projection",
        "parallels=(25.0, 47.0), central_meridian=105.0",
        "parallels=(25.0, 47.0), central_meridian=110.0",
    ),
    _raster(
        "d04-parallels-of-the-usa",
        "projection",
        "parallels=(25.0, 47.0), central_meridian=105.0",
        "parallels=(29.5, 45.5), central_meridian=105.0",
    ),
    _raster(
        "albers-on-a-sphere",
        "projection",
        "np.maximum(c - n * authalic_q(sine, crs.e2), 0)",
        "np.maximum(c - n * authalic_q(sine, 0.0), 0)",
    ),
    _raster("albers-without-cone", "projection", "x = rho * np.sin(n * delta)", "x = rho * n * delta"),
    _raster("albers-y-down", "projection", "y = rho0 - rho * np.cos(n * delta)", "y = rho * np.cos(n * delta) - rho0"),
    _raster("false-easting-lost", "projection", "return x + crs.false_easting, y + crs.false_northing", "return x, y"),
    _raster(
        "sinusoidal-sphere-only",
        "projection",
        "x = crs.a * np.cos(lat) / np.sqrt(1 - crs.e2 * sine**2) * delta",
        "x = crs.a * np.cos(lat) * delta",
    ),
    _raster(
        "nodata-as-zero",
        "geotiff",
        "valid &= values != nodata",
        "values[values == nodata] = 0",
    ),
    _raster("nodata-as-value", "geotiff", "valid &= values != nodata", "pass"),
    _raster(
        "infinity-as-value",
        "geotiff",
        'valid = np.isfinite(values) if values.dtype.kind == "f"',
        'valid = ~np.isnan(values) if values.dtype.kind == "f"',
    ),
    _raster(
        "south-up-not-flipped",
        "geotiff",
        "np.ascontiguousarray(values[::-1]), np.ascontiguousarray(valid[::-1])",
        "values, valid",
    ),
    _raster("scale-ignored", "geotiff", "values.astype(float) * self._scale", "values.astype(float)"),
    _raster(
        "offset-before-scale",
        "geotiff",
        "values.astype(float) * self._scale + self._offset",
        "(values.astype(float) + self._offset) * self._scale",
    ),
    _raster("pixel-is-point-ignored", "tags", "x0, y0 = x0 - dx / 2, y0 - dy / 2", "pass"),
    _raster("first-band-always", "pixels_of_tiff", "sample = 0 if layout.separate else band - 1", "sample = 0"),
    _raster(
        "d19-half-pixel-shift",
        "grid",
        "Grid(self.crs, (x0, y0, dx / factor",
        "Grid(self.crs, (x0 - dx / 4, y0 - dy / 4, dx / factor",
    ),
    _raster("d19-cells-not-divided", "grid", "(x0, y0, dx / factor, dy / factor)", "(x0, y0, dx, dy)"),
    _raster(
        "warp-pixels-weigh-alike", "warped", "else source.grid.cell_areas()", "else np.ones(source.grid.shape[0])"
    ),
    _raster(
        "warp-nearest-for-a-density",
        "warped",
        "under = self._centres(piece) if",
        'self.method = self.method.replace("mean", "nearest")\n        under = self._centres(piece) if',
    ),
    _raster("warp-sum-for-mean", "warped", 'if self.method == "mean":', "if False:"),
    _raster("warp-mean-for-sum", "warped", 'if self.method == "mean":', "if True:"),
    _raster(
        "warp-nodata-bleeds-in",
        "warped",
        "np.divide(weighted, weight, out=values)",
        "np.divide(weighted * covered, weight, out=values)",
    ),
    _raster("warp-any-overlap-needed-whole", "warped", "np.greater(weight, 0, out=valid)", "np.greater(covered, 0.5, out=valid)"),
    _raster(
        "nearest-rounded",
        "warped",
        "row, col = np.where(inside, v, 0).astype(np.intp), np.where(inside, u, 0).astype(np.intp)",
        "row, col = np.where(inside, v - 0.5, 0).astype(np.intp), np.where(inside, u - 0.5, 0).astype(np.intp)",
    ),
    Mutant(
        "d03-without-cell-area",
        "zonal",
        "raster/zonal_blocks.py",
        "areas, window = grid.cell_areas(),",
        "areas, window = np.ones(grid.shape[0]),",
    ),
    _zonal(
        "zonal-mean-for-total",
        "return ZonalStatistics(codes, total, mean, count, area)",
        "return ZonalStatistics(codes, mean, mean, count, area)",
    ),
    _zonal("zonal-mean-of-cells", "mean = np.divide(total, area,", "mean = np.divide(total, count,"),
    _sums(
        "zonal-float32-sums",
        "exact_pair(values[cells].astype(float) * every[cells])",
        "exact_pair([np.sum((values[cells] * every[cells]).astype(np.float32))])",
    ),
    _sums("zonal-nodata-as-zero", "inside = [valid & (zones == code)", "inside = [(zones == code)"),
    _sums("zonal-outside-is-a-zone", "codes = np.unique(zones[zones != 0])", "codes = np.unique(zones)"),
    _zonal("ranking-by-signed-r", "-abs(pair[1]) if", "-pair[1] if"),
    _coarse("d05-cells-by-their-maximum", "UPPER_QUANTILE = 0.999", "UPPER_QUANTILE = 1.0"),
    _coarse("d05-cells-by-the-totals-bounds", 'if scaler is None and scaling == "shared":', "if scaler is None:"),
    _coarse(
        "d05-cells-not-held-at-1",
        "MinMaxScaler(upper_quantile=upper_quantile, clip=True)",
        "MinMaxScaler(upper_quantile=upper_quantile)",
    ),
    _coarse("d05-shared-without-area", "cells *= areas[rows]", "cells *= 0 * areas[rows] + 1"),
    _coarse(
        "d08-clipped-too-early",
        "= self.fitted.predict_scaled(self.scaler.transform(cells))",
        "= np.maximum(self.fitted.predict_scaled(self.scaler.transform(cells)), 0)",
    ),
    _coarse("coarse-any-driver-is-enough", "parts, np.logical_and.reduce(", "parts, np.logical_or.reduce("),
    _shares(
        "eq3-national-total",
        "total / float(exact(digits) * Fraction(scale))",
        "totals.sum() / float(exact(weighed.sums.sum(axis=0)) * Fraction(scale))",
    ),
    _shares(
        "eq3-without-area",
        "cells = (weights[rows, columns].astype(float) + added[k]) * areas[rows]",
        "cells = weights[rows, columns].astype(float) + added[k]",
    ),
    _shares("d22-residual-dropped", "if largest < 0 or float(whole) == total:", "if True:"),
    _shares("d22-one-cell-alone", "TOP = 4\n", "TOP = 1\n"),
    _shares("d22-residual-to-the-first", 'np.argsort(-cells, kind="stable")[:TOP]', "np.arange(cells.size)[:TOP]"),
    _shares("d22-residual-to-the-smallest", 'np.argsort(-cells, kind="stable")', 'np.argsort(cells, kind="stable")'),
    _shares(
        "eq3-sum-by-float32", "total / float(exact(digits) * ", "total / float(np.float32(exact(digits))) / float("
    ),
    _shares(
        "d20-zero-instead-of-nodata", "return emission, mapped, sums", "return emission, valid & (zones > 0), sums"
    ),
    _allocation("d21-the-same-for-each-cell", "np.ones(np.count_nonzero(zero))", "np.zeros(np.count_nonzero(zero))"),
    _shares(
        "d21-uneven",
        "cells = (weights[inside].astype(float) + added[k]) *",
        "cells = (weights[inside].astype(float) + added[k] * np.arange(np.count_nonzero(inside))) *",
    ),
    _shares(
        "eq3-equal-shares",
        "emission[inside], mapped[inside] = cells * scales[k] * factors[k], True",
        "emission[inside], mapped[inside] = cells.mean() * scales[k] * factors[k], True",
    ),
    _allocation("density-in-1e4-t", "part.values * 1e4 /", "part.values /"),
    _allocation("density-per-cell", "/ self.areas[window[0] : window[1], np.newaxis]\n", "/ 1.0\n"),
    _shares("eq3-negative-weights-accepted", "wrong = valid & ~((weights >= 0) & ", "wrong = valid & ~("),
    _evaluation(
        "d23-class-11-as-grassland",
        "land_cover",
        '"grasslands": (8, 9, 10),\n    "water": (0, 11, 15, 17)',
        '"grasslands": (8, 9, 10, 11),\n    "water": (0, 15, 17)',
    ),
    _evaluation(
        "d23-mosaic-as-grassland",
        "land_cover",
        '"grasslands": (8, 9, 10),\n    "water": (0, 11, 15, 17),\n    "croplands": (12, 14)',
        '"grasslands": (8, 9, 10, 14),\n    "water": (0, 11, 15, 17),\n    "croplands": (12,)',
    ),
    _evaluation(
        "d23-savanna-as-forest",
        "land_cover",
        '"forest": (1, 2, 3, 4, 5),\n    "shrubland": (6, 7),\n    "grasslands": (8, 9, 10)',
        '"forest": (1, 2, 3, 4, 5, 8),\n    "shrubland": (6, 7),\n    "grasslands": (9, 10)',
    ),
    _evaluation(
        "land-cover-of-all-cells",
        "land_cover",
        "classified = sums[:, :-1].sum(axis=1, keepdims=True)",
        "classified = sums.sum(axis=1, keepdims=True)",
    ),
    _evaluation(
        "land-cover-counts-cells",
        "land_cover",
        "exact_pair(emission[inside][(province == row) & (classes == column)])",
        "exact_pair([np.sum((province == row) & (classes == column))])",
    ),
    _evaluation("odiac-carbon", "inventories", "carbon * CARBON_TO_CO2 / source", "carbon / source"),
    _evaluation("odiac-per-cell", "inventories", "CARBON_TO_CO2 / source.cell_areas()[:, np.newaxis]", "CARBON_TO_CO2"),
    _evaluation(
        "odiac-mean-of-months",
        "inventories",
        "density = carbon * CARBON_TO_CO2",
        "density = carbon / 12 * CARBON_TO_CO2",
    ),
    _evaluation("odiac-all-months-needed", "inventories", "valid | month.valid", "valid & month.valid"),
    _evaluation(
        "odiac-last-month", "inventories", "carbon, valid = carbon + month.values,", "carbon, valid = month.values,"
    ),
    _evaluation("ffdas-kg-per-km2", "inventories", "* 1000.0 * CARBON_TO_CO2", "* CARBON_TO_CO2"),
    _evaluation("ffdas-carbon", "inventories", "* 1000.0 * CARBON_TO_CO2", "* 1000.0"),
    _evaluation(
        "accuracy-swapped",
        "accuracy",
        "Moments(*group_moments(observed, estimated, valid, zones))",
        "Moments(*group_moments(estimated, observed, valid, zones))",
    ),
    _evaluation("accuracy-counts-outside", "moments", "inside & (groups > 0)", "inside & (groups >= 0)"),
    Mutant(
        "run-emission-of-the-test-year",
        "pipeline",
        "area.py",
        'inventory.of_year(config.map_year, "statistics.map_year")',
        'inventory.of_year(config.statistics.test_year, "statistics.map_year")',
    ),
    Mutant(
        "run-drivers-as-nearest",
        "pipeline",
        "area.py",
        'Warped(source, grid, "mean")',
        'Warped(source, grid, "nearest")',
    ),
    Mutant(
        "run-cells-by-their-centre",
        "pipeline",
        "raster/clipped.py",
        "reshape(rows, 2, cols, 2) > 0).any(axis=(1, 3))",
        "reshape(rows, 2, cols, 2) > 0).all(axis=(1, 3))",
    ),
    Mutant(
        "run-zones-shifted",
        "pipeline",
        "compared.py",
        "codes = zones_in(self.zones, self.grid, window).values",
        'codes = __import__("numpy").roll(zones_in(self.zones, self.grid, window).values, 1, 1)',
    ),
    Mutant(
        "run-means-for-totals",
        "pipeline",
        "provinces.py",
        "dict(zip(table.codes.tolist(), table.total.tolist()))",
        "dict(zip(table.codes.tolist(), table.mean.tolist()))",
    ),
]
