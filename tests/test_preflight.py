"""Files whose numbers are wrong: each is refused by one sentence before a pixel is decoded."""

import time
import tracemalloc

import numpy as np
import pytest

from refimpl.errors import InputError
from refimpl.formats.geotiff import read_raster
from tests.fuzz_geotiff import fuzz
from tests.tiff_writer import compressed, directory, tiff, with_mask

VALUES = np.arange(21 * 35, dtype=np.float32).reshape(21, 35)
HUGE = 2**31 - 1


def refused(tmp_path, content, sentence):
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"a.tif: .*{sentence}") as caught:
        read_raster(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tags, sentence", [
    ({256: (4, [36])}, "too few bytes for what it should hold"),
    ({257: (4, [22])}, "lists 1 strips or tiles, its dimensions make 2"),
    ({256: (4, [HUGE])}, "a strip or tile of it holds"),
    ({256: (4, [0])}, "21 rows, 0 columns"),
    ({257: (4, [2**32 - 1])}, "4294967295 rows, 35 columns"),
    ({256: None}, "tag 256 is missing"),
    ({256: (12, [35.0])}, "tag 256 has type 12"),
    ({256: (4, [35, 35])}, "tag 256 has 2 values, expected one"),
    ({258: (3, [64])}, "too few bytes"),
    ({258: (3, [12]), 339: (3, [1])}, "12 bits of sample format 1, expected 8, 16, 32 or 64; .*gdal_translate"),
    ({258: (3, [8])}, "8 bits of sample format 3"),
    ({258: (3, [32, 16])}, "bands are of several types"),
    ({339: (3, [6])}, "not real numbers"),
    ({277: (3, [0])}, "0 bands"),
    ({277: (3, [9])}, "too few bytes"),
    ({284: (3, [3])}, "planar configuration 3"),
    ({278: (4, [0])}, "strips or tiles of 0 rows"),
    ({278: (4, [1])}, "lists 1 strips or tiles, its dimensions make 21"),
    ({273: (4, [10**6])}, "is cut short"),
    ({273: (16, [2**64 - 1])}, "is cut short"),
    ({273: (4, [4])}, "too few bytes"),
    ({279: (4, [10**9])}, "is cut short"),
    ({279: (4, [0])}, "too few bytes"),
    ({279: (4, [2939])}, "too few bytes"),
    ({273: None}, "lists 0 strips or tiles"),
    ({259: (3, [7])}, "compression JPEG, .*gdal_translate -co COMPRESS=DEFLATE"),
    ({259: (3, [999])}, "compression 999"),
    ({262: (3, [6])}, "YCbCr"),
    ({266: (3, [2])}, "bits in reverse order"),
    ({42113: (2, b"nodata\0")}, "nodata value is 'nodata'"),
    ({42112: (2, b"<GDALMetadata>\0")}, "GDAL metadata cannot be read"),
    ({42112: (2, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>\0')}, "declares a document type"),
    ({42112: (2, b'<a><Item sample="0" role="scale">inf</Item></a>\0')}, "scale inf"),
    ({33550: (12, [0.5])}, "does not say where its pixels lie"),
    ({33550: (12, [0.5, float("nan"), 0])}, "expected positive sizes"),
    ({33922: (12, [0, 0, 0, float("inf"), 40.0, 0])}, "expected positive sizes"),
    ({34735: (3, [1, 1, 0, 99])}, "GeoKey directory is cut short"),
])  # fmt: skip
def test_a_tag_that_cannot_be_true_is_refused_by_name(tmp_path, tags, sentence):
    refused(tmp_path, tiff(VALUES, tags=tags), sentence)


def test_a_codec_that_cannot_have_shrunk_so_much_is_not_started(tmp_path):
    for codec in ("deflate", "lzw", "packbits", "zstd", "lzma"):
        claim = {256: (4, [40_000]), 257: (4, [10_000]), 278: (4, [10_000])}
        refused(tmp_path, tiff(VALUES, codec, tags=claim), "too few bytes for what it should hold")


@pytest.mark.parametrize("codec", ["deflate", "lzw", "packbits", "zstd", "lzma"])
def test_a_segment_that_decodes_to_fewer_pixels_or_is_damaged_is_refused(tmp_path, codec):
    short = [compressed(VALUES.tobytes()[:-4], codec)]
    refused(tmp_path, tiff(VALUES, codec, segments_stored=short), "expected 2940|no ZSTD")
    whole = compressed(VALUES.tobytes(), codec)
    refused(tmp_path, tiff(VALUES, codec, segments_stored=[whole[: len(whole) // 2]]), "expected 2940|are no ZSTD")
    if codec != "packbits":
        refused(tmp_path, tiff(VALUES, codec, segments_stored=[b"\xff" * len(whole)]), "no|expected 2940")


def test_the_checksum_of_deflate_tells_damage_that_would_pass_for_pixels(tmp_path):
    whole = compressed(bytes(VALUES.nbytes), "deflate")
    refused(tmp_path, tiff(0 * VALUES, "deflate", segments_stored=[whole[:-1] + b"\7"]), "no deflate")
    refused(tmp_path, tiff(0 * VALUES, "deflate", segments_stored=[whole[:-2]]), "no deflate: its end is missing")
    longer = compressed(bytes(2 * VALUES.nbytes), "deflate")
    refused(tmp_path, tiff(0 * VALUES, "deflate", segments_stored=[longer[:-1] + b"\7"]), "no deflate")
    (tmp_path / "b.tif").write_bytes(tiff(0 * VALUES, "deflate", segments_stored=[longer]))
    assert not read_raster(tmp_path / "b.tif").values.any()  # a last strip that is filled up to its full height


def test_lzw_of_before_1992_is_named(tmp_path):
    stored = [b"\0\1" + bytes(3000)]
    refused(tmp_path, tiff(VALUES, "lzw", segments_stored=stored), "its LZW is that of before 1992.*gdal_translate")


@pytest.mark.parametrize("content", [
    b"", b"II*\0", b"II*\0\0\0\0\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff",
    b"II+\0\x08\0\0\0" + bytes(8), b"II+\0\x04\0\0\0" + bytes(8), b"PK\3\4" + bytes(99), b"\x89PNG\r\n",
    b"II+\0\x08\0\0\0\x10" + bytes(7) + b"\xff" * 8,
])  # fmt: skip
def test_what_is_no_tiff_is_refused(tmp_path, content):
    refused(tmp_path, content, "(cannot be read as a TIFF|is cut short|is empty|is packed by zip)")


def test_a_chain_of_directories_that_returns_to_itself_ends_in_a_sentence(tmp_path):
    content = b"II*\0\x08\0\0\0" + directory({256: (4, [1])}, 8, "<", "I", following=8)
    refused(tmp_path, content, "chain of directories does not end")


def test_a_damaged_mask_or_one_of_another_size_is_refused(tmp_path):
    mask = np.eye(21, 35, dtype=bool)
    refused(tmp_path, with_mask(tiff(VALUES), mask[:, :8]), "its mask has")
    (tmp_path / "c.tif").write_bytes(with_mask(tiff(VALUES), mask))
    assert np.array_equal(read_raster(tmp_path / "c.tif").valid, mask)
    content = bytearray(with_mask(tiff(VALUES), mask))
    place = content.rindex(b"\x16\x01\x04\0\x01\0\0\0\x15")  # rows of a strip, 21
    content[place + 8] = 7
    refused(tmp_path, bytes(content), "lists 1 strips or tiles, its dimensions make 3")


def test_a_band_larger_than_allowed_is_refused_and_a_window_of_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "a.tif").write_bytes(tiff(VALUES, rows=4))
    with pytest.raises(InputError, match="a band takes 2940 bytes of memory; read a window of it"):
        read_raster(tmp_path / "a.tif", most_bytes=2939)
    assert np.array_equal(read_raster(tmp_path / "a.tif", window=(2, 6, 0, 35), most_bytes=560).values, VALUES[2:6])
    monkeypatch.setenv("REFIMPL_MOST_BYTES", "2940")
    assert read_raster(tmp_path / "a.tif").values.shape == (21, 35)
    monkeypatch.setenv("REFIMPL_MOST_BYTES", "much")
    with pytest.raises(InputError, match="REFIMPL_MOST_BYTES: 'much' is no number of bytes"):
        read_raster(tmp_path / "a.tif")


def test_a_small_file_that_claims_much_is_refused_soon_and_in_little_memory(tmp_path):
    tiles = {322: (4, [2**14]), 323: (4, [2**14]), 256: (4, [2**14]), 257: (4, [2**14]), 324: (4, [0]), 325: (4, [0])}
    content = tiff(VALUES, tags=tiles | {273: None, 278: None, 279: None})
    tracemalloc.start()
    start = time.process_time()
    refused(tmp_path, content, "never written; if that is meant, allow it with REFIMPL_MOST_BYTES")
    assert time.process_time() - start < 1 and tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_2000_mutated_files_give_the_shape_they_name_or_one_sentence(tmp_path):
    found = fuzz(2000, 5, tmp_path)
    assert found["read"] > 200 and found["refused"] > 500
