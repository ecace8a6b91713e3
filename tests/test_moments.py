"""Moments of two maps, group by group and window by window, beside exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refimpl.evaluation.moments import NOTHING, Moments, accuracies, group_moments, joined, merged, total_of
from refimpl.method.metrics import mean_absolute_error, pearson_r, r_squared, root_mean_square_error

EITHER = pytest.mark.parametrize("pair", [group_moments.reference, group_moments.kernel], ids=["reference", "kernel"])
ROUNDING = 1e-13
"""A deviation is rounded three times, and up to 128 products are added as they come: 128 x 2^-53 is 1.4e-14."""


def exact(o, e) -> list[Fraction]:
    """Means, then sums of oo, ee, oe, |o - e| and (o - e)^2, of lists of floats."""
    o, e = [Fraction(v) for v in o], [Fraction(v) for v in e]
    mean_o, mean_e = sum(o) / len(o), sum(e) / len(e)
    pairs = list(zip(o, e))
    return [
        mean_o, mean_e, sum((a - mean_o) ** 2 for a in o), sum((b - mean_e) ** 2 for b in e),
        sum((a - mean_o) * (b - mean_e) for a, b in pairs), sum(abs(a - b) for a, b in pairs),
        sum((a - b) ** 2 for a, b in pairs),
    ]  # fmt: skip


def check(fields, expected):
    """The fields (9,) of one group beside exact numbers."""
    mean_o, rest_o, mean_e, rest_e, oo, ee, oe, absolute, squared = (Fraction(float(value)) for value in fields)
    spread = math.sqrt(expected[2] * expected[3])
    for got, want, scale in (
        (oo, expected[2], expected[2]), (ee, expected[3], expected[3]), (oe, expected[4], spread),
        (absolute, expected[5], expected[5]), (squared, expected[6], expected[6]),
    ):  # fmt: skip
        assert abs(got - want) <= ROUNDING * scale
    # Means to far more digits than a double has, so that they serve as the origin of deviations.
    assert abs(mean_o + rest_o - expected[0]) <= 1e-13 * math.sqrt(expected[2]) + 1e-28 * abs(expected[0])
    assert abs(mean_e + rest_e - expected[1]) <= 1e-13 * math.sqrt(expected[3]) + 1e-28 * abs(expected[1])


def values(rng, shape, kind):
    """Plain numbers, numbers that share most of their digits, or one number everywhere."""
    if kind == "equal":
        return np.full(shape, 0.1 + rng.integers(5))
    return {"plain": 0.0, "offset": 1e9}[kind] + rng.lognormal(0, 2, shape)


KINDS = st.sampled_from(["plain", "offset", "equal"])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1).map(np.random.default_rng), st.integers(1, 5), st.sampled_from([1, 3, 70, 150]),
    KINDS, KINDS, st.sampled_from([np.uint8, np.int64]), st.lists(st.integers(1, 4), max_size=3), st.booleans(),
)  # fmt: skip
def test_moments_of_groups_are_exact_to_rounding_however_the_map_is_cut(rng, rows, cols, one, two, dtype, cuts, fast):
    shape, pair = (rows, cols), group_moments.kernel if fast else group_moments.reference
    o, e, inside = values(rng, shape, one), values(rng, shape, two), rng.random(shape) < 0.8
    groups = np.repeat(rng.integers(0, 3, shape), 5, axis=1)[:, :cols].astype(dtype)
    pieces = [slice(*ends) for ends in zip([0, *sorted(cuts)], [*sorted(cuts), rows])]
    found = total_of(Moments(*pair(o[part], e[part], inside[part], groups[part])) for part in pieces)
    codes = [code for code in (1, 2) if (inside & (groups == code)).any()]
    assert found.codes.tolist() == codes
    for at, code in enumerate(codes):
        cells = inside & (groups == code)
        assert found.counts[at] == cells.sum()
        check(found.fields[:, at], exact(o[cells].tolist(), e[cells].tolist()))
    cells = inside & (groups > 0)
    if codes:
        check(merged(found).fields[:, 0], exact(o[cells].tolist(), e[cells].tolist()))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1).map(np.random.default_rng), st.sampled_from([1, 2, 500]), KINDS, KINDS)
def test_eqs_4_to_6_from_moments_are_those_of_all_cells_at_once(rng, n, one, two):
    o, e, yes = values(rng, (1, n), one), values(rng, (1, n), two), np.ones((1, n), bool)
    got = accuracies(Moments(*group_moments.kernel(o, e, yes, yes.astype(np.uint8))))[:, 0]
    o, e = o.ravel(), e.ravel()
    want = r_squared(o, e), mean_absolute_error(o, e), root_mean_square_error(o, e), pearson_r(o, e)
    # A common offset of 1e9 leaves NumPy's own mean with an error of 1e-7, a 1e-7th of the spread; its square tells.
    assert got == pytest.approx(want, rel=1e-9, abs=1e-9, nan_ok=True)


@EITHER
def test_equal_values_have_neither_r2_nor_r_in_whatever_windows(pair):
    same, other = np.full((1, 7), 0.1), np.arange(7.0)[None]
    yes, zones = np.ones((1, 7), bool), np.full((1, 7), 11)
    parts = [np.s_[:, :3], np.s_[:, 3:4], np.s_[:, 4:]]
    for o, e in ((same, other), (other, same)):
        found = total_of(Moments(*pair(o[p], e[p], yes[p], zones[p])) for p in parts)
        r2, _, _, r = accuracies(found)[:, 0]
        assert math.isnan(r) and math.isnan(r2) == (o is same)


@EITHER
def test_groups_below_1_and_cells_that_do_not_count_may_hold_anything(pair):
    o = np.array([[np.nan, 1.0, np.inf, 3.0]])
    codes, counts, fields = pair(o, o, np.array([[True, True, False, True]]), np.array([[0, 11, 11, -4]]))
    assert codes.tolist() == [11] and counts.tolist() == [1] and fields[:4, 0].tolist() == [1, 0, 1, 0]
    codes, counts, fields = pair(o, o, np.zeros((1, 4), bool), np.ones((1, 4), int))
    assert codes.size == counts.size == 0 and fields.shape == (9, 0)


def test_joining_with_nothing_changes_nothing():
    o, e = np.random.default_rng(1).random((2, 4, 5))
    some = Moments(*group_moments.kernel(o, e, o > 0, np.full((4, 5), 7)))
    for both in (joined(NOTHING, some), joined(some, NOTHING)):
        assert both.fields.tobytes() == some.fields.tobytes() and both.counts.tolist() == [20]


def test_moments_are_the_same_bytes_for_any_number_of_threads(monkeypatch):
    rng = np.random.default_rng(3)
    o, e = rng.lognormal(0, 3, (2, 1500, 1100))  # three parts
    zones, inside, answers = np.repeat(rng.integers(0, 30, (1500, 11)), 100, axis=1), o > 0.1, set()
    for threads in ("1", "2", "3", "8"):
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        answers.add(group_moments.kernel(o, e, inside, zones)[2].tobytes())
    assert len(answers) == 1
