"""Decoders of LZW and PackBits, two compressions of TIFF: twins of ``refimpl.formats.codecs``.

Idea of LZW: every entry of the table is a word and the byte after it, so it is a piece of the output written so far.
The table keeps only where that piece starts and how long it is, and a word is copied from there, eight bytes at a time.
``out`` has eight bytes more than it will hold, which the last of these copies may overwrite.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.byte_copy import copy_eight
from kernels.tools.compiled import kernel

CLEAR, END, FIRST_FREE, MOST_CODES = 256, 257, 258, 4096


def lzw_decode(data, size):
    out = np.empty(size + 8, np.uint8)
    written = fill_lzw(_read_only(data), size, out)
    if written < 0:
        raise ValueError("an LZW code stands for nothing")
    return out[:written]


def packbits_decode(data, size):
    out = np.empty(size, np.uint8)
    return out[: fill_packbits(_read_only(data), out)]


def _read_only(data):
    """Bytes of any kind as one kind of array, so that only one kernel is compiled."""
    data = np.ascontiguousarray(data).view()
    data.flags.writeable = False
    return data


@kernel
def fill_lzw(data, size, out):
    """Fill ``out``; the number of bytes written, or -1 at a code that has no entry in the table."""
    # Only entries below ``free`` are read.
    starts, lengths = np.empty(MOST_CODES, np.int64), np.empty(MOST_CODES, np.int64)
    many = data.size
    held, bits, at, width, limit = np.uint64(0), 0, 0, 9, 511
    free, written, start, length = FIRST_FREE, 0, 0, 0  # start, length: the word before; length 0: no word
    while written < size:
        if bits < width:
            while bits <= 48 and at < many:
                held = (held << np.uint64(8)) | np.uint64(data[at])
                at += 1
                bits += 8
            if bits < width:
                break
        bits -= width
        code = np.int64((held >> np.uint64(bits)) & np.uint64(limit))
        begin = written
        if code < CLEAR:
            out[written] = code
            written += 1
            full = 1
        elif code == CLEAR:
            width, limit, free, length = 9, 511, FIRST_FREE, 0
            continue
        elif code == END:
            break
        else:
            if code < free:
                source, full = starts[code], lengths[code]
            elif code == free and length > 0 and free < MOST_CODES:
                source, full = start, length + 1
            else:
                return -1
            kept = min(full, size - written)
            for k in range(0, kept, 8):
                copy_eight(out, written + k, source + k)
            if source + full > written and kept == full:  # the last byte is the word's own first
                out[written + full - 1] = out[source]
            written += kept
        if length > 0 and free < MOST_CODES:
            starts[free], lengths[free] = start, length + 1
            free += 1
            if free == limit and width < 12:
                width += 1
                limit = 2 * limit + 1
        start, length = begin, full
    return written


@kernel
def fill_packbits(data, out):
    """Fill ``out``; the number of bytes written."""
    size, many, written, at = out.size, data.size, 0, 0
    while written < size and at < many:
        n = np.int64(data[at])
        at += 1
        if n < 128:
            full = min(n + 1, size - written, many - at)
            for k in range(full):
                out[written + k] = data[at + k]
            at, written = at + n + 1, written + full
        elif n > 128 and at < many:
            full = min(257 - n, size - written)
            for k in range(full):
                out[written + k] = data[at]
            at, written = at + 1, written + full
    return written
