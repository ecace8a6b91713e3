"""Spearman's rho of pairs that come in blocks and are ranked in files: exact fractions, hand values, memory."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refimpl.evaluation.pairs import PairFiles
from refimpl.evaluation.rank_correlation import spearman_rho
from refimpl.evaluation.ranks import doubled_ranks, rank_correlation
from tests.memory import KNOWN, peak_of


def exact_rho(x: list, y: list) -> float:
    """Pearson's r of average ranks, found by counting smaller and equal values."""
    ranks = [[Fraction(sum(b < a for b in v)) + Fraction(sum(b == a for b in v) + 1, 2) for a in v] for v in (x, y)]
    mean = Fraction(len(x) + 1, 2)
    a, b = ([rank - mean for rank in each] for each in ranks)
    xx, yy, xy = sum(p * p for p in a), sum(p * p for p in b), sum(p * q for p, q in zip(a, b))
    return float(xy) / math.sqrt(xx * yy) if xx * yy else math.nan


def in_blocks(x, y, size):
    return lambda: ((x[at : at + size], y[at : at + size]) for at in range(0, x.size, size))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1).map(np.random.default_rng), st.integers(1, 150), st.sampled_from([1, 7, 50]),
    st.sampled_from([1, 4, 20]), st.sampled_from([None, 0, 5]),
)  # fmt: skip
def test_rho_is_exact_however_pairs_come_and_buckets_fall(tmp_path_factory, rng, count, size, most, decimals):
    x, y = rng.lognormal(0, 2, (2, count))
    x[rng.random(count) < 0.3] = 0
    if decimals is not None:
        x, y = x.round(decimals), (x + y).round(decimals)
    folder = tmp_path_factory.mktemp("rho")
    got = rank_correlation(in_blocks(x, y, size), count, folder, most)
    # Exact sums of products; a square root, a division, and their conversion to doubles.
    assert got == pytest.approx(exact_rho(x.tolist(), y.tolist()), rel=1e-15, abs=1e-300, nan_ok=True)
    assert not list(folder.iterdir())


def test_what_fits_in_memory_has_the_bits_of_the_metric(tmp_path):
    x, y = np.random.default_rng(2).lognormal(0, 2, (2, 5000))
    assert rank_correlation(in_blocks(x, y, 300), 5000, tmp_path) == spearman_rho(x, y)


def test_no_pair_and_equal_values_have_no_rho(tmp_path):
    assert math.isnan(rank_correlation(lambda: [], 0, tmp_path))
    same, other = np.zeros(40), np.arange(40.0)
    for pair in ((same, other), (other, same)):
        assert math.isnan(rank_correlation(in_blocks(*pair, 7), 40, tmp_path, 4))
    assert rank_correlation(in_blocks(other, -other, 7), 40, tmp_path, 4) == -1


def test_zero_has_one_rank_whatever_its_sign():
    assert doubled_ranks(np.array([0.0, -0.0, -1.0])).tolist() == [5, 5, 2]


def test_pairs_are_ranked_within_their_groups(tmp_path):
    rng, pairs = np.random.default_rng(4), PairFiles(tmp_path)
    o, e = rng.random((2, 30, 20)).round(2)
    inside, groups, covers = rng.random((30, 20)) < 0.8, rng.integers(1, 4, (30, 20)), rng.integers(1, 9, (30, 20))
    for rows in (slice(0, 11), slice(11, 12), slice(12, 30)):
        pairs.add(o[rows], e[rows], inside[rows], groups[rows], covers[rows])
    # The order of pairs changes the rounding of sums over some hundred ranks.
    near = lambda cells: pytest.approx(spearman_rho(o[cells], e[cells]), abs=1e-13)
    assert pairs.counts == {code: int((inside & (groups == code)).sum()) for code in (1, 2, 3)}
    found = pairs.rho()
    assert found.overall == near(inside)
    assert list(found.groups) == [1, 2, 3] and list(found.covers) == list(range(1, 9))
    for code, rho in found.groups.items():
        assert rho == near(inside & (groups == code))
    for cover, rho in found.covers.items():
        assert rho == near(inside & (covers == cover))


@pytest.mark.skipif(not KNOWN, reason="this system does not tell how much memory a process takes")
def test_ranking_takes_no_memory_for_the_number_of_pairs(tmp_path):
    def pairs():
        for seed in range(24):
            x = np.random.default_rng(seed).lognormal(0, 3, 2**18)
            yield x, x.round(1)

    rank_correlation(pairs, 24 * 2**18, tmp_path, 2**17)  # what is made once is there
    peak = peak_of(lambda: rank_correlation(pairs, 24 * 2**18, tmp_path, 2**18))
    assert peak < 48 * 2**20  # the pairs take 96 MiB, their order and ranks as much again
