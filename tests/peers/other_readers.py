"""What tifffile and Pillow do with the files that ``refimpl.formats`` reads: whole ones and damaged ones.

``python -m tests.peers.other_readers`` prints what the docstrings of ``refimpl/formats`` tell of the two libraries.
tifffile is taken as a plain installation has it, without imagecodecs.
"""

from __future__ import annotations

import argparse
import io
import itertools
import logging
import os
import resource
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, PngImagePlugin, TiffImagePlugin

from refimpl.formats.directory import FileBytes, read_directories
from refimpl.formats.pixels_of_tiff import read_window
from refimpl.formats.png import png_pixels
from refimpl.formats.preflight import layout_of
from tests.fuzz_geotiff import mutated, originals
from tests.tiff_writer import CODES, compressed, tiff

MOST_MEMORY = 4 * 2**30
"""More than this process has, at which a reader that takes a damaged number at its word is stopped."""
KINDS = ("uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64")
LAYOUTS = {
    "strips": {"rows": 5},
    "tiles": {"tile": (16, 32)},
    "two bands": {"rows": 5},
    "band after band": {"tile": (16, 32), "separate": True},
    "big-endian": {"rows": 5, "order": ">"},
    "BigTIFF": {"rows": 5, "big": True},
}


def ours(content: bytes) -> np.ndarray:
    """Band 1 of a TIFF as stored, by this project."""
    file = FileBytes(io.BytesIO(content), "a.tif")
    layout = layout_of(read_directories(file)[0])
    return read_window(file, layout, 1, (0, layout.shape[0], 0, layout.shape[1]))


def by_tifffile(content: bytes) -> np.ndarray:
    """The first page of a TIFF, by tifffile; of several bands the first."""
    with tifffile.TiffFile(io.BytesIO(content)) as handle:
        page = handle.pages[0]
        values = page.asarray()
        if page.samplesperpixel > 1 and values.ndim == 3:
            values = values[0] if page.planarconfig == 2 else values[..., 0]
        return values


def by_pillow(content: bytes) -> np.ndarray:
    """The first page of a TIFF, by Pillow; of several bands the first."""
    with TiffImagePlugin.TiffImageFile(io.BytesIO(content)) as image:
        image.load()
        values = np.asarray(image)
        return values[..., 0] if values.ndim == 3 else values


READERS = {"tifffile": by_tifffile, "Pillow": by_pillow}


def attempt(read: Callable, content: bytes) -> np.ndarray | None:
    """What a reader gives; None where it refuses."""
    try:
        return read(content)
    except Exception:  # each library has kinds of its own
        return None


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Equal shapes and values; the types may differ."""
    return one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def judged(theirs: np.ndarray | None, wanted: np.ndarray | None, before: np.ndarray) -> str:
    """What a reader made of a damaged file; ``wanted`` is ours, ``before`` what stood in the whole file."""
    if theirs is None:
        return "both refuse" if wanted is None else "it refuses, ours reads"
    if wanted is not None:
        return "the same values" if same(theirs, wanted) else "other values than ours"
    if theirs.shape != before.shape:
        return "ours refuses, it gives an empty array" if not theirs.size else "ours refuses, it gives another shape"
    return "ours refuses, it gives " + ("the values before the damage" if same(theirs, before) else "other values")


def whole_files() -> dict[str, dict[tuple, str]]:
    """By reader, then by (codec, predictor, type, layout): "same", "refused" or "different"."""
    random, found = np.random.Generator(np.random.PCG64(5)), {name: {} for name in READERS}
    for codec, predictor, kind, layout in itertools.product(CODES, (1, 2, 3), KINDS, LAYOUTS):
        if (predictor > 1 and codec in ("none", "packbits")) or (predictor == 3 and not kind.startswith("float")):
            continue
        shape = (2, 21, 35) if "band" in layout else (21, 35)
        content = tiff((random.integers(0, 9, shape) * 11).astype(kind), codec, predictor, **LAYOUTS[layout])
        wanted = ours(content)
        for name, read in READERS.items():
            values = attempt(read, content)
            word = "refused" if values is None else "same" if same(values, wanted) else "different"
            found[name][codec, predictor, kind, layout] = word
    return found


def damaged_files(count: int, seed: int) -> dict[str, Counter]:
    """By reader: how often it agrees with this project on mutations of ``tests.fuzz_geotiff``, and how it differs."""
    random, files = np.random.Generator(np.random.PCG64(seed)), originals()
    found = {name: Counter() for name in READERS}
    for _ in range(count):
        whole = files[random.integers(len(files))]
        content = mutated(whole, random)
        wanted = attempt(ours, content)
        for name, read in READERS.items():
            found[name][judged(attempt(read, content), wanted, ours(whole))] += 1
    return found


def damaged_strips(codec: str, count: int, seed: int) -> Counter:
    """What the libtiff in Pillow makes of damaged strips, each the only one of an image of plain bytes."""
    random, found = np.random.Generator(np.random.PCG64(seed)), Counter()
    for _ in range(count):
        pixels = (random.integers(0, 9, (21, 35)) * 11).astype(np.uint8)
        data = bytearray(compressed(pixels.tobytes(), codec))
        for _ in range(random.integers(1, 4)):
            data[random.integers(len(data))] = random.integers(256)
        content = tiff(pixels, codec, segments_stored=[bytes(data)])
        found[judged(attempt(by_pillow, content), attempt(ours, content), pixels)] += 1
    return found


def damaged_pngs(count: int, seed: int) -> Counter:
    """What Pillow makes of damaged PNGs whose chunks nobody has checked before."""
    random, found = np.random.Generator(np.random.PCG64(seed)), Counter()
    stream, path = io.BytesIO(), Path(tempfile.mkdtemp()) / "a.png"
    pixels = (random.integers(0, 9, (21, 35)) * 11).astype(np.uint8)
    Image.fromarray(pixels).save(stream, "PNG")

    def decoded(content: bytes) -> np.ndarray:
        with PngImagePlugin.PngImageFile(io.BytesIO(content)) as image:
            image.load()
            return np.asarray(image)

    for _ in range(count):
        path.write_bytes(mutated(stream.getvalue(), random))
        wanted = attempt(lambda content: png_pixels(path)[0], path.read_bytes())
        found[judged(attempt(decoded, path.read_bytes()), wanted, pixels)] += 1
    return found


@contextmanager
def guarded() -> Iterator[None]:
    """Inside, memory is bounded, tifffile writes no log, and what libtiff writes to standard error is dropped."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before, kept, log = resource.getrlimit(resource.RLIMIT_AS), os.dup(2), logging.getLogger("tifffile")
    level, nowhere = log.level, os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        log.setLevel(logging.CRITICAL + 1)
        resource.setrlimit(resource.RLIMIT_AS, (taken + MOST_MEMORY, before[1]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        log.setLevel(level)
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _show(title: str, counts: Counter) -> None:
    print(f"\n{title}")
    for word, many in counts.most_common():
        print(f"  {many:5d}  {word}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.peers.other_readers", description=__doc__)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with guarded():
        for name, cases in whole_files().items():
            _show(f"{name}, {len(cases)} whole files", Counter(cases.values()))
            for at, title in enumerate(("codec", "predictor", "type", "layout")):
                for value in dict.fromkeys(case[at] for case in cases):
                    words = Counter(word for case, word in cases.items() if case[at] == value)
                    print(f"  {title} {value}: {dict(words)}")
        for name, counts in damaged_files(args.count, args.seed).items():
            _show(f"{name}, {args.count} damaged TIFFs", counts)
        for codec in ("lzw", "packbits", "zstd", "deflate", "lzma"):
            _show(f"libtiff, {args.count} damaged strips of {codec}", damaged_strips(codec, args.count, args.seed))
        _show(f"Pillow, {args.count} damaged PNGs", damaged_pngs(args.count, args.seed))


if __name__ == "__main__":
    main()
