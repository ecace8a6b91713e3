"""``python -m tests.bench [JOB ...]``: the comparisons as a table; exit status 1 if one of them is no result."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import sys
from pathlib import Path

from tests.bench import all_jobs
from tests.bench.harness import Outcome, measure
from tests.bench.limits import COPIED, FLOPS, LIMITS

LIBRARIES = ("numpy", "numba", "pillow", "tifffile", "torch", "scikit-learn", "exactextract")
HEAD = ("job", "ours", "best opponent", "its time", "ratio", "median's 95 %", "goal", "")


def main() -> int:
    """Measure, print, and write JSON if asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("jobs", nargs="*", help="names, or beginnings of names; by default all")
    parser.add_argument("--list", action="store_true", help="name the jobs and stop")
    parser.add_argument("--threads", type=int, default=2, help="for ours and for every opponent (default 2)")
    parser.add_argument("--seconds", type=float, default=40, help="about how long each job takes (default 40)")
    parser.add_argument("--opponent", action="append", help="part of a contender's name; may be repeated")
    parser.add_argument("--json", type=Path, help="write all that was measured here")
    args = parser.parse_args()
    jobs = [job for job in all_jobs() if not args.jobs or any(job.name.startswith(name) for name in args.jobs)]
    if args.list or not jobs:
        print("\n".join(f"{job.name:24}{job.title}" for job in all_jobs()))
        return 0 if args.list else 2
    print(describe_machine(args.threads), flush=True)
    limits = measured_limits(args.threads)
    print(f"limits: {limits['flops'] / 1e9:.0f} GFLOP/s float32, {limits['bytes'] / 1e9:.1f} GB/s copied\n", flush=True)
    outcomes = []
    for job in jobs:
        outcomes.append(measure(job, args.threads, args.seconds, args.opponent))
        print(details(outcomes[-1], limits), flush=True)
    print(table(outcomes))
    if args.json:
        found = {"machine": describe_machine(args.threads), "limits": limits, "jobs": [o.as_json() for o in outcomes]}
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(any(outcome.verdict in ("noisy", "other work", "no opponent") for outcome in outcomes))


def describe_machine(threads: int) -> str:
    """Processor, system and versions, in a few lines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    cores = sum(line.startswith("processor") for line in lines)
    versions = []
    for name in LIBRARIES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} not installed")
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{model}, {cores} processors, {threads} threads each; {system}\n{', '.join(versions)}"


def measured_limits(threads: int) -> dict[str, float]:
    """Operations and copied bytes a second, the best of the samples."""
    times = measure(LIMITS, threads, 3.0).times
    peak, copy = (min(times[contender.name]) for contender in LIMITS.contenders)
    return {"flops": threads * FLOPS / peak, "bytes": threads * 2 * COPIED / copy}


def details(outcome: Outcome, limits: dict[str, float]) -> str:
    """Every contender of one job."""
    job, lines = outcome.job, [f"{outcome.job.name}: {outcome.job.title}"]
    for name, seconds in sorted(outcome.times.items(), key=lambda item: sorted(item[1])[len(item[1]) // 2]):
        middle = sorted(seconds)[len(seconds) // 2]
        lines.append(
            f"  {shown(middle):>9}  (from {shown(min(seconds))}, {len(seconds)} samples, "
            f"peak {outcome.peaks[name] / 2**20:,.0f} MiB, differs by {outcome.differences[name]:.1e})  {name}"
        )
    lines += [f"  not available: {name}: {why}" for name, why in outcome.missing.items()]
    ours = sorted(outcome.times[job.contenders[0].name])
    bounds = (job.flops, limits["flops"], "direct algorithm's"), (job.bytes, limits["bytes"], "memory's")
    for amount, unit, kind in bounds:
        if amount:
            share = ours[len(ours) // 2] / (amount / unit)
            lines.append(f"  the {kind} limit is {shown(amount / unit)}; ours takes {share:.2f} of it")
    if job.memory_goal and outcome.best:
        share = outcome.peaks[job.contenders[0].name] / max(outcome.peaks[outcome.best], 1)
        lines.append(f"  memory: {share:.2f} of the best opponent's, goal {job.memory_goal}")
    if outcome.wrong:
        lines.append(f"  OTHER WORK (tolerance {job.tolerance:g}, {job.why}): {', '.join(outcome.wrong)}")
    if outcome.noisy:
        lines.append(f"  NOISY, not a result: {outcome.noisy}")
    return "\n".join(lines) + "\n"


def table(outcomes: list[Outcome]) -> str:
    """All jobs as a Markdown table."""
    rows = [HEAD, tuple("---" for _ in HEAD)]
    for outcome in outcomes:
        middle = {name: sorted(times)[len(times) // 2] for name, times in outcome.times.items()}
        ours = shown(middle[outcome.job.contenders[0].name])
        if not outcome.best:
            rows.append((outcome.job.title, ours, "none", "", "", "", "", outcome.verdict))
            continue
        low, high = outcome.interval
        rows.append((
            outcome.job.title, ours, outcome.best, shown(middle[outcome.best]), f"{outcome.ratio:.2f}",
            f"{low:.2f}-{high:.2f}", f"{outcome.job.goal:g}" if outcome.job.goal else "", outcome.verdict,
        ))  # fmt: skip
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def shown(seconds: float) -> str:
    """Three figures and a unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


if __name__ == "__main__":
    sys.exit(main())
