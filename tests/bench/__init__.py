"""Speed and memory, side by side with the libraries one would otherwise use: ``python -m tests.bench``."""

from __future__ import annotations

import importlib

from tests.bench.job import Job

AREAS = ("training", "inference", "svr", "zonal", "polygons", "allocation", "resize", "reading", "warp")


def all_jobs() -> tuple[Job, ...]:
    """Every job, in the order of the table."""
    return tuple(job for area in AREAS for job in importlib.import_module(f"tests.bench.{area}").JOBS)


def find_job(name: str) -> Job:
    """The job of that name, or that of the measured limits."""
    from tests.bench.limits import LIMITS

    return next(job for job in (*all_jobs(), LIMITS) if job.name == name)
