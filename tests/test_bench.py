"""The benchmark's own rules: what it compares, and when it refuses to call a run a result."""

import math

import numpy as np
import pytest

from tests.bench import all_jobs, find_job
from tests.bench.__main__ import details, shown, table
from tests.bench.harness import Outcome, difference, measure, median_interval
from tests.bench.job import Contender, Job


def job(**changes):
    settings = {
        "name": "made", "title": "made work", "goal": 2.0, "tolerance": 1e-6, "why": "none",
        "contenders": (Contender("ours", None, None, ours=True), Contender("other", None, None)),
    }  # fmt: skip
    return Job(**settings | changes)


def outcome(ratios, **changes):
    """A run in which ours took 1 s and the opponent the ratios."""
    found = Outcome(job(), {"ours": [1.0] * len(ratios), "other": ratios}, best="other", ratio=float(np.median(ratios)))
    found.peaks, found.differences = {"ours": 0, "other": 0}, {"ours": 0.0, "other": 0.0}
    found.quartiles, found.interval = (min(ratios), max(ratios)), median_interval(ratios)
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def test_every_job_has_its_own_name_ours_first_and_an_opponent_that_counts():
    names = [one.name for one in all_jobs()]
    assert len(set(names)) == len(names) and find_job(names[-1]).name == names[-1]
    for one in all_jobs():
        assert one.contenders[0].ours and not any(other.ours for other in one.contenders[1:])
        assert any(other.counts for other in one.contenders[1:]) and one.tolerance > 0 and one.why


@pytest.mark.parametrize("n, ranks", [(5, (1, 5)), (6, (1, 6)), (9, (2, 8)), (20, (6, 15)), (25, (8, 18))])
def test_the_medians_interval_has_the_ranks_of_the_tables(n, ranks):
    """Conover, Practical Nonparametric Statistics: ranks r and n + 1 - r of the two-sided 95 % sign test."""
    low, high = median_interval([float(k) for k in range(n, 0, -1)])
    assert (low, high) == ranks


def test_a_run_that_reaches_its_goal_is_a_result():
    assert outcome([3.0, 3.1, 2.9, 3.0, 3.05, 2.95]).verdict == "reached"
    assert outcome([1.9, 1.95, 1.9, 1.92, 1.93, 1.9]).verdict == "not reached"


def test_a_loosely_known_median_or_a_busy_machine_is_no_result():
    loose = outcome([2.0, 4.0, 3.0, 2.1, 3.9, 3.0])
    assert loose.verdict == "noisy" and "between 2.00 and 4.00" in details(loose, {"flops": 1.0, "bytes": 1.0})
    busy = outcome([3.0] * 6, foreign=0.3)
    assert busy.verdict == "noisy" and "30%" in busy.noisy and "| noisy |" in table([busy])


def test_an_opponent_that_did_other_work_spoils_the_run():
    wrong = outcome([3.0] * 6, differences={"ours": 0.0, "other": 1e-3})
    assert wrong.verdict == "other work" and "OTHER WORK" in details(wrong, {"flops": 1.0, "bytes": 1.0})
    assert outcome([3.0] * 6, differences={"ours": 0.0, "other": math.nan}).verdict == "other work"


def test_digests_differ_by_their_largest_error_relative_to_the_largest_number():
    assert difference([1.0, 4.0], [1.0, 5.0]) == 0.2
    assert difference([1.0], [1.0, 2.0]) == math.inf and difference([math.nan], [math.nan]) == math.inf
    assert difference([0.0], [0.0]) == 0.0


def test_times_are_shown_with_their_unit():
    assert [shown(t) for t in (2.345, 0.0123, 4.56e-5)] == ["2.35 s", "12.3 ms", "45.6 us"]


def test_contenders_run_in_their_own_processes_and_a_missing_one_is_named():
    found = measure(find_job("mean-down-20m"), 1, 0.1, ["pillow"])
    assert set(found.times) == {"refimpl", found.best} and len(found.times["refimpl"]) >= 6
    assert found.wrong == [] and found.ratio > 0 and found.peaks["refimpl"] > 0
