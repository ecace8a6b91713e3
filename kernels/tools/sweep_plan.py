"""The plan of a sweep through the network (``sweep``): its stages, their tasks, and what each task waits for."""

from __future__ import annotations

import numpy as np

WEIGHTS, WIDEN, WIDE, NARROW, NARROW_BACK, WIDE_BACK, FINISH, WIDEN_BACK = range(8)
"""Kinds of stages, in the order in which they come."""
KIND, LAYER, FIRST, TASKS, NEAR, ALL, FROM, TO, TOP, BOTTOM, LEFT, RIGHT = range(12)
"""Columns of a plan: a stage's kind and layer; the number of its first task, and of its tasks; the stage whose
neighbouring bands it needs, and the stage of which it needs all tasks (or -1); the planes that it reads and writes;
the rows and columns that it computes."""
TILES_OF_A_BAND = 128
FEWEST_BANDS, MOST_BANDS = 4, 16
"""With fewer bands, threads would wait for each other."""


def bands_of(height: int, width: int, out: int) -> int:
    """The number of bands: some 128 tiles each, from FEWEST_BANDS to MOST_BANDS, and no more than rows of tiles."""
    down, across = -(-height // out), -(-width // out)
    return min(down, max(FEWEST_BANDS, min(MOST_BANDS, down * across * out * out // (16 * TILES_OF_A_BAND))))


def regions_of(depth: int, shape: tuple[int, int], window: tuple[int, int, int, int], out: int) -> list:
    """The region (top, bottom, left, right) of each layer's output that the last layer's output in ``window`` needs.

    A tile reads one cell before and one behind itself.  The cell before enters only its first output, and the cell
    behind only its last one: where that output is not needed, the cell may have any value.
    """
    regions, needed = [window], [window[0] - 1, window[1] + 1, window[2] - 1, window[3] + 1]
    for _ in range(depth - 1):
        tiles = [n // out * out if k % 2 == 0 else -(-n // out) * out for k, n in enumerate(needed)]
        inside = [max(n, 0) if k % 2 == 0 else min(n, shape[k // 2]) for k, n in enumerate(tiles)]
        regions.insert(0, tuple(inside))
        needed = [edge + (k % 2 * 2 - 1) * (n == edge) for k, (n, edge) in enumerate(zip(needed, tiles))]
    return regions


def plan(depth: int, bands: int, panels: int, back: bool, regions: list) -> np.ndarray:
    """The stages of a sweep, (stages, 12) int64; a layer's weights lie in ``panels`` panels.

    With ``back``, plane l is the output of layer l, and planes depth - 1 and depth take turns as its gradient.  Without
    it, two planes take turns as the outputs.
    """
    wide, stages = depth - 2, []

    def add(kind, layer, tasks, near=-1, all_of=-1, source=0, target=0):
        first = stages[-1][FIRST] + stages[-1][TASKS] if stages else 0
        stages.append((kind, layer, first, tasks, near, all_of, source, target, *regions[layer]))
        return len(stages) - 1

    def place(layer):
        return layer if back else layer % 2

    add(WEIGHTS, 0, wide * (2 if back else 1))
    last = add(WIDEN, 0, bands)
    for layer in range(1, depth - 1):
        last = add(WIDE, layer, bands, last, -1, place(layer - 1), place(layer))
    last = add(NARROW, depth - 1, bands, last, -1, place(depth - 2))
    if back:
        last, finished = add(NARROW_BACK, depth - 1, bands, last, -1, depth - 2, depth - 1), [-1, -1]
        for turn, layer in enumerate(range(depth - 2, 0, -1)):
            last = add(WIDE_BACK, layer, bands, last, finished[-2], depth - 1 + turn % 2, depth - 1 + (turn + 1) % 2)
            finished.append(add(FINISH, layer, panels, -1, last))
        add(WIDEN_BACK, 0, bands, last, -1, depth - 1 + wide % 2)
    return np.array(stages, np.int64)
