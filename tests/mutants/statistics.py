"""Mutants of everything that works on tables: Eq. 1, metrics, the regressions, Table 1."""

from tests.mutants.mutant import Mutant


def _inventory(id, old, new):
    return Mutant(id, "inventory", "inventory.py", old, new)


def _metrics(id, old, new, stage="evaluation"):
    return Mutant(id, stage, "metrics.py", old, new)


def _regression(id, file, old, new):
    return Mutant(id, "regression", f"regression/{file}.py", old, new)


STATISTICS = [
    _inventory("eq1-lc-in-mj", "* CARBON_TO_CO2 * 1e-6", "* CARBON_TO_CO2 * 1e-3"),
    _inventory("eq1-12-over-44", "CARBON_TO_CO2 = 44.0 / 12.0", "CARBON_TO_CO2 = 12.0 / 44.0"),
    _inventory("eq1-exact-molar-masses", "CARBON_TO_CO2 = 44.0 / 12.0", "CARBON_TO_CO2 = 44.0095 / 12.011"),
    _inventory("eq1-no-oxidation", "self.carbon_content * self.oxidation_factor", "self.carbon_content"),
    _inventory("eq1-gas-unit", "unit_in_1e4_t=10.0", "unit_in_1e4_t=1.0"),
    _inventory("eq1-last-fuel-alone", "total = total + amount *", "total = amount *"),
    _inventory("table3-standard-coal", 'Fuel("coal", 20908,', 'Fuel("coal", 29271,'),
    _inventory("table3-crude-oil-as-fuel-oil", 'Fuel("crude_oil", 41816, 20.1,', 'Fuel("crude_oil", 41816, 21.1,'),
    _inventory("table3-coke-oxidised-as-oil", "29.5, 0.93)", "29.5, 0.98)"),
    _metrics(
        "eq4-squared-correlation",
        "float(1 - np.sum((observed - estimated) ** 2) / spread)",
        "float(np.corrcoef(observed, estimated)[0, 1] ** 2)",
    ),
    _metrics(
        "eq4-spread-of-estimates",
        "spread = np.sum(_deviations(observed) ** 2)",
        "spread = np.sum(_deviations(estimated) ** 2)",
    ),
    _metrics("eq4-without-mean", "_deviations(observed) ** 2", "observed ** 2"),
    _metrics("eq5-median", "np.mean(np.abs(observed - estimated))", "np.median(np.abs(observed - estimated))"),
    _metrics("eq5-signed", "np.mean(np.abs(observed - estimated))", "abs(np.mean(observed - estimated))"),
    _metrics(
        "eq6-mean-square",
        "np.sqrt(np.mean((observed - estimated) ** 2))",
        "np.mean((observed - estimated) ** 2)",
    ),
    _metrics(
        "eq6-n-minus-1",
        "np.sqrt(np.mean((observed - estimated) ** 2))",
        "np.sqrt(np.sum((observed - estimated) ** 2) / max(observed.size - 1, 1))",
    ),
    _metrics("pearson-not-centred", "x, y = _deviations(x), _deviations(y)", "x, y = x - 0.0, y - 0.0", "zonal"),
    _regression(
        "d05-maximum-for-quantile", "scaling", "found.quantile() if self.upper_quantile < 1 else found.maximum",
        "found.maximum",
    ),  # fmt: skip
    _regression(
        "d05-not-clipped", "scaling", "np.clip(scaled, 0.0, 1.0, out=scaled) if self.clip else scaled", "scaled"
    ),
    _regression("d05-divided-by-maximum", "scaling", "scaled = (X - self.data_min_) /", "scaled = X /"),
    _regression(
        "d06-ddof-1",
        "scaling",
        "np.sqrt(np.mean(deviations**2, axis=0))",
        "np.sqrt(np.sum(deviations**2, axis=0) / max(len(y) - 1, 1))",
    ),
    _regression("d06-gamma-1-over-d", "svr", 'if self.gamma == "auto":', "if isinstance(self.gamma, str):"),
    _regression(
        "d06-variance-ddof-1",
        "svr",
        "(deviations * deviations).sum() / X.size)",
        "(deviations * deviations).sum() / (X.size - 1))",
    ),
    _regression("d06-default-c-10", "svr", 'kernel="rbf", C=1.0, epsilon=0.1', 'kernel="rbf", C=10.0, epsilon=0.1'),
    _regression("d06-default-epsilon", "svr", 'kernel="rbf", C=1.0, epsilon=0.1', 'kernel="rbf", C=1.0, epsilon=0.01'),
    _regression("svr-missing-bias", "svr", "values += self.intercept_[0]", "values += 0.0"),
    _regression(
        "svr-c-unscaled",
        "selection",
        "MinMaxScaler().fit(drivers), StandardScaler().fit(emission)",
        "MinMaxScaler().fit(drivers), StandardScaler().fit([-1.0, 1.0])",
    ),
    _regression(
        "drivers-by-their-maximum",
        "selection",
        "MinMaxScaler().fit(drivers), StandardScaler().fit(emission)",
        "MinMaxScaler().fit(np.vstack([0 * drivers, drivers])), StandardScaler().fit(emission)",
    ),
    _regression(
        "svr-epsilon-ignored",
        "smo",
        "np.concatenate([residual - epsilon, residual + epsilon])",
        "np.concatenate([residual, residual])",
    ),
    _regression(
        "rbf-distance-not-squared", "kernel_functions", "exponent *= -gamma", "exponent = -gamma * np.sqrt(exponent)"
    ),
    _regression("rbf-two-sigma-squared", "kernel_functions", "exponent *= -gamma", "exponent *= -gamma / 2"),
    _regression(
        "poly-without-coef0",
        "kernel_functions",
        "(gamma * linear_kernel(X, Z) + coef0) ** degree",
        "(gamma * linear_kernel(X, Z)) ** degree",
    ),
    _regression(
        "poly-gamma-outside",
        "kernel_functions",
        "(gamma * linear_kernel(X, Z) + coef0) ** degree",
        "gamma * (linear_kernel(X, Z) + coef0) ** degree",
    ),
    _regression(
        "prediction-standardised",
        "fitted",
        "self.target_scaler.inverse_transform(self.model.predict(Z))",
        "self.model.predict(Z)",
    ),
    _regression(
        "elastic-net-without-n",
        "elastic_net",
        "y.size * alpha * l1_ratio, y.size * alpha * (1 - l1_ratio)",
        "alpha * l1_ratio, alpha * (1 - l1_ratio)",
    ),
    _regression(
        "elastic-net-ratio-swapped",
        "elastic_net",
        "y.size * alpha * l1_ratio, y.size * alpha * (1 - l1_ratio)",
        "y.size * alpha * (1 - l1_ratio), y.size * alpha * l1_ratio",
    ),
    _regression("elastic-net-l2-doubled", "elastic_net", "/ (squared_norms[j] + l2)", "/ (squared_norms[j] + 2 * l2)"),
    _regression("elastic-net-default-alpha-1", "elastic_net", "alpha=0.1, l1_ratio=0.5", "alpha=1.0, l1_ratio=0.5"),
    _regression(
        "bayes-gamma-is-d",
        "bayesian",
        "determined = np.sum(alpha * eigen / (lambda_ + alpha * eigen))",
        "determined = float(eigen.size)",
    ),
    _regression(
        "bayes-lambda-not-relative",
        "bayesian",
        "coef = Vt.T @ (projected / (eigen + lambda_ / alpha))\n        if",
        "coef = Vt.T @ (projected / (eigen + lambda_))\n        if",
    ),
    _regression(
        "bayes-n-for-alpha",
        "bayesian",
        "float((y.size - determined + 2 * self.alpha_1)",
        "float((y.size + 2 * self.alpha_1)",
    ),
    _regression(
        "loo-sees-the-province",
        "selection",
        "fit_model(name, drivers[others], emission[others], settings)",
        "fit_model(name, drivers, emission, settings)",
    ),
    _regression("d07-ties-by-higher-rmse", "selection", "r2[row], -rmse[row])", "r2[row], rmse[row])"),
    _regression("d07-lowest-r2", "selection", "max(range(len(r2)), key=rank)", "min(range(len(r2)), key=rank)"),
    _regression(
        "linear-without-intercept", "linear", "weighted_sum(X, weights) + intercept", "weighted_sum(X, weights)"
    ),
]
