"""Mutated GeoTIFFs: each gives a raster of the shape that its tags name, or one InputError, soon and in little memory.

``python -m tests.fuzz_geotiff --count 1000000`` runs as many as asked for; the test suite runs 2,000.
"""

from __future__ import annotations

import argparse
import itertools
import struct
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from refimpl.errors import InputError
from refimpl.formats.geotiff import read_raster
from tests.memory import forget_peak, memory
from tests.tiff_writer import tiff, with_mask

MOST_SECONDS, MOST_MEMORY = 1.0, 256 * 2**20
INTERESTING = [0, 1, 2, 3, 7, 8, 9, 16, 127, 128, 255, 256, 32767, 32768, 65535, 2**16, 2**31 - 1, 2**31, 2**32 - 1]


def originals() -> list[bytes]:
    """Small files of every codec, layout, predictor, byte order and type, some with a mask, nodata or metadata."""
    random, found = np.random.Generator(np.random.PCG64(11)), []
    kinds = itertools.cycle(("uint8", "float32", "int16", "float64", "uint16"))
    layouts = itertools.cycle(({}, {"tile": (16, 16)}, {"rows": 5}, {"tile": (16, 32), "separate": True}))
    orders = itertools.cycle(({}, {"order": ">"}, {"big": True}))
    for codec, predictor in itertools.product(("none", "lzw", "deflate", "packbits", "zstd", "lzma"), (1, 2, 3)):
        if codec not in ("none", "packbits") or predictor == 1:
            for _ in range(3):
                kind = next(kinds) if predictor < 3 else "float32"
                shape = (2, 21, 35) if len(found) % 2 else (21, 35)
                values = (random.integers(0, 9, shape) * 11).astype(kind)
                found.append(tiff(values, codec, predictor, **next(layouts), **next(orders), tags=texts(len(found))))
    masked = tiff(np.ones((21, 35), np.float32), "deflate", tags=texts(2))
    return found + [with_mask(masked, np.eye(21, 35, dtype=bool))]


def texts(number: int) -> dict:
    """GDAL's tags of nodata and metadata, in some of the files."""
    item = b'<GDALMetadata><Item name="SCALE" sample="0" role="scale">0.5</Item></GDALMetadata>\0'
    return [{}, {42113: (2, b"11\0")}, {42113: (2, b"nan\0"), 42112: (2, item)}][number % 3]


def mutated(content: bytes, random: np.random.Generator) -> bytes:
    """The file with bytes, words or entries of the directory changed, pieces moved, or its end cut off."""
    content = bytearray(content)
    order = "<" if content[:2] == b"II" else ">"
    for _ in range(random.integers(1, 4)):
        at, how = int(random.integers(0, len(content))), random.integers(0, 10)
        if how < 3:
            content[at] = random.integers(256)
        elif how < 6:  # within the last part of the file, where the directory stands
            word = struct.pack(order + "I", INTERESTING[random.integers(len(INTERESTING))])
            at = max(0, len(content) - int(random.integers(4, 400)))
            content[at : at + 4] = word[: len(content[at : at + 4])]
        elif how < 7:
            content[at] ^= 1 << int(random.integers(8))
        elif how < 8 and len(content) > 64:
            size, to = int(random.integers(1, 32)), int(random.integers(0, len(content) - 32))
            content[to : to + size] = content[at : at + size].ljust(size, b"\0")
        elif how < 9:
            at = max(0, len(content) - int(random.integers(4, 400)))
            content[at : at + 2] = struct.pack(order + "H", int(random.integers(0, 20)))[: len(content[at : at + 2])]
        elif random.random() < 0.3:
            del content[at:]
            content += b"\0" * (not content)
    return bytes(content)


def outcome(path: Path) -> str:
    """How reading ends: "read" or "refused"; anything else is raised."""
    try:
        raster = read_raster(path)
    except InputError as fault:
        if "\n" in str(fault) or str(path) not in str(fault):
            raise AssertionError(f"no sentence about the file: {fault}") from fault
        return "refused"
    rows, cols = named_shape(path.read_bytes())
    if raster.values.shape != (rows, cols) or raster.valid.shape != (rows, cols) or not raster.values.size:
        raise AssertionError(f"{raster.values.shape} read, the tags say {(rows, cols)}")
    if not np.isfinite(raster.values).all() or raster.values[~raster.valid].any():
        raise AssertionError("a cell that is not valid holds something")
    return "read"


def named_shape(content: bytes) -> tuple[int, int]:
    """Rows and columns as the first directory has them, looked up entry by entry."""
    order = "<" if content[:2] == b"II" else ">"
    big = struct.unpack(order + "H", content[2:4])[0] == 43
    place = struct.unpack(order + ("Q" if big else "I"), content[8:16] if big else content[4:8])[0]
    step, begin = (20, place + 8) if big else (12, place + 2)
    found = {}
    for k in range(struct.unpack(order + ("Q" if big else "H"), content[place:begin])[0]):
        entry = content[begin + k * step : begin + (k + 1) * step]
        code, kind = struct.unpack(order + "HH", entry[:4])
        if code in (256, 257):
            letter = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}[kind]
            value = entry[12 if big else 8 :][: struct.calcsize("=" + letter)]
            found[code] = struct.unpack(order + letter, value)[0]
    return found[257], found[256]


def fuzz(count: int, seed: int, folder: Path, say=lambda text: None) -> dict[str, int]:
    """Read ``count`` mutations; how many were read and refused.  AssertionError with the file kept in ``folder``."""
    random, seen = np.random.Generator(np.random.PCG64(seed)), {"read": 0, "refused": 0}
    files, path = originals(), folder / "mutated.tif"
    for content in files:  # also compiles the kernels
        path.write_bytes(content)
        if outcome(path) != "read":
            raise AssertionError("an unchanged file is refused")
    slowest, most, before = 0.0, 0, memory("VmRSS") if forget_peak() else memory("VmHWM")
    for number in range(count):
        path.write_bytes(mutated(files[random.integers(len(files))], random))
        start = time.process_time()
        try:
            seen[outcome(path)] += 1
        except Exception as fault:
            raise AssertionError(f"mutation {number} of seed {seed}, kept as {path}: {fault!r}") from fault
        seconds, gained = time.process_time() - start, memory("VmHWM") - before
        slowest, most = max(slowest, seconds), max(most, gained)
        if seconds > MOST_SECONDS or gained > MOST_MEMORY:
            raise AssertionError(f"mutation {number} of seed {seed}: {seconds:.2f} s, {gained >> 20} MiB; {path}")
        if number % 10_000 == 9999:
            say(f"{number + 1} files, {seen}, slowest {slowest:.3f} s, most memory gained {most >> 20} MiB")
    return seen | {"slowest_ms": round(1000 * slowest), "most_mib": most >> 20}


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_geotiff", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-geotiff-"))
    print(fuzz(args.count, args.seed, folder, lambda text: print(text, file=sys.stderr, flush=True)))


if __name__ == "__main__":
    main()
