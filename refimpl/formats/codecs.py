"""LZW and PackBits, the two codecs of TIFF that neither Python nor NumPy has.

Section "Raster data".  Bytes in, bytes out: ``data`` (n,) uint8, result (at most ``size``,) uint8.  The result is
shorter where the data end early; what would follow ``size`` bytes is not decoded.  Damaged data raise ValueError.

tifffile leaves LZW to imagecodecs.  The libtiff in Pillow has both codecs.  It read and refused the same of 1,500
damaged strips of each (``python -m tests.peers.other_readers``); of 20,000 further streams of LZW it refused 36 that
are read here.  Three things speak against it: the reason for which it refuses goes to standard error, and the caller
gets "decoder error -2"; a strip of one row takes it about 0.1 ms, the kernels 0.005 ms; and a Pillow without libtiff
would read no LZW.  Pillow's own PackBits refuses a run that passes the end of a segment, so that the first rows of a
strip could not always be decoded alone.
Source: TIFF 6.0, sections 9 and 13.
"""

from __future__ import annotations

import numpy as np

from refimpl.twins import twin

CLEAR, END, FIRST_FREE, MOST_CODES = 256, 257, 258, 4096


@twin("kernels.codecs")
def lzw_decode(data: np.ndarray, size: int) -> np.ndarray:
    """LZW with codes of 9 to 12 bits, the high bit first; the width grows one code early, as in TIFF.

    >>> lzw_decode(np.array([128, 1, 224, 64, 128, 68, 4], np.uint8), 5).tolist()
    [7, 7, 7, 8, 8]
    """
    stream, bits = int.from_bytes(data.tobytes(), "big"), 8 * len(data)
    out, table, width, before = bytearray(), {}, 9, b""
    while len(out) < size and bits >= width:
        bits -= width
        code = stream >> bits
        stream &= (1 << bits) - 1
        if code == END:
            break
        if code == CLEAR:
            table, width, before = {}, 9, b""
            continue
        if code < CLEAR:
            word = bytes([code])
        elif code in table:
            word = table[code]
        elif before and code == FIRST_FREE + len(table) < MOST_CODES:
            word = before + before[:1]  # the entry that this very code completes
        else:
            raise ValueError("an LZW code stands for nothing")
        out += word
        if before and FIRST_FREE + len(table) < MOST_CODES:
            table[FIRST_FREE + len(table)] = before + word[:1]
            if FIRST_FREE + len(table) == (1 << width) - 1 and width < 12:
                width += 1
        before = word
    return np.frombuffer(bytes(out[:size]), np.uint8)


@twin("kernels.codecs")
def packbits_decode(data: np.ndarray, size: int) -> np.ndarray:
    """Runs of PackBits: n < 128, then n + 1 bytes as they are; n > 128, then one byte 257 - n times; 128 is nothing.

    >>> packbits_decode(np.array([254, 7, 1, 8, 9], np.uint8), 5).tolist()
    [7, 7, 7, 8, 9]
    """
    data, out, at = data.tobytes(), bytearray(), 0
    while len(out) < size and at < len(data):
        n, at = data[at], at + 1
        if n < 128:
            out += data[at : at + n + 1]
            at += n + 1
        elif n > 128:
            out += (257 - n) * data[at : at + 1]
            at += 1
    return np.frombuffer(bytes(out[:size]), np.uint8)
