"""The learning rate on given error series (D12, D13) in exact fractions, and the initialisation's deviations (D11).

The test is whether 1.5 x slope falls below the slope's deviation; squared, no root is needed and every comparison is
exact.  A step of the test is a multiple of 60, and so is every change: the difference of two is 240, which is not more
than 256, or 300, which is.
"""

from __future__ import annotations

from fractions import Fraction

from tests.oracles import suite

FLAGS = {
    "rate-slope-without-sign": "The size of the slope is compared: a rising error counts as progress.",
    "rate-window": "The line goes through another number of points than the last 5.",
    "rate-deviation-of-residuals": "The residuals' deviation instead of the slope's own, or its variance.",
    "rate-degrees-of-freedom": "SSR is divided by n, n - 1 or n - 4 (NumPy before 1.16) instead of n - 2.",
    "rate-ratio": "The ratio of 1.5 is missing, on the wrong side, or another.",
    "rate-equality": "Equality (a flat error) counts as progress: the rate is never cut.",
    "rate-cadence": "The test comes every step, every 50, or every 256 steps, or 60 steps after the last change, "
    "instead of at multiples of 60.",
    "rate-patience": "256 steps are not waited for after the start or after a change, or 240 are enough.",
    "rate-too-few": "A line is laid through fewer than 5 errors.",
    "rate-late-error": "The error measured after the same step is not used yet.",
    "rate-end": "Training goes on at the final rate, or ends one reduction early; rounding of 1e-3/10/10/10 decides.",
    "rate-fixed": "The first or final rate that is asked for is ignored.",
    "rate-factor": "The rate is divided by 2 or 100, or restarts.",
    "init-fan-out": "The variance is that of the outputs (fan-out), of both (Glorot), or forgets the 9 taps.",
    "init-gain": "He's factor 2 is missing, or the published 0.1 is taken for a deviation.",
    "init-last-layer": "The last layer is not scaled by 0.03, or every layer is, or the published scheme's too.",
    "init-variance": "The variance takes the place of the deviation.",
}
EXACT = "Slope and deviation compared in exact fractions, squared."
RATE = "a rate divided by ten up to three times: 1 ulp each"


def reduces(points) -> bool:
    """Whether the rate falls: not -1.5 slope > sqrt(SSR / (n - 2) / Sxx), in fractions."""
    n, xs, ys = len(points), *zip(*points, strict=True)
    mean_x, mean_y = Fraction(sum(xs), n), Fraction(sum(ys), n)
    sxx = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sxx
    ssr = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points)
    fall, variance = Fraction(3, 2) * slope, ssr / (n - 2) / sxx
    share = fall**2 / variance if variance else Fraction(10**9)
    assert slope == ssr == 0 or abs(share - 1) > Fraction(1, 20), "a test too near to its limit"
    return not (slope < 0 and fall**2 > variance)


def schedule(errors, steps, first=Fraction(1, 1000), final=Fraction(1, 10**6)) -> dict:
    """The table of rates."""
    table, rate, last = {"step": [0], "rate": [float(first)]}, first, 0
    for step in range(60, steps + 1, 60):
        known = [(at, error) for at, error in errors if at <= step][-5:]
        if step - last <= 256 or len(known) < 5 or not reduces(known):
            continue
        rate, last = rate / 10, step
        ended = rate <= final
        assert not (ended and step == steps), "whether training ends before the last step is another question"
        table["step"].append(step)
        table["rate"].append(0.0 if ended else float(rate))
        if ended:
            break
    return table


def rates(name, title, series, steps, flags, first=None, final=None, begin=50) -> suite.Case:
    """A case of ``learning_rate``: an error every 50 steps from ``begin`` on."""
    at, numbers = [begin + 50 * i for i in range(len(series))], [float(error) for error in series]
    given = {"learning_rate": first, "final_rate": final}
    exact = {"first": Fraction(first or "0.001"), "final": Fraction(final or "0.000001")}
    table = schedule(list(zip(at, map(Fraction, numbers), strict=True)), steps, **exact)
    parameters = {"steps": steps} | {name: float(value) for name, value in given.items() if value}
    return suite.Case(
        f"rate-{name}", title, "zssr", "learning_rate", ["D12", "D13"], flags, "fractions", EXACT, parameters,
        {"errors.csv": {"step": at, "error": numbers}}, {"rates.csv": suite.Output(table, "rel", 1e-13, RATE)},
    )  # fmt: skip


def bent(bend, before=3.0) -> list[float]:
    """Six errors: the last 5 fall by 1/8 a point, with residuals of 2, -1, -2, -1, 2 times ``bend`` / 8."""
    return [before] + [2 + (-i + float(bend) * part) / 8 for i, part in enumerate((2, -1, -2, -1, 2))]


def initialisation(name, title, layers, channels, scheme, flags, asked=True) -> suite.Case:
    """A case of ``initialisation``."""
    variance = [Fraction(2, 9) if scheme == "he" else Fraction(1, 90)]
    variance += [variance[0] / channels] * (layers - 1)
    if scheme == "he":
        variance[-1] *= Fraction(3, 100) ** 2
    table = {"layer": list(range(1, layers + 1)), "deviation": [float(value) ** 0.5 for value in variance]}
    why = (
        f"for those who draw: the {9 * channels} weights of the first and last layer have a deviation that is good to "
        f"{100 / (18 * channels) ** 0.5:.1f} %; the nearest bug moves it by 29 %"
    )
    return suite.Case(
        f"init-{name}", title, "zssr", "initialisation", ["D10", "D11"], flags, "hand", "The formula.",
        {"layers": layers, "channels": channels} | ({"scheme": scheme} if asked else {}), {},
        {"deviations.csv": suite.Output(table, "rel", 0.15, why)},
    )  # fmt: skip


def single_tests() -> list[suite.Case]:
    """One test, after step 300, of the errors at 100 ... 300."""
    freedom, ratio = "rate-degrees-of-freedom", "rate-ratio"
    return [
        rates("falling", "A clear fall: the rate stays", [9, 8, 7.25, 6, 5, 4.25, 3.5], 350,
              ["rate-deviation-of-residuals", "rate-fixed"]),
        rates("rising", "A clear rise is no progress", [1, 2, 3, 4.25, 5, 6, 7], 350, ["rate-slope-without-sign"]),
        rates("flat", "All equal: slope and deviation are 0, and the rate falls", [0.25] * 7, 350, ["rate-equality"]),
        rates("noisy", "A fall within its noise", [4, 3, 5, 2, 4.5, 2.75], 350, [ratio, "rate-slope-without-sign"]),
        rates("bend-235", "Between the limits for n - 2 and n - 1", bent(2.35), 350, [freedom, ratio]),
        rates("bend-180", "Between the limits for a ratio of 1.5 and of 1", bent(1.8), 350, [ratio, freedom]),
        rates("sixth-from-last", "A high error before the last 5 would make it a fall", [9, *[2, 2.25, 2, 2.25, 2.125]],
              350,
              ["rate-window"]),
        rates("fifth-from-last", "Without the first of the last 5 it would not be a fall", [6, 8, 3, 3.25, 3, 3.25],
              350, ["rate-window"]),
        rates("error-of-the-same-step", "The error after step 300 counts in the test after step 300",
              [9, 8, 7, 6, 5, 12], 350,
              ["rate-late-error", "rate-window"]),
    ]  # fmt: skip


def long_series() -> list[suite.Case]:
    """Several tests."""
    flat = [0.5] * 30
    fall = [16 - i * i / 64 for i in range(18)]
    return [
        rates("until-the-end", "Flat: 1e-4 after 300, 1e-5 after 600, the end after 900", flat, 1300,
              ["rate-end", "rate-cadence", "rate-patience", "rate-factor"]),
        rates("before-the-first-test", "Flat, 299 steps: the test after 240 came too early", flat[:5], 299,
              ["rate-cadence"]),
        rates("second-test", "A fall until 300, then a jump: the test after 360 finds it",
              [9, 8, 7, 6, 5, 4, 9, 9, 9, 9],
              500,
              ["rate-cadence"]),
        rates("patience-after-a-change", "A change after 360: 240 are not more than 256, so the next test is after 660",
              [9, 8, 7, 6, 5, 4, *[9] * 9], 750,
              ["rate-patience", "rate-cadence"]),
        rates("falling-then-flat", "Progress for 900 steps, then none", [*fall, *[11.5] * 16], 1700,
              ["rate-window", "rate-cadence", "rate-factor"]),
        rates("loss-jumps", "An outlier cuts the rate once, progress goes on after it", [*fall[:4], 40, *fall[5:]], 850,
              ["rate-patience", "rate-slope-without-sign"]),
        rates("measured-from-150", "Errors from step 150 on: four are known after 300, five after 350", flat[:6], 420,
              ["rate-too-few"],
              begin=150),
        rates("other-rates", "From 0.01 to 1e-4: it ends at the second reduction", flat[:16], 800,
              ["rate-fixed", "rate-end"],
              "0.01", "0.0001"),
        rates("final-rate-between", "The next rate, 1e-5, would be below 2e-5: the end", flat[:16], 800,
              ["rate-end", "rate-fixed"],
              None, "0.00002"),
    ]  # fmt: skip


def initialisations() -> list[suite.Case]:
    """D10, D11."""
    every = ["init-fan-out", "init-gain", "init-variance"]
    return [
        initialisation("he-8-64", "8 layers of 64 channels, the default", 8, 64, "he", [*every, "init-last-layer"],
                       asked=False),
        initialisation("he-9-64", "9 layers: the option of D10", 9, 64, "he", [*every, "init-last-layer"]),
        initialisation("he-2-128", "Two layers: the first and the last", 2, 128, "he",
                       ["init-last-layer", "init-fan-out"]),
        initialisation("published-8-64", "The published N(0, 0.1/(9 C_in))", 8, 64, "published",
                       [*every, "init-last-layer"]),
    ]  # fmt: skip


def invalid() -> list[suite.Case]:
    """What is refused."""
    network, at = {"layers": 8, "channels": 64}, [50, 100, 150, 200, 250, 300]
    good = {"step": at, "error": [6.0, 5, 4, 3, 2, 1]}
    initial = [
        ("unknown-scheme", ["scheme"], "xavier is no scheme", network | {"scheme": "xavier"}),
        ("one-layer", ["layers"], "one layer is first and last at once", network | {"layers": 1}),
        ("no-channels", ["channels"], "layers of 0 channels", network | {"channels": 0}),
        ("half-a-channel", ["channels"], "63.5 channels", network | {"channels": 63.5}),
    ]
    rate = [
        ("final-above-first", ["final_rate", "learning_rate"], "the final rate is above the first",
         {"final_rate": 0.01}, {}),
        ("equal-rates", ["final_rate", "learning_rate"], "the final rate is the first",
         {"learning_rate": 1e-4, "final_rate": 1e-4}, {}),
        ("negative-rate", ["learning_rate", "final_rate"], "the first rate is below 0", {"learning_rate": -0.001}, {}),
        ("steps-out-of-order", ["step"], "step 200 comes before step 150", {}, {"step": [50, 100, 200, 150, 250, 300]}),
        ("step-twice", ["step"], "step 100 is there twice", {}, {"step": [50, 100, 100, 150, 200, 250]}),
        ("empty-error", ["error"], "an error is an empty cell", {}, {"error": [6.0, 5, float("nan"), 3, 2, 1]}),
        ("infinite-error", ["error"], "an error is infinite", {}, {"error": [6.0, 5, 4, float("inf"), 2, 1]}),
        ("no-errors", ["error"], "the column error is missing", {}, {"error": []}),
        ("negative-steps", ["steps"], "-300 steps", {"steps": -300}, {}),
    ]  # fmt: skip
    return [
        suite.refused(f"init-refuses-{name}", None, "zssr", "initialisation", ["D11"], fields, why, parameters=given)
        for name, fields, why, given in initial
    ] + [
        suite.refused(f"rate-refuses-{name}", None, "zssr", "learning_rate", ["D12", "D13"], fields, why,
                      {"errors.csv": suite.with_columns(good, changes)}, {"steps": 350} | given)
        for name, fields, why, given, changes in rate
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """All of them."""
    return single_tests() + long_series() + initialisations() + invalid()
