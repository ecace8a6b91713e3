"""TIFFs, whole and damaged, read by tifffile and Pillow beside us: where they read rightly, they read the same."""

import pytest

from tests.peers import other_readers

pytest.importorskip("resource")


def test_whole_files_are_read_as_tifffile_and_pillow_read_them():
    with other_readers.guarded():
        found = other_readers.whole_files()
    assert set(found["tifffile"].values()) == {"same", "refused"}
    # Pillow leaves the bytes of big-endian numbers of two and four bytes as they come out of libtiff.
    assert {case[3] for case, word in found["Pillow"].items() if word == "different"} <= {"big-endian"}
    for cases in found.values():
        assert list(cases.values()).count("same") > 200


def test_damaged_files_that_tifffile_reads_are_refused_or_read_the_same():
    with other_readers.guarded():
        found = other_readers.damaged_files(200, 1)["tifffile"]
    assert found["other values than ours"] == 0 and found["the same values"] > 20
