"""Mutants of the super-resolution without training: images, resizing, augmentation, back-projection, inference."""

from tests.mutants.mutant import Mutant


def _zssr(id, file, old, new):
    return Mutant(id, "zssr", f"zssr/{file}.py", old, new)


SUPER_RESOLUTION = [
    _zssr(
        "keys-a-minus-075",
        "resize",
        "near = (1.5 * d - 2.5) * d * d + 1\n    far = ((-0.5 * d + 2.5) * d - 4) * d + 2",
        "near = (1.25 * d - 2.25) * d * d + 1\n    far = ((-0.75 * d + 3.75) * d - 6) * d + 3",
    ),
    _zssr(
        "bilinear-for-bicubic",
        "resize",
        "return np.where(d < 1, near, np.where(d < 2, far, 0.0))",
        "return np.maximum(1 - d, 0.0)",
    ),
    _zssr("resize-without-antialiasing", "resize", "stretch = max(1.0, n_in / n_out)", "stretch = 1.0"),
    _zssr(
        "resize-half-pixel-shift",
        "resize",
        "(np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5",
        "np.arange(n_out) * (n_in / n_out)",
    ),
    _zssr(
        "resize-corners-aligned",
        "resize",
        "(np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5",
        "np.arange(n_out) * ((n_in - 1) / max(n_out - 1, 1))",
    ),
    _zssr("resize-edge-repeated", "resize", "folded = indices % (2 * n_in)", "folded = np.clip(indices, 0, n_in - 1)"),
    _zssr(
        "resize-mirror-about-the-cell",
        "resize",
        "indices = np.minimum(folded, 2 * n_in - 1 - folded)",
        "indices = np.clip(np.where(folded < n_in, folded, np.where(folded < 2 * n_in - 2, 2 * n_in - 2 - folded, 2 * n_in - folded)), 0, n_in - 1)",
    ),
    _zssr(
        "resize-weights-not-normalised", "resize", "weights /= weights.sum(axis=1, keepdims=True)", "weights /= stretch"
    ),
    _zssr(
        "resize-zero-fill",
        "resize",
        "np.where(enough, total / np.where(enough, share, 1), 0)",
        "np.where(enough, total, 0)",
    ),
    _zssr("resize-any-valid-is-enough", "resize", "HALF = 0.5 - 1e-6", "HALF = 1e-6"),
    _zssr("resize-all-valid-needed", "resize", "HALF = 0.5 - 1e-6", "HALF = 1 - 1e-6"),
    _zssr("mean-zero-fill", "resize", "return total / np.maximum(count, 1), count > 0", "return total / 4, count > 0"),
    _zssr(
        "mean-all-four-needed",
        "resize",
        "return total / np.maximum(count, 1), count > 0",
        "return np.where(count > 3, total / 4, 0), count > 3",
    ),
    _zssr(
        "mean-is-subsampling",
        "resize",
        "return (padded[::2, ::2] + padded[::2, 1::2]) + (padded[1::2, ::2] + padded[1::2, 1::2])",
        "return 4 * padded[::2, ::2]",
    ),
    _zssr("mean-is-a-sum", "resize", "return total / np.maximum(count, 1), count > 0", "return total, count > 0"),
    _zssr("turn-clockwise", "augment", "rotated = np.rot90(image, turn % 4)", "rotated = np.rot90(image, -(turn % 4))"),
    _zssr(
        "turn-mirror-up-down",
        "augment",
        "return rotated[:, ::-1] if turn >= 4 else rotated",
        "return rotated[::-1] if turn >= 4 else rotated",
    ),
    _zssr(
        "turn-mirror-first",
        "augment",
        "rotated = np.rot90(image, turn % 4)\n    return rotated[:, ::-1] if turn >= 4 else rotated",
        "return np.rot90(image[:, ::-1] if turn >= 4 else image, turn % 4)",
    ),
    _zssr(
        "ensemble-inverse-in-the-wrong-order",
        "augment",
        "np.rot90(image[:, ::-1] if turn >= 4 else image, -(turn % 4))",
        "np.rot90(image, -(turn % 4))[:, ::-1] if turn >= 4 else np.rot90(image, -(turn % 4))",
    ),
    _zssr("d15-odd-crops", "augment", "return min(wanted, *shape) // 2 * 2", "return min(wanted, *shape)"),
    _zssr(
        "d15-more-than-half",
        "augment",
        "2 * sums_of_windows(valid, size) >= size * size",
        "2 * sums_of_windows(valid, size) > size * size",
    ),
    _zssr(
        "d15-empty-crops",
        "augment",
        "return enough & (sums_of_windows(valid & (image != 0), size) > 0)",
        "return enough",
    ),
    _zssr(
        "d15-corners-off-by-one",
        "augment",
        "table[size:, size:] - table[:-size, size:] - table[size:, :-size] + table[:-size, :-size]",
        "np.roll(table[size:, size:] - table[:-size, size:] - table[size:, :-size] + table[:-size, :-size], 1, 1)",
    ),
    _zssr(
        "d14-sizes-cut-off",
        "augment",
        "int(round(scale * n)) for n in source.grid.shape",
        "int(scale * n) for n in source.grid.shape",
    ),
    _zssr(
        "d14-no-half-size", "augment", "SCALES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)", "SCALES = (1.0, 0.9, 0.8, 0.7, 0.6)"
    ),
    _zssr(
        "crop-off-by-one",
        "augment",
        "part((draw.row, draw.row + size, draw.column, draw.column + size))",
        "part((max(draw.row - 1, 0), max(draw.row - 1, 0) + size, draw.column, draw.column + size))",
    ),
    _zssr(
        "crop-row-and-column-swapped",
        "augment",
        "part((draw.row, draw.row + size, draw.column, draw.column + size))",
        "part((draw.column, draw.column + size, draw.row, draw.row + size))",
    ),
    _zssr(
        "d09-curve-before-the-mean",
        "augment",
        "son, inside = downsample(father, valid, downsampling)\n    return upsample_valid(compress(son, transform)",
        "son, inside = downsample(compress(father, transform), valid, downsampling)\n    return upsample_valid(compress(son, 'linear')",
    ),
    _zssr(
        "d09-target-without-curve",
        "augment",
        "target = compress(father, transform)",
        "target = compress(father, 'linear')",
    ),
    _zssr(
        "input-not-interpolated-back",
        "augment",
        "return upsample_valid(compress(son, transform).astype(father.dtype, copy=False), inside)",
        "return np.ascontiguousarray(compress(son, transform).astype(father.dtype, copy=False).repeat(2, 0).repeat(2, 1))",
    ),
    _zssr(
        "d08-negative-kept",
        "intensity",
        "values=np.where(negative, 0.0, raster.values)",
        "values=np.where(negative, raster.values, raster.values)",
    ),
    _zssr("d09-99-percent", "intensity", "QUANTILE = 0.9999", "QUANTILE = 0.99"),
    _zssr(
        "d09-scaled-by-maximum",
        "intensity",
        "found.quantile(found.minimum) or found.maximum - found.minimum or 1.0",
        "found.maximum - found.minimum or 1.0",
    ),
    _zssr("d09-clipped-above", "intensity", "image /= self.scale\n", "image = np.minimum(image / self.scale, 1.0)\n"),
    _zssr(
        "d09-minimum-not-removed",
        "intensity",
        "image = np.subtract(values, self.minimum, dtype=np.float64)",
        "image = np.subtract(values, 0.0, dtype=np.float64)",
    ),
    _zssr(
        "d09-nodata-in-the-minimum",
        "intensity",
        "inside = np.asarray(values, np.float64)[valid]",
        "inside = np.array(values, np.float64).ravel()",
    ),
    _zssr(
        "d09-nodata-in-the-measured-map",
        "intensity",
        "yield part.values[part.valid]",
        "yield part.values.ravel()",
    ),
    _zssr("d09-baseline-always-back", "intensity", '(self.minimum if baseline == "keep" else 0.0)', "self.minimum"),
    _zssr("d09-log-gain-10", "intensity", "LOG_GAIN = 100.0", "LOG_GAIN = 10.0"),
    _zssr(
        "d09-log-without-norm",
        "intensity",
        "np.log1p(LOG_GAIN * np.maximum(image, 0)) / np.log1p(LOG_GAIN)",
        "np.log1p(LOG_GAIN * np.maximum(image, 0))",
    ),
    _zssr("d09-sign-lost-in-square", "intensity", "return image * np.abs(image) if", "return image * image if"),
    _zssr(
        "d18-negative-output",
        "fine",
        "return np.maximum(self.image_range.to_map(fine, self.baseline), 0)",
        "return self.image_range.to_map(fine, self.baseline)",
    ),
    _zssr(
        "d18-clipped-at-1",
        "fine",
        "return np.maximum(self.image_range.to_map(fine, self.baseline), 0)",
        "return np.clip(self.image_range.to_map(fine, self.baseline), 0, self.image_range.scale)",
    ),
    _zssr("d17-mean-for-median", "ensemble", "return np.median(images, axis=0)", "return np.mean(images, axis=0)"),
    _zssr(
        "d17-lower-median",
        "ensemble",
        "return np.median(images, axis=0)",
        "return np.sort(images, axis=0)[(len(images) - 1) // 2]",
    ),
    _zssr("d17-no-ensemble", "settings", "self_ensemble: bool = _option(True", "self_ensemble: bool = _option(False"),
    _zssr("d17-five-iterations", "settings", "back_projection: int = _option(10", "back_projection: int = _option(5"),
    _zssr(
        "d17-not-inside-the-ensemble",
        "ensemble",
        "iterations = settings.back_projection if settings.self_ensemble else 0",
        "iterations = 0",
    ),
    _zssr(
        "d17-not-after-the-ensemble",
        "fine",
        "correct(fine, around.values, around.valid, self.settings.back_projection, self.settings.downsampling)",
        "correct(fine, around.values, around.valid, 0, self.settings.downsampling)",
    ),
    _zssr(
        "back-projection-sign",
        "back_projection",
        "return np.where(valid, coarse - total / 4, 0)",
        "return np.where(valid, total / 4 - coarse, 0)",
    ),
    _zssr(
        "back-projection-fills-nodata",
        "back_projection",
        "np.where(children(valid), fine + upsample(difference), 0)",
        "fine + upsample(difference)",
    ),
    _zssr(
        "back-projection-replicates",
        "back_projection",
        "fine + upsample(difference), 0)",
        "fine + children(difference), 0)",
    ),
    _zssr(
        "back-projection-half-step",
        "back_projection",
        "fine + upsample(difference), 0)",
        "fine + upsample(difference) / 2, 0)",
    ),
    _zssr(
        "back-projection-once-less", "back_projection", "for _ in range(iterations):", "for _ in range(iterations - 1):"
    ),
    _zssr(
        "d17-expand-forgotten",
        "ensemble",
        "linear = expand(raw.astype(np.float64), settings.transform)",
        "linear = raw.astype(np.float64)",
    ),
    _zssr(
        "network-fed-zero-fill",
        "ensemble",
        "upsample_valid(curved, cut.valid)",
        "upsample_valid(curved, np.ones_like(cut.valid))",
    ),
    _zssr(
        "tile-halo-too-small",
        "inference",
        "first, second = max(row - network.depth, 0), max(column - network.depth, 0)",
        "first, second = max(row - 1, 0), max(column - 1, 0)",
    ),
    _zssr(
        "window-row-and-column-swapped",
        "inference",
        "top, bottom, left, right = check_window(image, valid, window)",
        "left, right, top, bottom = check_window(image, valid, window)",
    ),
]
