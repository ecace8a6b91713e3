"""The golden suite put to a second implementation, which was written from golden/README.md alone.

What both this program and the scripts of the oracles take from the page, the page says clearly enough.
"""

from __future__ import annotations

import contextlib
import io
import sys
import traceback
from collections import Counter
from pathlib import Path

import pytest

from refimpl.cli import main as refimpl
from refimpl.conformance.answers import read_answers
from refimpl.conformance.case import Case
from refimpl.conformance.findings import finding
from refimpl.conformance.judge import FAILED, PASSED, UNSUPPORTED, Reply, Result, judge
from refimpl.conformance.suite import find_suite
from refimpl.conformance.vocabulary import STAGES

for peer in ("torch", "sklearn", "rasterio", "pyproj", "shapely"):
    pytest.importorskip(peer, reason="the second implementation needs the peers extra")

PROGRAM = f"{sys.executable} -m tests.peers.second_implementation"
AS_PROCESSES = ("eq1-coal-hand", "ec-refuses-zero-oxidation", "read-pixel-is-point", "forward-bias-hand")
"""Cases that are also put to the program as a process of its own: one a kind of file, and a refusal."""


def reply_in_process(case: Case, folder: Path) -> Reply:
    """What the program does with a case, without starting a process for it."""
    from tests.peers.second_implementation import main

    in_dir, out_dir = folder / "in", folder / "out"
    case.task.write(in_dir)
    out_dir.mkdir()
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            status = main(in_dir, out_dir)
    except Exception:
        return Reply("crashed", traceback.format_exc())
    left = tuple(sorted(path.name for path in out_dir.iterdir()))
    if status:
        return Reply("refused" if status == 1 else "unsupported", said.getvalue(), {}, left)
    if not case.valid:
        return Reply("answered")
    answers, faults = read_answers(out_dir, case.folder / "out", [output.of for output in case.outputs])
    return Reply("answered", said.getvalue(), answers, tuple(faults))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    """The verdict on every case of the suite."""
    folder = tmp_path_factory.mktemp("second")
    return [judge(case, "program", reply_in_process(case, folder / case.id)) for case in find_suite(None).select()]


@pytest.mark.parametrize("stage", STAGES)
def test_no_case_that_the_second_implementation_supports_fails(results: list[Result], stage: str) -> None:
    flags = find_suite(None).flags
    failed = [result for result in results if result.case.stage == stage and result.outcome == FAILED]
    assert not failed, "\n\n".join(finding(result, flags) for result in failed)


def test_the_second_implementation_answers_at_least_four_cases_of_five(results: list[Result]) -> None:
    outcomes = Counter(result.outcome for result in results)
    assert outcomes[PASSED] >= 0.8 * len(results), dict(outcomes)
    assert set(outcomes) <= {PASSED, UNSUPPORTED}


@pytest.mark.parametrize("case_id", AS_PROCESSES)
def test_the_program_passes_as_a_process_of_its_own(case_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    assert refimpl(["verify", "--program", PROGRAM, "--case", case_id]) == 0
