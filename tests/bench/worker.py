"""The process of one contender: prepares, then runs and times its call whenever the harness says so.

It reads a line with a number of calls from standard input and answers with a line of JSON; what libraries print goes to
standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback

import numpy as np

from tests.bench import find_job
from tests.memory import peak_of


def main(job_name: str, contender_name: str) -> None:
    """Answer the harness until it closes the pipe."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(**message) -> None:
        print(json.dumps(message), file=answers, flush=True)

    job = find_job(job_name)
    contender = next(one for one in job.contenders if one.name == contender_name)
    try:
        call = contender.prepare()
        digest = np.asarray(contender.digest(call()), np.float64).ravel()
    except Exception as fault:
        traceback.print_exc()
        return say(missing=f"{type(fault).__name__}: {fault}"[:300])
    say(digest=digest.tolist(), peak=peak_of(call))
    for line in sys.stdin:
        calls = int(line)
        start = time.perf_counter()
        for _ in range(calls):
            call()
        say(seconds=(time.perf_counter() - start) / calls, cpu=sum(os.times()[:4]))


if __name__ == "__main__":
    main(*sys.argv[1:])
