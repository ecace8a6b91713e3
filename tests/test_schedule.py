"""The learning-rate test (D12) and the end of training (D13)."""

import numpy as np
import pytest

from refimpl.method.schedule import LearningRatePolicy, has_flattened, slope_and_deviation


def run(error_at, steps, **settings):
    """The steps after which the rate changed, and the policy."""
    policy, changes = LearningRatePolicy(**settings), []
    for step in range(1, steps + 1):
        if policy.measures(step):
            policy.record(step, error_at(step))
        before = policy.rate
        policy.advance(step)
        if policy.rate != before or policy.finished:
            changes.append(step)
        if policy.finished:
            break
    return changes, policy


def test_slope_and_its_deviation_by_hand():
    # y - line = -0.1, 0.3, -0.3, 0.1: SSR = 0.2; Sxx = 5; sqrt(0.2 / 2 / 5).
    slope, deviation = slope_and_deviation([0, 1, 2, 3], [0, 1, 1, 2])
    assert abs(slope - 0.6) < 1e-15 and abs(deviation - 0.02**0.5) < 1e-15


BUMP = np.array([2.0, -1.0, -2.0, -1.0, 2.0])
"""Neither a constant nor a slope: around any line SSR = 14, so with Sxx = 10 the deviation is sqrt(14 / 3 / 10)."""


@pytest.mark.parametrize("unit", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize("factor, expected", [(1.001, False), (0.999, True)])
def test_the_rate_falls_where_one_and_a_half_slopes_are_below_the_deviation_in_any_unit(unit, factor, expected):
    fall = factor * np.sqrt(14 / 3 / 10) / 1.5
    steps = unit * np.arange(5)
    assert has_flattened(steps, 7 + BUMP - fall * np.arange(5)) is expected
    assert has_flattened(steps, 1e-4 * (7 + BUMP - fall * np.arange(5))) is expected


def test_a_rising_error_lowers_the_rate_whether_noisy_or_not():
    steps = np.arange(5)
    assert has_flattened(steps, 1.0 + steps) and has_flattened(steps, 1 + 10 * steps + 0.01 * BUMP)


def test_a_constant_error_lowers_the_rate_and_a_steady_fall_does_not():
    for constant in (0.0, 0.1, 1 / 3, 1e-7):
        assert has_flattened([50, 100, 150, 200, 250], [constant] * 5)
    assert not has_flattened([50, 100, 150, 200, 250], [5, 4, 3, 2, 1])


def test_an_error_that_is_not_a_number_does_not_hold_training_up():
    assert has_flattened(range(5), [1, 1, float("nan"), 1, 1])


def test_noise_without_a_trend_lowers_the_rate_most_of_the_time_and_a_clear_fall_rarely():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(500, 5))
    steps = 50 * np.arange(5)
    # P(t > 1/1.5) with 3 degrees of freedom is 0.28: the rate stays where the noise looks like a fall.
    assert abs(np.mean([has_flattened(steps, y) for y in noise]) - 0.72) < 4 * np.sqrt(0.28 * 0.72 / 500)
    assert np.mean([has_flattened(steps, y - 5 * np.arange(5)) for y in noise]) < 0.02


def test_the_error_is_measured_every_50_and_tested_every_60_iterations():
    policy = LearningRatePolicy()
    assert [step for step in range(1, 201) if policy.measures(step)] == [50, 100, 150, 200]
    changes, policy = run(lambda step: 1.0, 2000)
    assert changes == [300, 600, 900] and policy.finished       # multiples of 60, each more than 256 after the last


def test_nothing_changes_at_256_iterations_and_something_does_at_257():
    changes, _ = run(lambda step: step, 800, measure_every=1, test_every=1)
    assert changes == [257, 514, 771]
    changes, _ = run(lambda step: step, 400, measure_every=1, test_every=1, last_change=100)
    assert changes == [357]


def test_a_window_that_is_not_full_is_not_judged():
    changes, _ = run(lambda step: step, 500, measure_every=80, test_every=1, patience=10)
    assert changes[0] == 400                                    # the fifth measurement


def test_only_the_last_five_points_count():
    falling_then_flat = lambda step: max(10 - step / 50, 2.0)
    changes, _ = run(falling_then_flat, 660)
    assert changes == [600]                 # 540 sees 300 .. 500 with a fall; at 600 the points 400 .. 600 are flat


def test_a_falling_error_keeps_the_rate_for_ever():
    changes, policy = run(lambda step: 1 / step, 3000)
    assert changes == [] and policy.rate == 1e-3 and not policy.finished


def test_training_ends_when_the_rate_would_reach_the_final_one():
    changes, policy = run(lambda step: float(step), 5000)
    assert len(changes) == 3 and policy.finished and abs(policy.rate / 1e-5 - 1) < 1e-12       # 1e-3, 1e-4, 1e-5, end
    changes, policy = run(lambda step: float(step), 5000, rate=1e-2, final_rate=5e-5)
    assert len(changes) == 3 and abs(policy.rate / 1e-4 - 1) < 1e-12                          # 1e-5 would be below 5e-5
