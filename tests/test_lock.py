"""One run at a time in an output folder; the lock goes with its process, however that ends."""

import errno
import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from refimpl.errors import InputError
from refimpl.formats.files import atomic_path
from refimpl.run import lock
from refimpl.run.lock import NAME, locked

posix = pytest.mark.skipif(os.name != "posix", reason="forks and kills")
HOLD = """
import sys
from refimpl.run.lock import locked
with locked(*sys.argv[1:]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "work"), "out"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_is_told_who_writes_there_since_when_and_what_to_do(tmp_path, other):
    with pytest.raises(InputError) as told, locked(tmp_path / "work", "out"):
        pass
    host = re.escape(socket.gethostname())
    assert re.fullmatch(
        rf"out: another run is writing there \(process {other.pid} on {host}, "
        r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\); "
        "wait until it has ended, or name another folder with --output",
        str(told.value),
    )


def test_a_lock_is_free_again_when_its_holder_has_ended(tmp_path, other):
    other.communicate("")
    with locked(tmp_path / "work", "out"):
        pass
    with locked(tmp_path / "work", "out"):
        assert str(os.getpid()) in (tmp_path / "work" / NAME).read_text()


@posix
def test_a_lock_is_free_again_when_its_holder_was_killed(tmp_path, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert str(other.pid) in (tmp_path / "work" / NAME).read_text()
    with locked(tmp_path / "work", "out"):
        pass


def test_one_process_cannot_hold_a_lock_twice(tmp_path):
    with locked(tmp_path, "out"), pytest.raises(InputError, match=f"process {os.getpid()} on"), locked(tmp_path, "out"):
        pass


def test_what_stands_in_the_file_is_no_obstacle_and_no_use_without_the_lock(tmp_path):
    for content in (b"", b"\xff\x00", b"[]", b'{"process": 1}', b"7" * 5000):
        (tmp_path / NAME).write_bytes(content)
        with locked(tmp_path, "out"):
            (tmp_path / NAME).write_bytes(content)
            with pytest.raises(InputError, match="its process is not known"), locked(tmp_path, "out"):
                pass


@posix
def test_what_a_killed_run_left_beside_the_lock_is_swept(tmp_path, other):
    other.kill()
    other.wait()
    with atomic_path(tmp_path / "work" / "finished.json") as temporary:
        left = temporary.name.replace(f"-{os.getpid()}-", f"-{other.pid}-")
        temporary.write_text("whole")
    (tmp_path / "work" / left).write_text("half")
    with locked(tmp_path / "work", "out"):
        assert sorted(os.listdir(tmp_path / "work")) == ["finished.json", NAME]


@posix
def test_a_fork_and_a_program_started_meanwhile_do_not_hold_the_lock(tmp_path):
    ready, go = os.pipe(), os.pipe()
    with locked(tmp_path, "out"):
        program = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
        child = os.fork()
        if not child:
            os.write(ready[1], b"x")
            os.read(go[0], 1)
            os._exit(0)
        os.read(ready[0], 1)
    try:
        with locked(tmp_path, "out"):
            pass
    finally:
        os.write(go[1], b"x")
        os.waitpid(child, 0)
        program.communicate(b"\n")
        for end in (*ready, *go):
            os.close(end)


@posix
def test_a_fork_does_not_take_the_lock_from_its_parent(tmp_path):
    with locked(tmp_path, "out"):
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
        with pytest.raises(InputError, match="another run"), locked(tmp_path, "out"):
            pass


@posix
def test_a_lock_file_that_is_removed_before_it_is_locked_is_not_taken_for_the_lock(tmp_path, monkeypatch):
    taken = []
    take = lock._take

    def late(descriptor, output):
        if not taken:
            (tmp_path / NAME).unlink()  # as another run does that ends and clears its folder
        taken.append(descriptor)
        return take(descriptor, output)

    monkeypatch.setattr(lock, "_take", late)
    with locked(tmp_path, "out"):
        assert len(taken) == 2
        with pytest.raises(InputError, match="another run"), locked(tmp_path, "out"):
            pass


def test_a_file_system_without_locks_is_told_and_used(tmp_path, monkeypatch, capsys):
    def none(descriptor):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "_lock", none)
    with locked(tmp_path, "out"):
        pass
    assert capsys.readouterr().err == (
        "out: its file system knows no locks (No locks available); let no other run write there meanwhile\n"
    )


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="^out: cannot be written to .*; name another output folder$"):
        with locked(tmp_path / "file" / "work", "out"):
            pass


@posix
def test_a_full_disk_does_not_hinder_the_lock(tmp_path):
    code = (
        "import resource, sys; from refimpl.run.lock import locked; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "with locked(sys.argv[1], 'out'): print('held')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "held\n", "")
