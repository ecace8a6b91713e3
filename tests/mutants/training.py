"""Mutants of the network and its training: convolutions, loss, Adam, the learning-rate policy."""

from tests.mutants.mutant import Mutant


def _zssr(id, file, old, new):
    return Mutant(id, "zssr", f"zssr/{file}.py", old, new)


_PAD = "rows, cols, c_in = x.shape\n    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))\n    y ="
TRAINING = [
    _zssr("residual-dropped", "network", "return image + x[:, :, 0]", "return x[:, :, 0]"),
    _zssr("relu-on-the-last-layer", "network", "number < network.depth)", "number <= network.depth)"),
    _zssr("relu-missing-before-the-last", "network", "number < network.depth)", "number < network.depth - 1)"),
    _zssr("kernel-turned", "network", "@ weights[r, s]\n", "@ weights[2 - r, 2 - s]\n"),
    _zssr("kernel-transposed", "network", "@ weights[r, s]\n", "@ weights[s, r]\n"),
    _zssr("border-mirrored", "network", _PAD, _PAD.replace("(0, 0)))", '(0, 0)), mode="symmetric")')),
    _zssr("bias-missing", "network", "        y += bias\n", "        y += 0 * bias\n"),
    _zssr("leaky-relu", "network", "np.maximum(y, 0) if relu", "np.maximum(y, 0.01 * y) if relu"),
    _zssr("d15-loss-over-all-cells", "network", "    count = cells_of(mask, image, target)", "    count = mask.size"),
    _zssr("d15-mask-forgotten", "network", "dy = np.where(mask, np.sign(error)", "dy = np.where(True, np.sign(error)"),
    _zssr("l2-gradient", "network", "np.sign(error) / error.dtype.type(count)", "2 * error / error.dtype.type(count)"),
    _zssr("l2-loss", "network", "np.sum(np.abs(error), where=mask", "np.sum(error**2, where=mask"),
    _zssr("gradient-not-divided", "network", "np.sign(error) / error.dtype.type(count)", "np.sign(error)"),
    _zssr("gradient-through-relu", "network", "        dx[~(active > 0)] = 0\n", "        dx[~(active > 0)] *= 1\n"),
    _zssr(
        "gradient-kernel-not-turned",
        "network",
        "convolve.reference(dy, weights[::-1, ::-1].swapaxes(2, 3), None, False)",
        "convolve.reference(dy, weights.swapaxes(2, 3), None, False)",
    ),
    _zssr("d11-variance-1-over-n", "network", '{"he": 2.0, "published": 0.1}', '{"he": 1.0, "published": 0.1}'),
    _zssr("d11-last-layer-not-damped", "network", "LAST_LAYER_GAIN = 0.03", "LAST_LAYER_GAIN = 1.0"),
    _zssr(
        "d11-published-deviation",
        "network",
        "deviation = np.sqrt(numerator / (9 * layer.weights.shape[2]))",
        "deviation = np.sqrt(numerator / (9 * layer.weights.shape[2])) if scheme == 'he' else numerator / (9 * layer.weights.shape[2])",
    ),
    _zssr("d11-fan-out", "network", "(9 * layer.weights.shape[2])", "(9 * layer.weights.shape[3])"),
    _zssr(
        "adam-without-bias-correction",
        "adam",
        "(first_moment / (1 - beta1**step)) / (spread + epsilon)",
        "first_moment / (spread + epsilon)",
    ),
    _zssr(
        "adam-second-moment-not-corrected",
        "adam",
        "np.sqrt(second_moment / (1 - beta2**step))",
        "np.sqrt(second_moment)",
    ),
    _zssr(
        "adam-epsilon-inside-the-root",
        "adam",
        "spread = np.sqrt(second_moment / (1 - beta2**step))",
        "spread = np.sqrt(second_moment / (1 - beta2**step) + epsilon) - epsilon",
    ),
    _zssr(
        "adam-gradient-not-squared", "adam", "(1 - beta2) * gradients * gradients", "(1 - beta2) * np.abs(gradients)"
    ),
    _zssr(
        "adam-beta2-099", "adam", "BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8", "BETA1, BETA2, EPSILON = 0.9, 0.99, 1e-8"
    ),
    _zssr(
        "adam-epsilon-1e-4",
        "adam",
        "BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8",
        "BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-4",
    ),
    _zssr("adam-adds", "adam", "    parameters -= rate * (first", "    parameters += rate * (first"),
    _zssr("adam-step-always-1", "train", "*moments, draw.step, rate,", "*moments, 1, rate,"),
    _zssr("adam-step-from-0", "train", "*moments, draw.step, rate,", "*moments, draw.step + 1, rate,"),
    _zssr("rate-always-1e-3", "train", "rate, error = policy.rate, float", "rate, error = 1e-3, float"),
    _zssr("d12-mean-over-all-cells", "train", "count += np.count_nonzero(valid)", "count += valid.size"),
    _zssr("d12-window-6", "schedule", "window: int = 5", "window: int = 6"),
    _zssr(
        "d12-slope-without-sign",
        "schedule",
        "return not -ratio * slope > deviation",
        "return not ratio * abs(slope) > deviation",
    ),
    _zssr(
        "d12-slope-sign-turned",
        "schedule",
        "return not -ratio * slope > deviation",
        "return not ratio * slope > deviation",
    ),
    _zssr(
        "d12-flat-is-not-flat", "schedule", "return not -ratio * slope > deviation", "return -ratio * slope < deviation"
    ),
    _zssr("d12-ddof", "schedule", "/ (x.size - 2) / spread", "/ x.size / spread"),
    _zssr("d12-deviation-of-residuals", "schedule", "/ (x.size - 2) / spread", "/ (x.size - 2)"),
    _zssr("d12-ratio-1", "schedule", "ratio: float = 1.5\n", "ratio: float = 1.0\n"),
    _zssr("d12-patience-200", "schedule", "patience: int = 256", "patience: int = 200"),
    _zssr("d12-patience-300", "schedule", "patience: int = 256", "patience: int = 300"),
    _zssr("d12-test-every-50", "schedule", "test_every: int = 60", "test_every: int = 50"),
    _zssr("d12-halved", "schedule", "factor: float = 10.0", "factor: float = 2.0"),
    _zssr("d12-patience-from-the-start", "schedule", "step - self.last_change > self.patience", "step > self.patience"),
    _zssr(
        "d13-one-reduction-more",
        "schedule",
        "lower <= self.final_rate * (1 + 1e-9)",
        "lower < self.final_rate * (1 - 1e-9)",
    ),
    _zssr("d13-ends-by-rounding", "schedule", "lower <= self.final_rate * (1 + 1e-9)", "lower <= self.final_rate"),
    _zssr(
        "d12-first-five",
        "schedule",
        "self.steps[-self.window :], self.errors[-self.window :]",
        "self.steps[: self.window], self.errors[: self.window]",
    ),
]
