"""Memory of processes as Linux counts it.

``getrusage`` will not do: a child's peak begins with what its parent held when it was started.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KNOWN = Path("/proc/self/clear_refs").exists()
"""Whether this system tells."""


def memory(field: str) -> int:
    """Bytes, from /proc/self/status ("VmRSS" now, "VmHWM" at the most); 0 where there is none."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(field)), 0)


def forget_peak() -> bool:
    """Let the high-water mark start anew; False where the system will not."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_of(call) -> int:
    """Bytes that a call takes beyond what the process held before; 0 where the system does not tell."""
    if not forget_peak():
        return 0
    before = memory("VmRSS")
    call()
    return max(memory("VmHWM") - before, 0)


def peak_of_program(program: str, *arguments: str) -> int:
    """MiB that a Python program takes in all, in a process of its own."""
    program += "\nfrom tests.memory import memory\nprint(memory('VmHWM') >> 20)\n"
    command = [sys.executable, "-c", program, *arguments]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
