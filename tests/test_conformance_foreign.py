"""Programs under test that hang, crash, flood, fork, lie about their status, or are not there."""

import os
import shlex
import shutil
import sys
import threading
import time

import pytest

from refimpl.conformance.answerers import flatten
from refimpl.conformance.foreign import command, printable, run_program, written
from refimpl.errors import InputError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="programs are stopped by process group")
OUTPUT_LIMIT = 2**20


def run(tmp_path, script, timeout=20.0, shell=False):
    """How a Python (or shell) script ends that is called with IN_DIR and OUT_DIR."""
    file = tmp_path / "program"
    file.write_text(script)
    for name in ("IN", "OUT"):
        (tmp_path / name).mkdir(exist_ok=True)
    words = ["sh", str(file)] if shell else [sys.executable, str(file)]
    return run_program(words, tmp_path / "IN", tmp_path / "OUT", timeout, OUTPUT_LIMIT)


@pytest.mark.parametrize("status", [0, 1, 2])
def test_the_three_statuses_are_told_apart_and_standard_error_is_kept(tmp_path, status):
    end = run(tmp_path, f"echo out; echo 'weight is negative' >&2; exit {status}", shell=True)
    assert (end.status, end.crash, end.stderr) == (status, "", "weight is negative\n")


def test_the_program_gets_the_two_folders_and_no_standard_input(tmp_path):
    end = run(tmp_path, 'cat; echo "$1 $2" >&2', shell=True)
    assert end.stderr.split() == [str(tmp_path / "IN"), str(tmp_path / "OUT")]


@pytest.mark.parametrize("status", [3, 77, 126, 255])
def test_another_status_is_a_failure(tmp_path, status):
    assert run(tmp_path, f"exit {status}", shell=True).crash == f"its exit status is {status}; expected 0, 1 or 2"


def test_a_signal_is_a_failure_and_named(tmp_path):
    end = run(tmp_path, "kill -SEGV $$", shell=True)
    assert end.status is None and end.crash == "it was ended by signal 11 (SIGSEGV)"


def test_a_python_traceback_is_a_crash_although_its_status_is_that_of_a_refusal(tmp_path):
    end = run(tmp_path, "weight = 1\nraise ValueError('weight')")
    assert end.status is None and "traceback" in end.crash and "ValueError: weight" in end.stderr


def test_a_program_that_hangs_is_stopped_with_its_children(tmp_path):
    mark = tmp_path / "mark"
    script = f"(sleep 3; touch {shlex.quote(str(mark))}) & trap '' TERM; while :; do sleep 1; done"
    start = time.perf_counter()
    end = run(tmp_path, script, timeout=0.5, shell=True)
    assert end.crash == "it took longer than 0.5 s (--timeout)" and time.perf_counter() - start < 2.5
    time.sleep(3.2 - (time.perf_counter() - start))
    assert not mark.exists()


def test_children_left_behind_do_not_hold_the_verdict_up(tmp_path):
    start = time.perf_counter()
    assert run(tmp_path, "sleep 30 & exit 0", shell=True).status == 0
    assert time.perf_counter() - start < 5


def test_a_flood_of_text_is_stopped_and_not_held(tmp_path):
    end = run(tmp_path, "import sys\nwhile True: sys.stderr.write('x' * 2**20)")
    assert end.crash == "it printed more than 64 MB" and len(end.stderr) <= 2**16


def test_what_fled_the_process_group_is_ended_too(tmp_path):
    if not os.path.isdir("/proc/self"):
        pytest.skip("only /proc tells who fled")
    script = f"""
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(2)
        open({str(tmp_path / "mark")!r}, "w").close()
    os._exit(0)
os.wait()
"""
    start = time.perf_counter()
    assert run(tmp_path, script).status == 0 and time.perf_counter() - start < 1.5
    time.sleep(2.2 - (time.perf_counter() - start))
    assert not (tmp_path / "mark").exists()


def test_an_interruption_ends_the_program_at_once(tmp_path):
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    start = time.perf_counter()
    end = run_program(["sh", "-c", "sleep 20"], tmp_path, tmp_path, 60, OUTPUT_LIMIT, stop)
    assert end.crash == "it was interrupted"
    assert time.perf_counter() - start < 5


def test_of_a_long_log_the_beginning_and_the_end_are_kept(tmp_path):
    end = run(tmp_path, "import sys\nsys.stderr.write('begin' + 'y' * 2**18 + 'weight is negative')\nsys.exit(1)")
    assert end.status == 1 and end.stderr.startswith("beginyy") and end.stderr.endswith("weight is negative")


def test_a_little_too_much_text_is_cut_and_no_failure(tmp_path):
    end = run(tmp_path, "import sys\nsys.stderr.write('y' * 2**18)")
    assert end.status == 0 and len(end.stderr) == 2**16


def test_too_much_output_is_stopped_while_it_is_written(tmp_path):
    script = "import sys\nhandle = open(sys.argv[2] + '/a', 'wb', 0)\nwhile True: handle.write(b'0' * 2**16)"
    end = run(tmp_path, script)
    assert end.status is None and "wrote more than 1048576 bytes" in end.crash


def test_too_much_output_written_at_once_is_found_at_the_end(tmp_path):
    script = "import os, sys\nos.mkdir(sys.argv[2] + '/b')\nopen(sys.argv[2] + '/b/a', 'wb').truncate(2**40)"
    assert "wrote more than" in run(tmp_path, script).crash


def test_folders_count_as_output_and_neither_depth_nor_a_link_to_everything_leads_astray(tmp_path):
    deep = "import os, sys\nos.chdir(sys.argv[2])\nfor _ in range(5000): os.mkdir('a'); os.chdir('a')"
    end = run(tmp_path, deep)
    flatten(tmp_path / "OUT")
    shutil.rmtree(tmp_path / "OUT")
    assert "wrote more than" in end.crash
    assert run(tmp_path, "import os, sys\nos.rmdir(sys.argv[2]); os.symlink('/', sys.argv[2])").status == 0
    assert written(tmp_path / "OUT", OUTPUT_LIMIT) == 0


def test_what_a_terminal_or_xml_cannot_show_is_replaced(tmp_path):
    end = run(tmp_path, "import sys\nsys.stderr.buffer.write(b'\\x1b[2Jm\\xff\\0 ok \\xc3\\xa9')")
    assert end.stderr == "?[2Jm\ufffd? ok é" and printable("a\r\ufffe\ud800") == "a???"


def test_a_program_that_is_not_there_is_the_callers_fault(tmp_path):
    with pytest.raises(InputError, match="'no-such-program' is not found"):
        command("no-such-program --fast")
    with pytest.raises(InputError, match="check its quotes"):
        command("python 'mine.py")
    with pytest.raises(InputError, match="is empty"):
        command("  ")
    assert command("sh 'my program.sh' -x") == ["sh", "my program.sh", "-x"]


def test_a_script_without_its_first_line_is_the_callers_fault(tmp_path):
    file = tmp_path / "mine"
    file.write_text("\x01\x02")
    file.chmod(0o755)
    (tmp_path / "IN").mkdir()
    with pytest.raises(InputError, match="cannot be started"):
        run_program([str(file)], tmp_path / "IN", tmp_path / "IN", 5, 1000)


def test_no_shell_reads_the_command(tmp_path):
    (tmp_path / "IN").mkdir()
    end = run_program(["echo", "$(touch PWNED); touch PWNED"], tmp_path / "IN", tmp_path / "IN", 5, 1000)
    assert end.status == 0 and not (tmp_path / "PWNED").exists()
