"""A window of one band of a TIFF, from the strips or tiles that it touches and from no others.

Section "Raster data".  Segments are decoded side by side by as many threads as the kernels use.  Each is let go as soon
as its pixels stand in the result, so that memory is that of the result and of one segment a thread.  A caller that
reads many windows of one file passes ``Kept``, so that a segment which several windows touch is decoded once.

tifffile (without zarr) and Pillow decode a page as a whole.  For a window of 512 x 512 cells of a compressed map of
8192 x 8192 float32 they took one to five seconds and 0.5 to 0.8 GiB, this module less than 0.1 s and 5 MiB.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np

from refimpl.earth.threads import in_threads
from refimpl.formats.decoding import decoded
from refimpl.formats.directory import FileBytes
from refimpl.formats.preflight import NONE, Layout

_PART_BYTES = 2**19


class Kept:
    """The decoded segments of one band that were used last: up to ``most_bytes`` together, or one.

    Threads may share it.
    """

    def __init__(self, most_bytes: int):
        self.most_bytes, self.bytes = most_bytes, 0
        self._segments: OrderedDict[int, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, number: int) -> np.ndarray | None:
        """The pixels of a segment, if they are kept."""
        with self._lock:
            if number in self._segments:
                self._segments.move_to_end(number)
            return self._segments.get(number)

    def put(self, number: int, pixels: np.ndarray) -> None:
        """Keep the pixels of a segment; those that were not used for the longest time are let go."""
        with self._lock:
            if number not in self._segments:
                self._segments[number] = pixels
                self.bytes += pixels.nbytes
            while self.bytes > self.most_bytes and len(self._segments) > 1:
                self.bytes -= self._segments.popitem(last=False)[1].nbytes


def read_window(
    file: FileBytes, layout: Layout, band: int, window: tuple[int, int, int, int], fill=0, kept: Kept | None = None
) -> np.ndarray:
    """Rows and columns [start, stop) of a band (1-based), in this machine's byte order.

    ``fill`` stands where a sparse file has no bytes.  ``kept`` holds segments from window to window.
    """
    top, bottom, left, right = window
    (height, width), across = layout.chunk, layout.across
    out = np.empty((bottom - top, right - left), layout.dtype.newbyteorder("="))
    first, columns = top // height, range(left // width, (right - 1) // width + 1)
    before = (band - 1) * (len(layout.offsets) // layout.bands) if layout.separate else 0

    def pixels_of(number: int, down: int, begin: int, end: int) -> np.ndarray | None:
        if kept is None or layout.compression == NONE:
            return _segment(file, layout, number, down, begin, end, band)
        pixels = kept.get(number)
        if pixels is None:
            pixels = _segment(file, layout, number, down, 0, min(height, layout.shape[0] - down * height), band)
            if pixels is None:
                return None
            kept.put(number, np.ascontiguousarray(pixels))
        return pixels[begin:end]

    def place(part: int) -> None:
        i, j = first + part // len(columns), columns[part % len(columns)]
        begin, end = max(top - i * height, 0), min(bottom - i * height, height)
        cols = slice(max(left - j * width, 0), min(right - j * width, width))
        pixels = pixels_of(before + i * across + j, i, begin, end)
        chosen = fill if pixels is None else pixels[:, cols]
        r, c = i * height + begin - top, j * width + cols.start - left
        out[r : r + end - begin, c : c + cols.stop - cols.start] = chosen

    parts = ((bottom - 1) // height + 1 - first) * len(columns)
    at_once = max(1, _PART_BYTES // (height * layout.row_bytes))  # small strips in groups: threads meet less often

    def places(k: int) -> None:
        for part in range(k * at_once, min((k + 1) * at_once, parts)):
            place(part)

    in_threads(places, -(-parts // at_once))
    return out


def _segment(
    file: FileBytes, layout: Layout, number: int, down: int, begin: int, end: int, band: int
) -> np.ndarray | None:
    """Rows ``begin`` to ``end`` of a band in a segment, (rows, columns); None where it was never written.

    ``down`` segments stand above it.
    """
    start, count = int(layout.offsets[number]), int(layout.counts[number])
    sample = 0 if layout.separate else band - 1
    if count == 0:
        return None
    if layout.compression == NONE:
        data = file.read(start + begin * layout.row_bytes, (end - begin) * layout.row_bytes)
        return decoded(layout, data, end - begin, file.where)[..., sample]
    whole = end == layout.chunk[0] or (not layout.tiled and down * layout.chunk[0] + end == layout.shape[0])
    return decoded(layout, file.read(start, count), end, file.where, whole)[begin:, :, sample]
