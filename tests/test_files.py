"""Files appear whole or not at all; what dead processes left is swept; a fault of the disk is one sentence."""

import errno
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from refimpl.errors import InputError
from refimpl.formats import files
from refimpl.formats.files import (
    STALE_AFTER,
    atomic_path,
    check_outputs,
    checksums,
    sweep_stale,
    write_bytes,
    write_text,
)

posix = pytest.mark.skipif(os.name != "posix", reason="forks")
FULL = {errno.ENOSPC: "No space left on device", errno.EDQUOT: "Disk quota exceeded", errno.EFBIG: "File too large"}


def raising(number):
    def fails(*_, **__):
        raise OSError(number, os.strerror(number))

    return fails


def dead_process():
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def temporary_of(process, name="a.tif", host=None):
    return f".refimpl-partial-{host or files._host()}-{process}-{name}"


@pytest.mark.parametrize("number", FULL)
@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_is_one_sentence_and_the_old_file_stays(tmp_path, monkeypatch, number, call):
    target = tmp_path / "a.csv"
    write_text(target, "old")
    if call != "write":
        monkeypatch.setattr(os, call, raising(number))
    with pytest.raises(InputError) as told, atomic_path(target) as temporary:
        temporary.write_text("half")
        if call == "write":
            raising(number)()
    assert str(told.value) == (
        f"{target}: cannot be written, the disk is full ({FULL[number]}); make room there, "
        "or choose a folder on another disk, and run again"
    )
    monkeypatch.undo()
    assert target.read_text() == "old" and os.listdir(tmp_path) == ["a.csv"]


@posix
@pytest.mark.parametrize("room", [0, 1, 8191, 8192, 99_999])
def test_a_file_that_does_not_fit_is_one_sentence_and_leaves_nothing(tmp_path, room):
    (tmp_path / "a.bin").write_text("old")
    code = (
        "import resource, sys; from refimpl.formats.files import write_bytes; from refimpl.errors import InputError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)\n"
        "try: write_bytes(sys.argv[1], bytes(100_000))\n"
        "except InputError as fault: print(fault)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.bin"), str(room)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "a.bin: cannot be written, the disk is full (File too large); make room" in said and said.count("\n") == 1
    assert (tmp_path / "a.bin").read_text() == "old" and os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux's full device")
def test_a_disk_that_is_found_full_at_the_last_flush_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="the disk is full"), atomic_path(tmp_path / "a.csv"):
        with open("/dev/full", "w") as handle:  # buffered: the fault comes when it is closed
            handle.write("x")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_may_not_be_written_is_one_sentence(tmp_path, monkeypatch, number):
    write_text(tmp_path / "a.csv", "old")
    monkeypatch.setattr(os, "replace", raising(number))
    expected = f"a.csv: cannot be written ({os.strerror(number)}); choose a folder that you may write to"
    with pytest.raises(InputError, match=re.escape(expected) + "$"):
        write_text(tmp_path / "a.csv", "new")
    assert (tmp_path / "a.csv").read_text() == "old" and os.listdir(tmp_path) == ["a.csv"]


@posix
def test_a_folder_that_vanishes_is_one_sentence(tmp_path):
    folder = tmp_path / "out"
    with pytest.raises(InputError, match="a.csv: cannot be written, its folder .*out is gone; make it again"):
        with atomic_path(folder / "a.csv") as temporary:
            temporary.write_text("half")
            temporary.unlink()
            folder.rmdir()
    assert not folder.exists()


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="a.csv: cannot be written .*; choose a folder"):
        write_text(tmp_path / "out" / "a.csv", "new")


def test_a_file_is_on_the_disk_before_it_has_its_name_and_its_folder_after(tmp_path, monkeypatch):
    told = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (told.append(os.fstat(descriptor).st_ino), fsync(descriptor)))
    monkeypatch.setattr(os, "replace", lambda *names: (told.append("named"), replace(*names)))
    write_bytes(tmp_path / "a.bin", b"whole")
    folder = [tmp_path.stat().st_ino] if os.name == "posix" else []
    assert told == [(tmp_path / "a.bin").stat().st_ino, "named", *folder]


def test_a_long_name_is_written_too_and_keeps_its_ending_meanwhile(tmp_path):
    target = tmp_path / ("ä" * 125 + ".tif")  # 254 bytes of the 255 that a name may have
    with atomic_path(target) as temporary:
        assert temporary.suffix == ".tif" and temporary.parent == tmp_path
        temporary.write_bytes(b"x")
    assert os.listdir(tmp_path) == [target.name]
    with pytest.raises(InputError, match="File name too long.; choose a shorter name"):
        write_text(tmp_path / ("ä" * 126 + ".tif"), "")


@posix
def test_what_a_dead_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path):
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    dead, other_machine = temporary_of(dead_process()), temporary_of(dead_process(), host="elsewhere")
    kept = [temporary_of(living.pid), other_machine, ".refimpl-partial-odd", temporary_of("12x"), "a.tif"]
    for name in (dead, *kept):
        (tmp_path / name).write_text("half")
    sweep_stale(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(kept)
    living.communicate(b"\n")
    sweep_stale(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(kept[1:])


def test_a_temporary_of_another_machine_is_swept_after_a_day(tmp_path):
    ages = {"1": STALE_AFTER - 60, "2": STALE_AFTER + 60}
    for process, age in ages.items():
        (tmp_path / temporary_of(process, host="elsewhere")).write_text("half")
        os.utime(tmp_path / temporary_of(process, host="elsewhere"), (time.time() - age,) * 2)
    sweep_stale(tmp_path)
    assert os.listdir(tmp_path) == [temporary_of("1", host="elsewhere")]


def test_what_an_earlier_process_of_our_number_left_is_swept_and_what_we_write_is_not(tmp_path):
    (tmp_path / temporary_of(os.getpid(), "left.tif")).write_text("half")
    with atomic_path(tmp_path / "a.csv") as temporary:
        temporary.write_text("whole")
        sweep_stale(tmp_path)
        assert os.listdir(tmp_path) == [temporary.name]
    assert os.listdir(tmp_path) == ["a.csv"]


def test_who_is_alone_in_a_folder_sweeps_every_temporary(tmp_path):
    for name in (temporary_of(os.getpid()), temporary_of(1, host="elsewhere"), ".refimpl-partial-odd", "mine.txt"):
        (tmp_path / name).write_text("")
    sweep_stale(tmp_path, alone=True)
    assert os.listdir(tmp_path) == ["mine.txt"]


def test_a_verb_sweeps_the_folders_that_it_will_write_to(tmp_path):
    (tmp_path / "maps").mkdir()
    for folder in (tmp_path, tmp_path / "maps"):
        (folder / temporary_of(os.getpid())).write_text("half")
    check_outputs([tmp_path / "maps" / "a.tif", None, tmp_path / "new" / "b.tif"], [])
    assert os.listdir(tmp_path / "maps") == [] and temporary_of(os.getpid()) in os.listdir(tmp_path)


def test_checksums_are_those_of_fips_180_4_by_the_path_as_given(tmp_path):
    abc, empty = tmp_path / "abc", Path(os.path.relpath(tmp_path)) / "empty"
    write_text(abc, "abc")
    write_text(empty, "")
    assert checksums([abc, empty, abc]) == {
        abc: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        empty: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }
    with pytest.raises(InputError, match="nowhere: cannot be read .*; check the path"):
        checksums([abc, tmp_path / "nowhere"])
