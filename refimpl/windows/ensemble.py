"""The network's output, or the median of its outputs for the eight rotations and mirrors of the image (D17).

Shocher, Cohen & Irani 2018, section 3: each output is corrected by back-projection, then the median is taken cell by
cell.  Eight fine maps of national size need too much memory, so the map is made in parts; ``reach`` tells which coarse
cells a part needs.  A part has the cells that ``refimpl.method.super_resolution.apply_network`` gives for the whole
map.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from refimpl.earth.grid import Window
from refimpl.method.back_projection import back_project, children
from refimpl.method.image_range import compress, expand
from refimpl.method.network import Network
from refimpl.method.resize import upsample_valid
from refimpl.method.settings import UpscaleSettings
from refimpl.method.super_resolution import median
from refimpl.method.training_pairs import turned, undo_rotate_mirror
from refimpl.windows.inference import ALIGNMENT, infer
from refimpl.windows.reach import Cut, reach, within


def ensemble(
    network: Network,
    cut: Cut,
    window: Window,
    settings: UpscaleSettings,
    progress=None,
    first: Callable[[Window], np.ndarray] | None = None,
) -> np.ndarray:
    """The linear fine image (2 rows, 2 cols) of ``window``, float64, before the last back-projection; 0 where invalid.

    It equals that step of ``refimpl.method.super_resolution.apply_network``.  ``cut`` holds the linear coarse image of
    the window and of the cells around it that ``reach`` asks for.  ``first``, if given, returns the network's output
    for the unturned image in a fine window; it is then not computed.

    Memory beyond the arguments: 8 bytes for each fine cell of the window and each output (eight, or one without the
    ensemble), some 24 for each cell that an output is corrected with, 5 for each cell of ``cut``, and that of
    ``infer``.
    """
    outputs = 8 if settings.self_ensemble else 1
    iterations = settings.back_projection if settings.self_ensemble else 0
    around = cut.around(window, reach(settings, network.depth).within)
    fine_image = () if first and outputs == 1 else interpolated(network, cut, settings)

    def corrected(turn: int) -> np.ndarray:
        part = part_of(progress, turn / outputs, (turn + 1) / outputs)
        if first and turn == 0:
            raw = first(tuple(2 * end for end in around.window))
        else:
            raw = turned_output(network, *fine_image, cut, around.window, turn, part)
        linear = expand(raw.astype(np.float64), settings.transform)
        del raw
        linear = back_project(linear, around.values, around.valid, iterations, settings.downsampling)
        return linear[within(window, around.window, 2)]

    if outputs == 1:
        return np.ascontiguousarray(corrected(0))
    images = np.empty((outputs, 2 * (window[1] - window[0]), 2 * (window[3] - window[2])))
    for turn, image in enumerate(images):
        image[...] = corrected(turn)
    return median(images)


def interpolated(network: Network, cut: Cut, settings: UpscaleSettings) -> tuple[np.ndarray, np.ndarray]:
    """The input of the network: the interpolated image in its dtype, and its valid cells; fine, at ``cut.window``."""
    curved = compress(cut.values, settings.transform).astype(network.parameters.dtype, copy=False)
    return upsample_valid(curved, cut.valid), children(cut.valid)


def turned_output(
    network: Network, image: np.ndarray, valid: np.ndarray, cut: Cut, window: Window, turn: int, progress=None
) -> np.ndarray:
    """The network's output for the turned image, turned back: only the fine cells of ``window``.

    ``image`` and ``valid`` are fine, at ``cut.window``.  The image that ``infer`` receives begins at a multiple of
    ``ALIGNMENT`` in the whole turned image.
    """
    whole = 2 * cut.shape[0], 2 * cut.shape[1]
    top, _, left, _ = turned_window(tuple(2 * end for end in cut.window), whole, turn)
    wanted = turned_window(tuple(2 * end for end in window), whole, turn)
    down, right = -top % ALIGNMENT, -left % ALIGNMENT
    image, valid = turned(image, turn)[down:, right:], turned(valid, turn)[down:, right:]
    origin = top + down, top + down, left + right, left + right
    here = tuple(end - start for end, start in zip(wanted, origin))
    return undo_rotate_mirror(infer(network, image, valid, here, progress), turn)


def turned_window(window: Window, shape: tuple[int, int], turn: int) -> Window:
    """The place of a window (row start, row stop, column start, column stop) after ``turned``.

    >>> turned_window((0, 1, 0, 3), (2, 3), 1)
    (0, 3, 0, 1)
    """
    (top, bottom, left, right), (rows, cols) = window, shape
    for _ in range(turn % 4):
        top, bottom, left, right = cols - right, cols - left, top, bottom
        rows, cols = cols, rows
    return (top, bottom, cols - right, cols - left) if turn >= 4 else (top, bottom, left, right)


class _Part:
    """The part from ``start`` to ``end`` of a progress line, as a progress line of its own."""

    def __init__(self, progress, start: float, end: float):
        self.progress, self.start, self.end = progress, start, end

    def update(self, fraction: float, note: str = "") -> None:
        self.progress.update(self.start + (self.end - self.start) * fraction, note)


def part_of(progress, start: float, end: float) -> _Part | None:
    """A progress line for the part from ``start`` to ``end`` of another; None for None."""
    return _Part(progress, start, end) if progress else None
