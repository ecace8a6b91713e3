"""``refimpl verify`` and ``check`` on a suite of five cases: statuses, findings, lists of known failures, records."""

import hashlib
import io
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from refimpl.cli import main
from refimpl.conformance import Task, check
from refimpl.conformance.csv_and_npy import write_npy
from refimpl.conformance.judge import names
from refimpl.conformance.operations import METHOD_OPERATIONS as METHOD
from refimpl.conformance.suite import Suite, find_suite
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.errors import InputError
from refimpl.formats.writing import write_raster

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the program under test is a shell script")
IMAGES = np.arange(24.0).reshape(2, 3, 4)
PROGRAM = """case=$(sed -n 's/^case,//p' "$1/task.csv")
if [ -f "{0}/$case/stderr" ]; then cat "{0}/$case/stderr" >&2; fi
if [ -f "{0}/$case/status" ]; then exit $(cat "{0}/$case/status"); fi
cp "{0}/$case/out/"* "$2"
"""
"""Answers with the files of answers/CASE/out, or ends with answers/CASE/status and says answers/CASE/stderr."""


def write_case(root, case_id, operation, stage, parameters=None, inputs=(), outputs=None, fields=()):
    """One case from files that stand below its folder already."""
    digest = lambda side, name: hashlib.sha256((root / case_id / side / name).read_bytes()).hexdigest()
    limits = {
        name: {"sha256": digest("out", name), "cmp": cmp, "limit": limit, "why": "a reason"}
        for name, (cmp, limit) in (outputs or {}).items()
    }
    case = {
        "id": case_id,
        "title": f"About {operation}",
        "stage": stage,
        "operation": operation,
        "references": ["Eq. 3", "D17"],
        "flags": [] if fields else ["the-bug"],
        "verdict": "invalid" if fields else "valid",
        "parameters": parameters or {},
        "inputs": {name: {"sha256": digest("in", name)} for name in inputs},
        "outputs": limits,
        "invariants": [],
        "fault": {"fields": list(fields), "why": "shape is empty"} if fields else None,
        "oracle": {"name": "hand", "how": "On paper."},
    }
    (root / case_id).mkdir(exist_ok=True)
    (root / case_id / "case.json").write_text(json.dumps(case))


@pytest.fixture
def suite(tmp_path):
    """A folder like golden/v1 with an array, a table and a raster to answer, and two cases to refuse."""
    root = tmp_path / "v1"
    for case_id in ("areas", "errors", "middle", "per-km2"):
        for side in ("in", "out"):
            (root / case_id / side).mkdir(parents=True)
    crs = {"crs": "albers-china", "transform": [0, 0, 1000, -2500], "shape": [3, 2]}
    write_npy(root / "areas" / "out" / "areas.npy", np.full(3, 2.5))
    write_case(root, "areas", "cell_areas", "raster", crs, outputs={"areas.npy": ("ulp", 2)})
    write_case(root, "areas-refuses-shape", "cell_areas", "raster", crs | {"shape": [0, 2]}, fields=["shape"])
    write_npy(root / "middle" / "in" / "images.npy", IMAGES)
    write_npy(root / "middle" / "out" / "median.npy", np.median(IMAGES, axis=0))
    write_case(root, "middle", "median", "zssr", {}, ["images.npy"], {"median.npy": ("abs", 1e-9)})
    for name, values in (("observed", [1.0, 2.0, 4.0]), ("estimated", [1.0, 2.0, 3.0])):
        write_npy(root / "errors" / "in" / f"{name}.npy", np.array(values))
    table = "name,value\nr2,0.7857142857142857\nmae,0.3333333333333333\nrmse,0.5773502691896258\nr,0.9819805060619657\n"
    (root / "errors" / "out" / "accuracy.csv").write_text(table)
    inputs = ["observed.npy", "estimated.npy"]
    write_case(root, "errors", "accuracy", "evaluation", {}, inputs, {"accuracy.csv": ("rel", 1e-12)})
    grid = Grid(ALBERS_CHINA, (0, 0, 1000, -2500), (3, 4))
    raster = Raster.masked(IMAGES[0], IMAGES[0] != 7, grid)
    write_raster(root / "per-km2" / "in" / "emission.tif", raster)
    write_raster(root / "per-km2" / "out" / "density.tif", Raster.masked(raster.values * 4000, raster.valid, grid))
    outputs = {"density.tif": ("rel", 1e-12)}
    write_case(root, "per-km2", "emission_density", "allocation", {}, ["emission.tif"], outputs)
    (root / "flags.json").write_text(json.dumps({"the-bug": "what it does to the map"}))
    return root


@pytest.fixture
def program(suite, tmp_path):
    """The command of a program that answers every case of the suite rightly."""
    answers = tmp_path / "answers"
    shutil.copytree(suite, answers)
    reply(answers, "areas-refuses-shape", 1, "shape [0, 2] is empty")
    (tmp_path / "program.sh").write_text(PROGRAM.format(answers))
    return f"sh {tmp_path / 'program.sh'}"


def reply(answers, case_id, status, stderr=""):
    """Let the program end so on that case."""
    (answers / case_id / "status").write_text(str(status))
    (answers / case_id / "stderr").write_text(stderr)


def verify(suite, tmp_path, *options):
    return main(["verify", "--suite", str(suite), "--pictures", str(tmp_path / "pictures"), *map(str, options)])


def test_a_right_program_gets_status_0_and_a_table_by_stage(suite, program, tmp_path, capsys):
    assert verify(suite, tmp_path, "--program", program, "--jobs", 3) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "5 of 5 passed, none failed" in lines
    assert [line.split() for line in lines if line.startswith(("raster ", "all "))] == [
        ["raster", "2", "2", "0", "0"],
        ["all", "5", "5", "0", "0"],
    ]
    assert not (tmp_path / "pictures").exists()


def wrong_raster(tmp_path):
    path = tmp_path / "answers" / "per-km2" / "out" / "density.tif"
    grid = Grid(ALBERS_CHINA, (0, 0, 1000, -2500), (3, 4))
    values = IMAGES[0] * 4000
    values[2, 1] += 5
    write_raster(path, Raster.masked(values, IMAGES[0] != 7, grid))


def test_a_finding_names_case_equation_flag_cell_limit_and_picture(suite, program, tmp_path, capsys):
    wrong_raster(tmp_path)
    assert verify(suite, tmp_path, "--program", program) == 1
    text = capsys.readouterr().out
    picture = tmp_path / "pictures" / "per-km2-density.png"
    for words in (
        "FAILED per-km2: About emission_density",
        "stage allocation, operation emission_density; Eq. 3, D17",
        "D17 after training: self-ensemble of 8",
        "to catch the-bug: what it does to the map",
        "density.tif: 1 of 11 values is beyond the limit",
        "worst cell, row 2, column 1: expected 36000.0, got 36005.0",
        "rel: measured 0.000139, limit 1e-12, because: a reason",
        f"picture: {picture}",
        "expected answer from hand: On paper.",
        "1 of 5 failed, in: allocation",
    ):
        assert words in text, words
    with Image.open(picture) as image:
        assert image.width > image.height > 200


def test_a_wrong_image_has_a_picture_too_even_of_another_shape(suite, program, tmp_path):
    write_npy(tmp_path / "answers" / "middle" / "out" / "median.npy", np.median(IMAGES, axis=0).T)
    assert verify(suite, tmp_path, "--program", program) == 1
    assert (tmp_path / "pictures" / "middle-median.png").is_file()


@pytest.mark.parametrize("values", [[1e308, -1e308, np.inf, np.nan], [np.nan] * 4, [5e-324, 0, 0, 0]])
def test_no_value_is_too_odd_for_a_picture(suite, program, tmp_path, values):
    write_npy(tmp_path / "answers" / "middle" / "out" / "median.npy", np.tile(values, (3, 1)))
    assert verify(suite, tmp_path, "--program", program, "--case", "middle") == 1
    assert (tmp_path / "pictures" / "middle-median.png").is_file()


def test_stages_and_cases_are_selected(suite, program, tmp_path, capsys):
    wrong_raster(tmp_path)
    assert verify(suite, tmp_path, "--program", program, "--stage", "raster", "--stage", "zssr") == 0
    assert "3 of 3 passed" in capsys.readouterr().out
    assert verify(suite, tmp_path, "--program", program, "--case", "middle") == 0
    assert verify(suite, tmp_path, "--program", program, "--case", "per-km2", "--case", "middle") == 1


@pytest.mark.parametrize(
    "case_id,status,stderr,outcome",
    [
        ("areas", 1, "shape", "it refused a valid case, saying: shape"),
        ("areas-refuses-shape", 0, "", "it answered, expected a refusal that names shape: shape is empty"),
        ("areas-refuses-shape", 1, "bad input", "it refused without naming shape"),
        ("areas-refuses-shape", 1, "reshape failed, shapes", "it refused without naming shape"),
        ("areas-refuses-shape", 1, "cannot do areas-refuses-shape", "it refused without naming shape"),
        ("areas-refuses-shape", 1, "Shape", "it refused without naming shape"),
        ("middle", 3, "lost", "its exit status is 3"),
        ("middle", 0, "", "median.npy is missing"),
    ],
)
def test_a_wrong_exit_is_a_failure(suite, program, tmp_path, capsys, case_id, status, stderr, outcome):
    reply(tmp_path / "answers", case_id, status, stderr)
    assert verify(suite, tmp_path, "--program", program) == 1
    assert outcome in capsys.readouterr().out


def test_a_refusal_that_writes_something_is_a_failure(suite, program, tmp_path, capsys):
    script = tmp_path / "program.sh"
    script.write_text('touch "$2/areas.npy"\n' + script.read_text())
    assert verify(suite, tmp_path, "--program", program, "--case", "areas-refuses-shape") == 1
    assert "it refused, but wrote into the output folder: areas.npy" in capsys.readouterr().out


@pytest.mark.parametrize("instead,passed", [("true", True), ('ln -s / "$2"', False), ('touch "$2"', False)])
def test_a_refusal_may_remove_the_output_folder_but_not_replace_it(suite, tmp_path, capsys, instead, passed):
    script = tmp_path / "remove.sh"
    script.write_text(f'rmdir "$2"; {instead}; echo "shape is empty" >&2; exit 1\n')
    status = verify(suite, tmp_path, "--program", f"sh {script}", "--case", "areas-refuses-shape")
    assert status == (0 if passed else 1)
    assert passed or "it refused, but the output folder was removed or replaced" in capsys.readouterr().out


def test_folders_nested_by_the_thousand_are_a_failure_and_leave_nothing_behind(suite, tmp_path, monkeypatch, capsys):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    script = tmp_path / "deep.py"
    script.write_text("import os, sys\nos.chdir(sys.argv[2])\nfor _ in range(3000): os.mkdir('a'); os.chdir('a')")
    assert verify(suite, tmp_path, "--program", f"{sys.executable} {script}", "--case", "areas") == 1
    assert "it wrote more than" in capsys.readouterr().out and not list((tmp_path / "temporary").iterdir())


def test_an_extra_file_is_a_failure(suite, program, tmp_path, capsys):
    (tmp_path / "answers" / "middle" / "out" / "log.txt").write_text("x")
    assert verify(suite, tmp_path, "--program", program) == 1
    assert "'log.txt' is no output of this operation" in capsys.readouterr().out


def test_what_is_not_supported_is_counted_and_no_failure_unless_it_is_everything(suite, program, tmp_path, capsys):
    reply(tmp_path / "answers", "middle", 2)
    assert verify(suite, tmp_path, "--program", program) == 0
    assert "4 of 5 passed" in capsys.readouterr().out
    assert verify(suite, tmp_path, "--program", program, "--case", "middle") == 1
    assert "none of 1 was answered" in capsys.readouterr().out


def test_a_time_out_is_a_failure(suite, tmp_path, capsys):
    assert verify(suite, tmp_path, "--program", "sh -c 'sleep 20'", "--timeout", 0.2, "--case", "areas") == 1
    assert "it took longer than 0.2 s" in capsys.readouterr().out


def test_a_known_failure_is_no_failure_and_its_passing_is_one(suite, program, tmp_path, capsys):
    wrong_raster(tmp_path)
    xfails = tmp_path / "xfails.txt"
    xfails.write_text("# known\n\nper-km2  # rounding\n")
    assert verify(suite, tmp_path, "--program", program, "--xfails", xfails) == 0
    assert "expected failure" in capsys.readouterr().out
    xfails.write_bytes(b"\xef\xbb\xbfper-km2\r\n\r\n")
    assert verify(suite, tmp_path, "--program", program, "--xfails", xfails) == 0
    xfails.write_text("per-km2\nmiddle\n")
    assert verify(suite, tmp_path, "--program", program, "--xfails", xfails) == 1
    assert "PASSED UNEXPECTEDLY middle" in capsys.readouterr().out


def test_a_georeference_that_nothing_shows_on_has_a_picture(suite, program, tmp_path, capsys):
    grid = Grid(ALBERS_CHINA, (0, 0, 1e308, -5e-324), (3, 4))
    path = tmp_path / "answers" / "per-km2" / "out" / "density.tif"
    write_raster(path, Raster.masked(IMAGES[0], IMAGES[0] != 7, grid))
    assert verify(suite, tmp_path, "--program", program) == 1
    assert "its transform has dx = 1e+308" in capsys.readouterr().out
    assert (tmp_path / "pictures" / "per-km2-density.png").is_file()


def test_a_terminal_without_the_programs_letters_gets_them_escaped(suite, program, tmp_path, monkeypatch):
    reply(tmp_path / "answers", "areas", 1, "r\u00f6tlich")
    said = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", said)
    assert verify(suite, tmp_path, "--program", program, "--case", "areas") == 1
    said.flush()
    assert b"saying: r\\xf6tlich" in said.buffer.getvalue()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_does_not_wait_for_the_programs_that_run(suite, tmp_path, monkeypatch, number):
    monkeypatch.setattr("refimpl.conformance.verify.finding", lambda *_: signal.raise_signal(number))
    script = tmp_path / "slow.sh"
    script.write_text('case $(head -1 "$1/task.csv") in *areas) exit 3;; *) sleep 30;; esac\n')
    start = time.perf_counter()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        assert verify(suite, tmp_path, "--program", f"sh {script}") == 1
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.perf_counter() - start < 10


def test_the_folders_of_a_case_can_be_kept_to_try_it_again(suite, program, tmp_path):
    for _ in range(2):  # what the first call left is replaced
        assert verify(suite, tmp_path, "--program", program, "--case", "areas", "--keep", tmp_path / "kept") == 0
    assert {path.name for path in (tmp_path / "kept" / "areas" / "IN").iterdir()} == {"task.json", "task.csv"}
    assert [path.name for path in (tmp_path / "kept" / "areas" / "OUT").iterdir()] == ["areas.npy"]


@pytest.mark.parametrize("kind", ["suite", "link", "file"])
def test_what_another_left_is_not_removed_to_keep_a_case(suite, program, tmp_path, capsys, kind):
    keep = suite if kind == "suite" else tmp_path
    if kind == "link":
        (tmp_path / "areas").symlink_to(suite / "areas")
    if kind == "file":
        (tmp_path / "areas").touch()
    assert verify(suite, tmp_path, "--program", program, "--case", "areas", "--keep", keep) == 2
    assert "name another folder to --keep" in capsys.readouterr().err and (suite / "areas" / "case.json").is_file()


def test_results_are_written_for_machines(suite, program, tmp_path):
    wrong_raster(tmp_path)
    reply(tmp_path / "answers", "middle", 2, "no \x1b[1mmedian")
    results, junit = tmp_path / "out" / "results.json", tmp_path / "out" / "junit.xml"
    assert verify(suite, tmp_path, "--program", program, "--results", results, "--junit", junit) == 1
    found = json.loads(results.read_text())
    assert found["counts"] == {"passed": 3, "failed": 1, "unsupported": 1, "expected failure": 0, "unexpected pass": 0}
    by_id = {one["case"]: one for one in found["results"]}
    assert by_id["areas"]["outputs"][0]["measured"] == 0.0 and by_id["areas"]["outputs"][0]["passed"]
    worst = by_id["per-km2"]["outputs"][0]
    assert (worst["at"], worst["expected"], worst["got"], worst["passed"]) == ([2, 1], 36000.0, 36005.0, False)
    root = ElementTree.parse(junit).getroot()
    assert root.attrib["tests"] == "5" and root.attrib["failures"] == "1"
    assert [case.attrib["name"] for case in root.iter("testcase")] == [
        "areas", "areas-refuses-shape", "middle", "per-km2", "errors",
    ]
    assert "1 of 11 values" in next(root.iter("failure")).attrib["message"]
    assert next(root.iter("skipped")).attrib["message"] == "unsupported"


def test_numbers_that_are_not_finite_are_text_in_json(suite, program, tmp_path):
    write_npy(tmp_path / "answers" / "middle" / "out" / "median.npy", np.full((3, 4), np.nan))
    results = tmp_path / "results.json"
    assert verify(suite, tmp_path, "--program", program, "--case", "middle", "--results", results) == 1
    output = json.loads(results.read_text())["results"][0]["outputs"][0]
    assert (output["got"], output["measured"], output["ulp"]) == ("nan", "inf", None)


@pytest.mark.parametrize(
    "options,words",
    [
        (["--case", "midle"], "did you mean 'middle'?"),
        (["--stage", "rasters"], "did you mean 'raster'?"),
        (["--stage", "coarse"], "no case"),
        (["--xfails", "{0}/none.txt"], "does not exist"),
        (["--xfails", "{0}/odd.txt"], "odd.txt, line 2: no case 'nothing'"),
        (["--xfails", "{0}/bytes.txt"], "cannot be read"),
        (["--program", "no-such-program"], "is not found"),
        (["--program", "sh", "--timeout", "0"], "--timeout"),
        (["--jobs", "0"], "--jobs"),
        (["--jobs", "many"], "--jobs"),
        (["--suite", "{0}/empty"], "holds no golden suite, which is no part of the installed package"),
        (["--no-such-option"], "--no-such-option"),
        (["--backend", "cuda"], "--backend"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_status_2(suite, tmp_path, capsys, options, words):
    (tmp_path / "odd.txt").write_text("middle\nnothing\n")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe")
    assert verify(suite, tmp_path, *(option.format(tmp_path) for option in options)) == 2
    captured = capsys.readouterr()
    assert words in captured.err and captured.err.count("\n") == 1 and captured.out == ""


def test_a_command_that_is_no_unicode_is_written_for_machines(suite, program, tmp_path):
    results = tmp_path / "results.json"
    assert verify(suite, tmp_path, "--program", program + " \udcff", "--results", results) == 1
    assert json.loads(results.read_text())["program"].endswith(" ?")


@pytest.mark.parametrize(
    "damage", ["file", "key", "json", "deep", "both", "operation", "psnr", "name", "nan", "negative", "flags"]
)
def test_a_damaged_suite_is_one_sentence_and_status_2(suite, tmp_path, capsys, damage):
    path = suite / "middle" / "case.json"
    case = json.loads(path.read_text())
    if damage == "file":
        (suite / "middle" / "in" / "images.npy").write_bytes(b"other")
    case |= {
        "key": {"tittle": "x"},
        "both": {"fault": {"fields": ["images"], "why": "x"}},
        "operation": {"operation": "mean"},
        "name": {"inputs": {"../images.npy": {"sha256": "0"}}},
    }.get(damage, {})
    if damage == "psnr":
        case["outputs"]["median.npy"]["cmp"] = "psnr"
    if damage in ("nan", "negative"):
        case["outputs"]["median.npy"]["limit"] = {"nan": float("nan"), "negative": -1}[damage]
    if damage == "flags":
        (suite / "flags.json").write_text("[]")
    path.write_text({"json": "{", "deep": "[" * 10**5}.get(damage) or json.dumps(case))
    assert verify(suite, tmp_path, "--case", "middle") == 2
    assert "damaged, get golden/v1 again" in capsys.readouterr().err


def test_the_program_sees_the_question_and_never_the_answer(suite, tmp_path):
    script = tmp_path / "look.sh"
    script.write_text(f'cp -r "$1" "{tmp_path}/seen"; exit 2\n')
    verify(suite, tmp_path, "--program", f"sh {script}", "--case", "areas-refuses-shape")
    seen = tmp_path / "seen"
    assert sorted(path.name for path in seen.iterdir()) == ["task.csv", "task.json"]
    assert (seen / "task.csv").read_text().splitlines() == [
        "case,areas-refuses-shape",
        "operation,cell_areas",
        "parameter.crs,albers-china",
        "parameter.transform,0 0 1000 -2500",
        "parameter.shape,0 2",
        "output,areas.npy",
    ]
    task = Task.from_folder(seen)
    assert (task.operation, task.outputs) == ("cell_areas", ("areas.npy",))


def test_refimpl_itself_is_checked_with_both_backends_and_by_its_method(suite, tmp_path, capsys):
    assert verify(suite, tmp_path) == 0
    text = capsys.readouterr().out
    # Five cases on each backend; the density of an emission is also put to the plain method, on each.
    assert "numba (" in text and "numpy (" in text and "12 of 12 passed" in text
    tables = [line.split(" (")[0] for line in text.splitlines() if line.endswith(" s)")]
    totals = [line.split()[1:] for line in text.splitlines() if line.startswith("all ")]
    whole, plain = ["5", "5", "0", "0"], ["1", "1", "0", "0"]
    assert dict(zip(tables, totals, strict=True)) == {
        "numba": whole, "numpy": whole, "method-numba": plain, "method-numpy": plain
    }  # fmt: skip
    assert verify(suite, tmp_path, "--backend", "numpy", "--stage", "raster") == 0
    assert "2 of 2 passed" in capsys.readouterr().out
    assert verify(suite, tmp_path, "--backend", "numpy", "--stage", "allocation") == 0
    text = capsys.readouterr().out
    assert "2 of 2 passed" in text and "method-numpy (" in text and "numba" not in text


def test_a_wrong_method_fails_although_the_form_that_runs_take_is_right(suite, tmp_path, capsys, monkeypatch):
    right = METHOD["emission_density"]

    def wrong(task):
        density = right(task)["density"]
        return {"density": Raster.masked(3 * density.values, density.valid, density.grid, density.units)}

    monkeypatch.setitem(METHOD, "emission_density", wrong)
    assert verify(suite, tmp_path, "--backend", "numpy", "--stage", "allocation") == 1
    text = capsys.readouterr().out
    assert "FAILED per-km2 [method-numpy]" in text and "every value is 3 times what was expected" in text
    assert "FAILED per-km2 [numpy]" not in text and "1 of 2 failed, in: allocation" in text


def test_check_passes_a_right_function_and_raises_the_finding_for_a_wrong_one(suite):
    def right(task):
        return {"median": np.median(task.array("images"), axis=0)}

    assert check("middle", right, suite).outcome == "passed"
    with pytest.raises(AssertionError, match="every value is 2 times too large"):
        check("middle", lambda task: {"median": 2 * right(task)["median"]}, suite)
    with pytest.raises(AssertionError, match="median.npy is missing"):
        check("middle", lambda task: {}, suite)


class Mute(ValueError):
    def __str__(self):
        raise RuntimeError("nothing to say")


def test_check_tells_refusals_crashes_and_gaps_apart(suite):
    def raising(fault):
        def function(task):
            raise fault

        return function

    assert check("middle", raising(NotImplementedError()), suite).outcome == "unsupported"
    assert check("areas-refuses-shape", raising(ValueError("shape is empty")), suite).outcome == "passed"
    assert check("areas-refuses-shape", raising(InputError("shape is empty")), suite).outcome == "passed"
    for fault, words in (
        (ValueError("bad"), "without naming shape"),
        (KeyError("shape"), "KeyError"),
        (SystemExit("shape"), "SystemExit"),
        (Mute(), "without naming shape"),
    ):
        with pytest.raises(AssertionError, match=words):
            check("areas-refuses-shape", raising(fault), suite)


def test_check_knows_its_cases(suite):
    with pytest.raises(InputError, match="did you mean 'middle'"):
        check("midle", lambda task: {}, suite)


def test_a_field_is_named_as_a_whole_word_only():
    assert names("month_12", "needs month_12.tif") and not names("month_1", "needs month_12.tif")
    assert names("crs", "'crs': unknown") and not names("C", "CC is 0") and not names("c", "C is 0")


def test_the_suite_is_found_below_the_current_folder(suite, tmp_path, monkeypatch):
    (tmp_path / "golden").mkdir()
    suite.rename(tmp_path / "golden" / "v1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("refimpl.conformance.suite.__file__", str(tmp_path / "a" / "b" / "c" / "case.py"))
    assert find_suite() == Suite(tmp_path / "golden" / "v1")


def test_a_case_that_the_index_lists_and_is_not_there_is_a_damaged_suite(suite, tmp_path, capsys):
    root = Suite(suite).root
    rows = [{"id": name} for name in ("areas", "lost")]
    (root.parent / "index.json").write_text(json.dumps({"suite": root.name, "list": rows}))
    assert verify(suite, tmp_path, "--program", "true") == 2
    assert "lost: is missing" in capsys.readouterr().err


@pytest.mark.parametrize("said, named", [
    ("weights: negative\nExecution halted", True),  # as R ends
    ("weights\n" + "other words " * 60, False),
])  # fmt: skip
def test_a_refusal_is_read_in_its_last_words(said, named):
    from refimpl.conformance.judge import last_words

    assert names("weights", last_words(said)) == named


def test_a_device_is_not_replaced_by_the_results(suite, program, tmp_path, capsys):
    assert verify(suite, tmp_path, "--program", program, "--results", os.devnull) == 2
    assert "device" in capsys.readouterr().err and not os.path.isfile(os.devnull)
