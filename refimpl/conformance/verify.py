"""Verb ``verify``: puts the wanted cases to a program or to refimpl itself, and reports the verdicts."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from refimpl.conformance.answerers import own_answerers, own_reply, program_reply
from refimpl.conformance.case import Case
from refimpl.conformance.findings import finding, summary
from refimpl.conformance.foreign import command
from refimpl.conformance.judge import (
    EXPECTED_FAILURE,
    FAILED,
    PASSED,
    UNEXPECTED_PASS,
    UNSUPPORTED,
    Reply,
    Result,
    ask,
    judge,
)
from refimpl.conformance.picture import pictures_of
from refimpl.conformance.records import write_junit, write_results
from refimpl.conformance.suite import Suite, find_suite
from refimpl.conformance.task import Task
from refimpl.errors import InputError, did_you_mean
from refimpl.formats.files import existing_file
from refimpl.progress import stage
from refimpl.twins import BACKENDS


def timed(case: Case, by: str, reply: Callable[[], Reply]) -> Result:
    """The verdict on a reply, with the seconds that it took."""
    start = time.perf_counter()
    given = reply()
    return replace(judge(case, by, given), seconds=time.perf_counter() - start)


def program_results(
    text: str, cases: list[Case], timeout: float, jobs: int, keep: Path | None = None
) -> Iterator[Result]:
    """The verdicts on a program, in the order of the cases, ``jobs`` at a time."""
    words, stop = command(text), threading.Event()
    with ThreadPoolExecutor(jobs) as pool:
        one = lambda case: timed(case, "program", lambda: program_reply(words, case, timeout, stop, keep))
        try:
            yield from pool.map(one, cases)
        finally:
            stop.set()  # an interruption must not wait for the programs that run


def own_results(backends: tuple[str, ...], cases: list[Case]) -> Iterator[Result]:
    """The verdicts on refimpl itself: every case by each of its answerers, one after the other."""
    for by in own_names(backends, cases):
        for case in cases:
            if by in own_answerers(backends, case):
                yield timed(case, by, lambda by=by, case=case: own_reply(by, case))


def own_names(backends: tuple[str, ...], cases: list[Case]) -> list[str]:
    """The names of refimpl's answerers of these cases, each once, in order."""
    return list(dict.fromkeys(name for case in cases for name in own_answerers(backends, case)))


def read_xfails(path: Path | None, suite: Suite) -> frozenset[str]:
    """The case ids in a file, one a line; "#" begins a comment."""
    if path is None:
        return frozenset()
    try:
        lines = existing_file(path, "a list of cases known to fail").read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: cannot be read ({fault}); expected one case id a line") from None
    ids = [line.split("#", 1)[0].strip() for line in lines]
    for number, case_id in enumerate(ids, 1):
        if case_id and case_id not in suite.ids:
            raise InputError(f"{path}, line {number}: no case {case_id!r}{did_you_mean(case_id, suite.ids)}")
    return frozenset(case_id for case_id in ids if case_id)


def foreseen(result: Result, xfails: frozenset[str]) -> Result:
    """The verdict, corrected for the cases known to fail: they are expected to fail, and must not pass."""
    turned = {FAILED: EXPECTED_FAILURE, PASSED: UNEXPECTED_PASS}
    return replace(result, outcome=turned.get(result.outcome, result.outcome)) if result.case.id in xfails else result


def status(results: list[Result]) -> int:
    """The exit status: 0 if nothing failed and something was answered, else 1."""
    answered = any(result.outcome != UNSUPPORTED for result in results)
    return 0 if answered and not any(result.bad for result in results) else 1


def verify(args) -> int:
    """Run the verb: print a finding for each failure and a table by stage, write records, return the exit status."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a program can print what the terminal cannot show
    suite = find_suite(args.suite)
    cases, flags = suite.select(args.case, args.stage), suite.flags
    xfails = read_xfails(args.xfails, suite)
    backends = BACKENDS if args.backend == "both" else (args.backend,)
    if args.program is None:
        count = sum(len(own_answerers(backends, case)) for case in cases)
        running = own_results(backends, cases)
    else:
        count, running = len(cases), program_results(args.program, cases, args.timeout, args.jobs, args.keep)
    results: list[Result] = []
    try:
        with stage("verify") as progress, terminable(), closing(running):
            for result in running:
                result = foreseen(result, xfails)
                if result.bad:
                    result = replace(result, pictures=pictures_of(result, args.pictures))
                    progress.clear()
                    print(finding(result, flags), end="\n\n", flush=True)
                results.append(forgetting(result))
                progress.update(len(results) / count)
    except KeyboardInterrupt:
        print(f"interrupted after {len(results)} of {count} cases", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output is gone, and the judging is incomplete
        return 1
    print(summary(results))
    if args.results:
        write_results(args.results, suite, args.program, results)
    if args.junit:
        write_junit(args.junit, results, flags)
    return status(results)


@contextmanager
def terminable() -> Iterator[None]:
    """Inside, a signal to terminate acts like Ctrl-C: the programs under test end with this one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def forgetting(result: Result) -> Result:
    """The verdict without the arrays that its pictures were drawn from."""
    return replace(result, differences=tuple(replace(one, shown=None) for one in result.differences))


def check(case_id: str, function: Callable[[Task], object], suite: str | os.PathLike | None = None) -> Result:
    """Put one case to a function of yours; AssertionError with the whole finding if its answer is wrong.

    ``function`` gets a ``Task`` and returns a dict of outputs (array, dict of columns, or Raster).  It raises
    ValueError with the name of the field at fault to refuse, and NotImplementedError for what it does not support.

    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> def areas(task):
    ...     return {"areas": Grid(ALBERS_CHINA, task.parameters["transform"], task.parameters["shape"]).cell_areas()}
    >>> check("areas-albers", areas).outcome
    'passed'
    """
    found = find_suite(suite)
    case = found.case(case_id)
    result = timed(case, "function", lambda: ask(function, case.task))
    if result.bad:
        raise AssertionError(finding(result, found.flags))
    return forgetting(result)
