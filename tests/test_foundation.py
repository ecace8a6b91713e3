"""Twins, atomic files, progress and tables: what every room stands on."""

import io
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from refimpl import progress
from refimpl.errors import InputError
from refimpl.formats.files import STALE_AFTER, atomic_path, existing_file, sha256, sweep_stale, write_text
from refimpl.formats.tables import read_table, write_table
from refimpl.twins import REGISTRY, Twin, backend, current_backend, twin


def plain(x):
    return "reference"


def test_a_call_runs_the_kernel_and_inside_backend_numpy_the_reference(monkeypatch):
    monkeypatch.setattr(Twin, "kernel", property(lambda self: lambda x: "kernel"))
    monkeypatch.delenv("REFIMPL_BACKEND", raising=False)
    pair = Twin(plain, "kernels.nowhere")
    assert pair(1) == "kernel"
    with backend("numpy"):
        assert pair(1) == "reference"
        with backend("numba"):
            assert pair(1) == "kernel"
    assert pair(1) == "kernel"


def test_the_environment_chooses_the_backend_and_a_wrong_name_is_refused(monkeypatch):
    monkeypatch.setenv("REFIMPL_BACKEND", "numpy")
    assert current_backend() == "numpy"
    monkeypatch.setenv("REFIMPL_BACKEND", "cupy")
    with pytest.raises(InputError, match="REFIMPL_BACKEND: unknown backend 'cupy'"):
        current_backend()


def test_two_references_of_one_name_cannot_be_registered():
    try:
        twin("kernels.nowhere")(plain)
        with pytest.raises(RuntimeError, match="registered"):
            twin("kernels.nowhere")(plain)
    finally:
        REGISTRY.pop(f"{plain.__module__}.plain")


def test_a_foreign_package_named_kernels_is_told_apart(tmp_path):
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "__init__.py").write_text("")
    code = (
        "import refimpl.twins as t, refimpl.errors as e, sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r}); sys.modules.pop('kernels', None)\n"
        "try: t.Twin(len, 'kernels.x').kernel\n"
        "except e.InputError as fault: print(fault)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "is not refimpl's" in out and str(tmp_path) in out


def test_import_and_help_load_no_numba():
    code = "import sys, refimpl, refimpl.cli; refimpl.cli.parser().format_help(); print('numba' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "False"


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    target = tmp_path / "a.csv"
    write_text(target, "old")
    with pytest.raises(ZeroDivisionError), atomic_path(target) as temporary:
        temporary.write_text("half")
        1 / 0
    assert target.read_text() == "old" and os.listdir(tmp_path) == ["a.csv"]


def test_only_old_temporaries_of_ours_are_swept(tmp_path):
    for name, age in (
        (".refimpl-partial-1-a.tif", STALE_AFTER + 60),
        (".refimpl-partial-2-b.tif", 0),
        ("old.tif", STALE_AFTER + 60),
    ):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    sweep_stale(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".refimpl-partial-2-b.tif", "old.tif"]


def test_sha256_is_the_standard_one(tmp_path):
    write_text(tmp_path / "abc", "abc")  # the test vector of FIPS 180-4
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_missing_file_is_told_with_what_its_folder_holds(tmp_path):
    write_text(tmp_path / "ntl_2010.tif", "")
    with pytest.raises(InputError, match=r"ntl\.tif: does not exist, expected lights; did you mean 'ntl_2010\.tif'"):
        existing_file(tmp_path / "ntl.tif", "lights")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_appears_after_two_seconds_with_the_time_left_and_only_on_a_terminal():
    now = [0.0]
    shown, hidden = Terminal(), io.StringIO()
    for stream in (shown, hidden):
        now[0] = 0.0
        line = progress.Progress("training", stream, clock=lambda: now[0])
        now[0] = 1.0
        line.update(0.1)
        assert stream.getvalue() == ""
        now[0] = 4.0
        line.update(0.25)
        line.close()
    assert "training:  25 %, 12 s left" in shown.getvalue() and shown.getvalue().endswith(
        "training: 4 s             \n"
    )
    assert hidden.getvalue() == ""


def test_quiet_silences_progress(monkeypatch):
    monkeypatch.setattr(progress, "_quiet", True)
    stream = Terminal()
    line = progress.Progress("training", stream, clock=iter([0.0, 5.0, 5.0]).__next__)
    line.update(0.5)
    assert stream.getvalue() == ""


def test_floats_survive_a_csv_bit_for_bit(tmp_path):
    values = np.array([0.1, 1 / 3, 5e-324, -0.0, 1e300])
    write_table(tmp_path / "a.csv", {"x": values})
    back = read_table(tmp_path / "a.csv", ["x"], "numbers").numbers("x")
    assert back.tobytes() == values.tobytes()
