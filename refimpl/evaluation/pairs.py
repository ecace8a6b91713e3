"""The cells that two maps have in common, kept in files by province: rho needs all of them at once; Fig. 6."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from refimpl.evaluation.ranks import rank_correlation

_CELL = np.dtype([("o", "<f8"), ("e", "<f8"), ("cover", "u1")])
_BLOCK = 2**18


class PairFiles:
    """Pairs of values by group, each with a second group of 0-255, in files under ``folder``.

    >>> from tempfile import TemporaryDirectory
    >>> o, e, yes = np.array([[1.0, 2.0, 9.0]]), np.array([[5.0, 6.0, 9.0]]), np.ones((1, 3), bool)
    >>> with TemporaryDirectory() as folder:
    ...     pairs = PairFiles(Path(folder))
    ...     pairs.add(o, e, yes, np.array([[11, 11, 12]]), np.array([[1, 2, 1]]))
    ...     pairs.rho_of_group(11), pairs.rho_of_cover(1), pairs.rho()
    (1.0, 1.0, 1.0)
    """

    def __init__(self, folder: Path):
        self.folder, self.counts, self.covers = folder, {}, np.zeros(256, np.int64)

    def add(self, observed, estimated, inside, groups, covers=None) -> None:
        """The cells ``inside`` of one window, in groups from 1 up; arrays (rows, cols)."""
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
                while (cells := np.fromfile(file, _CELL, _BLOCK)).size:
                    cells = cells if cover is None else cells[cells["cover"] == cover]
                    yield np.ascontiguousarray(cells["o"]), np.ascontiguousarray(cells["e"])

    def rho(self) -> float:
        """Of all pairs."""
        return rank_correlation(lambda: self._read(sorted(self.counts)), sum(self.counts.values()), self.folder)

    def rho_of_group(self, code: int) -> float:
        """Of those of one group."""
        return rank_correlation(lambda: self._read([code]), self.counts[code], self.folder)

    def rho_of_cover(self, cover: int) -> float:
        """Of those of one of the second groups."""
        every = sorted(self.counts)
        return rank_correlation(lambda: self._read(every, cover), int(self.covers[cover]), self.folder)
