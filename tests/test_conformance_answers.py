"""Hostile answers: nothing is unpickled, opened, allocated or held that an answer does not need."""

import os
import pickle
import struct
import time
import zlib

import numpy as np
import pytest
import tifffile

from refimpl.conformance.answers import given_answers, read_answers
from refimpl.conformance.case import Expectation
from refimpl.conformance.compare import compare
from refimpl.conformance.csv_and_npy import read_columns, read_npy, write_npy
from refimpl.conformance.task import Task
from refimpl.conformance.writing import write_answers
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.errors import InputError
from refimpl.formats.writing import write_raster

GRID = Grid(ALBERS_CHINA, (0, 0, 1000, -1000), (2, 3))
VALUES = np.arange(6.0).reshape(2, 3)
NAMES = ("image.npy", "table.csv", "map.tif")


@pytest.fixture
def folders(tmp_path):
    """(OUT_DIR with right answers, the expected ones)."""
    for name in ("got", "expected"):
        folder = tmp_path / name
        folder.mkdir()
        write_npy(folder / "image.npy", VALUES)
        (folder / "table.csv").write_text("code,total\n11,2.5\n12,\n")
        write_raster(folder / "map.tif", Raster.masked(VALUES, VALUES != 4, GRID))
    return tmp_path / "got", tmp_path / "expected"


def faults(folders):
    return read_answers(*folders, NAMES)[1]


def header(descr="<f8", shape=(2, 3), fortran=False):
    text = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape!r}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def test_right_answers_are_read(folders):
    answers, wrong = read_answers(*folders, NAMES)
    assert wrong == [] and list(answers) == list(NAMES)
    assert answers["image.npy"].tolist() == VALUES.tolist() and answers["table.csv"]["total"][0] == 2.5
    assert not answers["map.tif"].valid[1, 1]


def test_missing_and_extra_files_are_reported(folders):
    (folders[0] / "table.csv").unlink()
    (folders[0] / "notes.txt").write_text("x")
    (folders[0] / "cache").mkdir()
    assert faults(folders) == [
        "'cache' is no output of this operation",
        "'notes.txt' is no output of this operation",
        "table.csv is missing",
    ]


def test_a_folder_that_was_removed_or_replaced_is_not_followed(folders, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(folders[1])
    assert read_answers(link, folders[1], NAMES) == ({}, ["the output folder was removed or replaced"])
    assert read_answers(tmp_path / "none", folders[1], NAMES)[1]


def test_very_many_files_are_not_listed(folders):
    for n in range(101):
        (folders[0] / f"{n}.txt").touch()
    assert len(faults(folders)) == 1 and "more than 100 files" in faults(folders)[0]


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_plain_file_is_not_opened(folders, kind):
    path = folders[0] / "image.npy"
    path.unlink()
    {
        "link": lambda: path.symlink_to(folders[1] / "image.npy"),
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
    }[kind]()
    assert "is no plain file" in faults(folders)[0]


def test_a_file_much_larger_than_expected_is_not_read(folders):
    with open(folders[0] / "image.npy", "wb") as handle:
        handle.truncate(2**33)
    start = time.perf_counter()
    assert "has 8589934592 bytes" in faults(folders)[0]
    assert time.perf_counter() - start < 1


class Spiteful:
    def __reduce__(self):
        return os.mkdir, ("PWNED",)


def test_a_pickle_is_never_loaded(folders, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (folders[0] / "image.npy").write_bytes(pickle.dumps(Spiteful()))
    assert "is not an array in NumPy's format" in faults(folders)[0]
    (folders[0] / "image.npy").write_bytes(header("|O", (1,)) + pickle.dumps([Spiteful()]))
    assert "holds Python objects (a pickle), never read here" in faults(folders)[0]
    assert not (tmp_path / "PWNED").exists()


BAD_ARRAYS = {
    "its header claims 8000000000000 bytes": header(shape=(10**6, 10**6)) + b"\0" * 48,
    "its header claims 48 bytes": header() + b"\0" * 47,
    "its header claims 40 bytes": header(shape=(5,)) + b"\0" * 48,
    "is big endian": header(">f8") + b"\0" * 48,
    "has the type '<f2'": header("<f2") + b"\0" * 12,
    "has the type '<U1000000'": header("<U1000000", (1,)) + b"\0" * 48,
    "holds Python objects": header([("a", "<f8")]) + b"\0" * 48,
    "is in Fortran order": header(fortran=True) + b"\0" * 48,
    "is not of NumPy's format 1.0": b"\x93NUMPY\x02\x00" + b"\0" * 90,
    "its header cannot be read": b"\x93NUMPY\x01\x00\x40\x00" + b"__import__('os')".ljust(64),
    "is not an array": b"",
    "its shape": header(shape=(0, 2**62, 2**62)),
}


@pytest.mark.parametrize("sentence", BAD_ARRAYS)
def test_a_bad_array_is_one_sentence(folders, sentence):
    (folders[0] / "image.npy").write_bytes(BAD_ARRAYS[sentence])
    assert [fault for fault in faults(folders) if f"image.npy: {sentence}" in fault], faults(folders)


@pytest.mark.parametrize("shape", ["(-1, 3)", "(True, 3)", "((1,), 3)", "(1.0, 3)", "'ab'", "(" * 900])
def test_a_header_with_an_odd_shape_is_refused(tmp_path, shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    with pytest.raises(InputError, match="header"):
        read_npy(tmp_path / "a.npy")


def test_every_type_of_the_contract_is_read_as_numpy_wrote_it(tmp_path):
    for dtype in (float, np.float32, np.int64, np.uint8, bool):
        for shape in ((), (0, 3), (4,), (2, 3), (2, 1, 2)):
            array = (np.arange(int(np.prod(shape))).reshape(shape) % 2).astype(dtype)
            np.save(tmp_path / "a.npy", array, allow_pickle=False)
            found = read_npy(tmp_path / "a.npy")
            assert found.dtype == array.dtype and found.shape == shape and np.array_equal(found, array)


def test_nan_and_a_wrong_type_are_read_and_fail_the_comparator(folders):
    for wrong, words in ((np.full((2, 3), np.nan), "beyond"), (VALUES.astype(np.float32), "float32")):
        write_npy(folders[0] / "image.npy", wrong)
        answers, none = read_answers(*folders, NAMES)
        assert not none
        judged = compare(Expectation("image.npy", "rms", 1e9, ""), VALUES, answers["image.npy"])
        assert words in judged.sentence


BAD_TABLES = {
    "cannot be read as CSV": b"\xff\xfe\x00",
    "is empty": b"\n",
    "stands twice": b"a,a\n1,2\n",
    "row 1: 3 cells, expected 2": b"a,b\n1,2,3\n",
    "row 2: 1 cells": b"a,b\n1,2\n1\n",
}


@pytest.mark.parametrize("sentence", BAD_TABLES)
def test_a_bad_table_is_one_sentence(folders, sentence):
    (folders[0] / "table.csv").write_bytes(BAD_TABLES[sentence])
    assert "table.csv" in faults(folders)[0] and sentence in faults(folders)[0]


def test_a_table_may_have_windows_line_ends_a_mark_spaces_and_quotes(tmp_path):
    (tmp_path / "a.csv").write_bytes('\ufeffcode, "total"\r\n11, 2.5\r\n12,nan\r\n'.encode())
    columns = read_columns(tmp_path / "a.csv")
    assert columns["code"].dtype == np.int64 and columns["total"][0] == 2.5 and np.isnan(columns["total"][1])


def test_a_number_is_what_every_language_writes_and_nothing_else(tmp_path):
    (tmp_path / "a.csv").write_text("a,b,c,d\n1e-3,1_000,-inf,0x10\n-.5,1,5.,2\n")
    columns = read_columns(tmp_path / "a.csv")
    assert columns["a"].tolist() == [0.001, -0.5] and columns["b"] == ["1_000", "1"]
    assert columns["c"].tolist() == [-np.inf, 5.0] and columns["d"] == ["0x10", "2"]


def test_a_raster_that_is_none_or_claims_much_more_than_expected_is_one_sentence(folders):
    (folders[0] / "map.tif").write_bytes(b"II*\0" + b"\xff" * 60)
    assert "map.tif" in faults(folders)[0]
    zeros = np.zeros((20000, 20000), np.uint8)
    tifffile.imwrite(folders[0] / "map.tif", zeros, compression="zlib", rowsperstrip=20000)
    assert faults(folders) == ["map.tif has 20000 rows and 20000 columns, expected 2 and 3"]
    tifffile.imwrite(folders[0] / "map.tif", np.zeros((2, 3, 4), np.uint8), photometric="minisblack")
    assert faults(folders)


def test_a_raster_of_very_many_pages_or_with_a_boundless_tag_is_one_sentence(folders):
    with tifffile.TiffWriter(folders[0] / "map.tif") as writer:
        for _ in range(3):
            writer.write(np.zeros((2, 3)), photometric="minisblack", contiguous=False)
    assert faults(folders) == ["map.tif has more than 2 pages, expected one image and at most a mask"]
    content = bytearray((folders[1] / "map.tif").read_bytes())
    first, tags = struct.unpack_from("<I", content, 4)[0], 0
    for tag in range(struct.unpack_from("<H", content, first)[0]):
        at = first + 2 + 12 * tag
        if struct.unpack_from("<H", content, at)[0] in (33922, 34735):
            struct.pack_into("<I", content, at + 4, 2**31)
            tags += 1
    (folders[0] / "map.tif").write_bytes(content)
    assert tags == 2 and len(faults(folders)) == 1 and "map.tif" in faults(folders)[0]


def tag_at(content, code, page=0):
    """Where the entry of a tag stands in a little endian TIFF."""
    start = struct.unpack_from("<I", content, 4)[0]
    for _ in range(page):
        start = struct.unpack_from("<I", content, start + 2 + 12 * struct.unpack_from("<H", content, start)[0])[0]
    entries = (start + 2 + 12 * n for n in range(struct.unpack_from("<H", content, start)[0]))
    return next(at for at in entries if struct.unpack_from("<H", content, at)[0] == code)


@pytest.mark.parametrize("kind,count", [(3, 2), (2, 4), (7, 4)])
def test_a_raster_whose_size_is_no_number_is_one_sentence(folders, kind, count):
    content = bytearray((folders[1] / "map.tif").read_bytes())
    struct.pack_into("<HI", content, tag_at(content, 257) + 2, kind, count)
    (folders[0] / "map.tif").write_bytes(content)
    assert len(faults(folders)) == 1 and faults(folders)[0].startswith("map.tif")


def test_a_mask_of_another_size_is_one_sentence(folders):
    with tifffile.TiffFile(folders[1] / "map.tif") as handle:
        tags = [(t.code, t.dtype, t.count, t.value, True) for t in handle.pages[0].tags.values() if t.code > 33000]
    with tifffile.TiffWriter(folders[0] / "map.tif") as writer:
        writer.write(VALUES, photometric="minisblack", metadata=None, extratags=tags)
        writer.write(np.ones((2, 8), np.uint8), photometric="minisblack", metadata=None, subfiletype=1)
    content = bytearray((folders[0] / "map.tif").read_bytes())
    struct.pack_into("<I", content, tag_at(content, 254, page=1) + 8, 4)
    (folders[0] / "map.tif").write_bytes(content)
    assert len(faults(folders)) == 1 and faults(folders)[0].startswith("map.tif: cannot be read as a TIFF (its mask has")


def test_a_small_raster_of_huge_tiles_is_not_decoded(folders):
    packed = zlib.compress(bytes(2**26))
    tile = {"tile": (8192, 8192), "compression": "zlib", "photometric": "minisblack"}
    tifffile.imwrite(folders[0] / "map.tif", iter([packed]), shape=(2, 3), dtype=np.uint8, **tile)
    assert faults(folders) == ["map.tif has strips or tiles of 67108864 cells, expected 6"]


def test_a_sentence_that_quotes_the_file_is_cut(folders):
    content = bytearray((folders[1] / "map.tif").read_bytes())
    at = tag_at(content, 42113)
    struct.pack_into("<II", content, at + 4, 5000, len(content))
    (folders[0] / "map.tif").write_bytes(bytes(content) + b"9" * 4999 + b"\0")
    assert len(faults(folders)) == 1 and len(faults(folders)[0]) <= 400


@pytest.mark.parametrize("text", ["1" * 120000 + "x\n", ",".join(map(str, range(150000))) + "\n", "a\n" + "9" * 99999])
def test_a_table_made_to_be_slow_is_read_or_refused_at_once(folders, text):
    (folders[0] / "table.csv").write_text(text)
    start = time.perf_counter()
    answers, wrong = read_answers(*folders, NAMES)
    assert wrong or not compare(Expectation("t", "abs", 1.0, ""), {"b": np.ones(1)}, answers["table.csv"]).passed
    assert time.perf_counter() - start < 5


def test_a_raster_cut_short_is_one_sentence(folders):
    content = (folders[0] / "map.tif").read_bytes()
    (folders[0] / "map.tif").write_bytes(content[: len(content) // 2])
    assert len(faults(folders)) == 1 and "map.tif" in faults(folders)[0]


def test_answers_of_a_function_are_read_like_files_and_written_for_a_program(tmp_path):
    task = Task("toy", "run", {}, tmp_path, (), NAMES)
    raster = Raster.masked(VALUES.astype(np.uint8), VALUES != 4, GRID)
    given = {"image": VALUES.tolist(), "table": {"code": [11, 12], "total": [2.5, None]}, "map": raster}
    answers, wrong = given_answers(given, task)
    assert wrong == [] and answers["table.csv"]["code"].dtype == np.int64
    write_answers(task, given, tmp_path)
    read, wrong = read_answers(tmp_path, tmp_path, NAMES)
    assert wrong == []
    for name in NAMES:
        assert compare(Expectation(name, "exact", 0.0, ""), answers[name], read[name]).passed


def test_a_function_that_returns_the_wrong_things_is_told_so(tmp_path):
    task = Task("toy", "run", {}, tmp_path, (), NAMES)
    given = {"image": "x", "table": {"a": [1], "b": [1, 2]}, "other": 1}
    assert given_answers(given, task)[1] == [
        "'other' is no output of this operation",
        "image.npy: is of type <U1, expected numbers",
        "table.csv: its columns have lengths 1, 2",
        "map.tif is missing",
    ]
    assert "a list was returned" in given_answers([], task)[1][0]
    with pytest.raises(ValueError, match="map.tif is missing"):
        write_answers(task, {"image": VALUES, "table": {"a": [1]}}, tmp_path)


class Unreadable:
    def __array__(self, *_, **__):
        raise RuntimeError("it requires grad")

    def __iter__(self):
        raise ZeroDivisionError


def test_a_function_that_returns_what_cannot_be_read_is_told_so(tmp_path):
    task = Task("toy", "run", {}, tmp_path, (), NAMES[:2])
    given = {"image": [[1], [1, 2]], "table": {"a": Unreadable()}}
    assert given_answers(given, task)[1] == [
        "image.npy: is a list that cannot be read (ValueError)",
        "table.csv: is a dict that cannot be read (ZeroDivisionError)",
    ]
    given = {"image": Unreadable(), "table": {"a": [1]}}
    assert given_answers(given, task)[1] == ["image.npy: is a Unreadable that cannot be read (RuntimeError)"]
