"""Pairs of values of two maps on their common cells, kept in files by province: rho (Fig. 6) needs all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from refimpl.earth.threads import in_threads
from refimpl.evaluation.ranks import rank_correlation

_CELL = np.dtype([("o", "<f8"), ("e", "<f8"), ("cover", "u1")])
_CELLS_AT_ONCE = 2**18
"""Cells that are read from a file at a time."""


class Rho(NamedTuple):
    """Spearman's rho of all pairs, of each group and of each second group (a land cover); nan where undefined."""

    overall: float
    groups: dict[int, float]
    covers: dict[int, float]


class PairFiles:
    """Pairs of values by group, each with a second group of 0-255, in files under ``folder``.

    >>> from tempfile import TemporaryDirectory
    >>> o, e, yes = np.array([[1.0, 2.0, 9.0]]), np.array([[5.0, 6.0, 9.0]]), np.ones((1, 3), bool)
    >>> with TemporaryDirectory() as folder:
    ...     pairs = PairFiles(Path(folder))
    ...     pairs.add(o, e, yes, np.array([[11, 11, 12]]), np.array([[1, 2, 1]]))
    ...     pairs.rho()
    Rho(overall=1.0, groups={11: 1.0, 12: nan}, covers={1: 1.0, 2: nan})
    """

    def __init__(self, folder: Path):
        self.folder, self.counts, self.covers = folder, {}, np.zeros(256, np.int64)

    def add(self, observed, estimated, inside, groups, covers=None) -> None:
        """Add the cells ``inside`` of one window, in groups from 1 up; arrays (rows, cols)."""
        groups = groups[inside]
        order = np.argsort(groups, kind="stable")
        codes, starts = np.unique(groups[order], return_index=True)
        cells = np.zeros(groups.size, _CELL)
        cells["o"], cells["e"] = observed[inside][order], estimated[inside][order]
        if covers is not None:
            cells["cover"] = covers[inside][order]
            self.covers += np.bincount(cells["cover"], minlength=256)
        for code, part in zip(codes.tolist(), np.split(cells, starts[1:])):
            self.counts[code] = self.counts.get(code, 0) + part.size
            with open(self._file(code), "ab") as file:
                part.tofile(file)

    def _file(self, code: int) -> Path:
        return self.folder / f"pairs-{code}"

    def _read(self, codes, cover: int | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for code in codes:
            with open(self._file(code), "rb") as file:
                while (cells := np.fromfile(file, _CELL, _CELLS_AT_ONCE)).size:
                    cells = cells if cover is None else cells[cells["cover"] == cover]
                    yield np.ascontiguousarray(cells["o"]), np.ascontiguousarray(cells["e"])

    def rho(self) -> Rho:
        """Spearman's rho of all pairs, of each group and of each second group that has a pair."""
        codes, covers = sorted(self.counts), np.flatnonzero(self.covers).tolist()
        tasks = [(codes, None, sum(self.counts.values()))] + [(codes, c, int(self.covers[c])) for c in covers]
        tasks += [([code], None, self.counts[code]) for code in codes]
        found = [math.nan] * len(tasks)

        def rank(number: int) -> None:
            chosen, cover, count = tasks[number]
            found[number] = rank_correlation(lambda: self._read(chosen, cover), count, self.folder)

        in_threads(rank, len(tasks))
        overall, *others = found
        return Rho(overall, dict(zip(codes, others[len(covers) :])), dict(zip(covers, others)))
