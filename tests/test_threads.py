"""How kernels are spread over threads, and where their memory comes from."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from kernels.tools.padded_planes import inside_of, plane_of, work_planes
from kernels.tools.threads import processors, run_parts, run_tasks, thread_count, workers
from kernels.tools.work_memory import work_array
from refimpl.errors import InputError


def test_the_number_of_threads_can_be_set(monkeypatch):
    monkeypatch.setenv("REFIMPL_THREADS", " 3 ")
    assert thread_count() == 3
    assert workers(2) == 2 and workers(100) == 3 and workers(0) == 1


def test_without_a_setting_every_processor_of_the_process_is_used(monkeypatch):
    for text in (None, "", " "):
        monkeypatch.setenv("REFIMPL_THREADS", text or "")
        if text is None:
            monkeypatch.delenv("REFIMPL_THREADS")
        expected = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        assert thread_count() == expected


@pytest.mark.parametrize("reported, expected", [(7, 7), (None, 1)])
def test_without_affinity_the_processor_count_is_used(monkeypatch, reported, expected):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: reported)
    assert processors.__wrapped__() == expected


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "1025", "²", "1e3"])
def test_a_wrong_number_of_threads_is_one_sentence(monkeypatch, text):
    monkeypatch.setenv("REFIMPL_THREADS", text)
    with pytest.raises(InputError, match="REFIMPL_THREADS.*expected a whole number from 1 to 1024") as caught:
        thread_count()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_every_part_runs_once_and_no_worker_number_is_used_twice_at_a_time(monkeypatch, threads):
    monkeypatch.setenv("REFIMPL_THREADS", threads)
    busy = [threading.Lock() for _ in range(int(threads))]
    done = []

    def kernel(part, worker, note):
        assert busy[worker].acquire(blocking=False)
        done.append((part, note))
        threading.Event().wait(0.0005)
        busy[worker].release()

    run_parts(kernel, 40, "note")
    assert sorted(done) == [(part, "note") for part in range(40)]


def test_parts_run_side_by_side(monkeypatch):
    monkeypatch.setenv("REFIMPL_THREADS", "2")
    both = threading.Barrier(2, timeout=20)
    run_parts(lambda part, worker: both.wait(), 2)  # would break if one part waited for the other to end


def test_no_parts_is_no_work():
    run_parts(lambda part, worker: pytest.fail("called"), 0)


@pytest.mark.parametrize("threads", ["1", "3"])
def test_a_fault_in_a_part_is_raised_after_all_threads_have_come_to_rest(monkeypatch, threads):
    monkeypatch.setenv("REFIMPL_THREADS", threads)
    running = set()

    def kernel(part, worker):
        running.add(part)
        try:
            threading.Event().wait(0.002)
            if part == 2:
                raise ArithmeticError("part 2")
        finally:
            running.discard(part)

    with pytest.raises(ArithmeticError, match="part 2"):
        run_parts(kernel, 9)
    assert not running


@pytest.mark.parametrize("threads", ["1", "2", "3"])
def test_a_task_that_has_to_wait_is_called_again_until_it_is_done(monkeypatch, threads):
    monkeypatch.setenv("REFIMPL_THREADS", threads)
    ahead, calls, lock = iter(range(10)), [], threading.Lock()

    def kernel(task, worker, refusals):
        """Take tasks; each is refused once, and then done."""
        while True:
            with lock:
                task = next(ahead, -1) if task < 0 else task
                calls.append((task, worker))
                if task < 0 or task not in refusals:
                    return task if task < 0 else refusals.add(task) or task
            task = -1

    run_tasks(kernel, 10, set())
    done = sorted(task for task, _ in calls if task >= 0)
    assert done == sorted(2 * list(range(10)))  # refused, then done, by the same thread
    assert all(len({worker for task, worker in calls if task == n}) == 1 for n in range(10))


def test_a_fault_in_one_task_ends_the_waiting_of_the_other_threads(monkeypatch):
    monkeypatch.setenv("REFIMPL_THREADS", "3")
    seen = []

    def kernel(task, worker):
        seen.append(worker)
        if worker == 0 and len(seen) > 5:
            raise ArithmeticError("task 0")
        return 7  # waits for what never comes

    with pytest.raises(ArithmeticError, match="task 0"):
        run_tasks(kernel, 3)


def test_threads_that_have_not_started_when_the_work_is_done_are_not_waited_for(monkeypatch):
    monkeypatch.setenv("REFIMPL_THREADS", "2")
    run_parts(lambda part, worker: None, 2)
    busy, release = threading.Event(), threading.Event()
    # The pool grows to the largest number ever asked for: as many long tasks as it has threads occupy all of them.
    from kernels.tools import threads

    held = [threads._pool.submit(lambda: (busy.set(), release.wait(20))) for _ in range(threads._pool_size)]
    busy.wait(20)
    done = []
    run_parts(lambda part, worker: done.append(part), 5)
    assert sorted(done) == list(range(5)) and not all(future.done() for future in held)
    release.set()


def test_work_memory_is_aligned_reused_and_private_to_each_thread():
    first = work_array("test", (3, 5))
    assert first.shape == (3, 5) and first.dtype == np.float32 and first.ctypes.data % 64 == 0
    assert work_array("test", (2, 7)).ctypes.data == first.ctypes.data
    assert not np.shares_memory(work_array("another test", (3, 5)), first)
    assert work_array("test", (1000,)).shape == (1000,)  # grows when needed
    elsewhere = []
    other = threading.Thread(target=lambda: elsewhere.append(work_array("test", (3, 5))))
    other.start()
    other.join()
    assert not np.shares_memory(elsewhere[0], work_array("test", (3, 5)))


def test_the_border_of_a_plane_is_zero_whatever_the_memory_held_before():
    work_planes("test planes", 2, (8, 12, 3))[...] = np.nan
    planes = work_planes("test planes", 2, (5, 6, 3))
    assert planes.shape == (2, 10, 10, 3)
    assert all(np.isnan(inside_of(plane, (5, 6))).all() for plane in planes)
    inside_of(planes[0], (5, 6))[...] = inside_of(planes[1], (5, 6))[...] = 0
    assert not planes.any()
    image = np.arange(12.0).reshape(3, 4)
    assert np.array_equal(plane_of(image), np.pad(image, ((1, 2), (1, 1))))


def test_callers_in_several_threads_do_not_disturb_each_other(monkeypatch):
    from kernels.convolution import convolve, convolve_backward_weights

    monkeypatch.setenv("REFIMPL_THREADS", "2")
    rng = np.random.default_rng(1)
    weights = rng.standard_normal((3, 3, 64, 64)).astype(np.float32)
    inputs = [rng.standard_normal((20 + 8 * k, 30, 64)).astype(np.float32) for k in range(4)]

    def work(x):
        return convolve(x, weights, None, True).tobytes() + convolve_backward_weights(x, x).tobytes()

    expected = [work(x) for x in inputs]
    wrong = []

    def repeat(k):
        wrong.extend(k for _ in range(5) if work(inputs[k]) != expected[k])

    callers = [threading.Thread(target=repeat, args=(k,)) for k in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_starts_threads_of_its_own(monkeypatch):
    monkeypatch.setenv("REFIMPL_THREADS", "3")
    run_parts(lambda part, worker: None, 9)  # the parent's threads exist now, and would be waited for in vain
    child = os.fork()
    if child == 0:
        done = []
        run_parts(lambda part, worker: done.append(part), 9)
        os._exit(0 if len(done) == 9 else 1)
    for _ in range(400):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        threading.Event().wait(0.05)
    else:
        os.kill(child, 9)
        pytest.fail("the child hangs")
    assert os.waitstatus_to_exitcode(status) == 0


def test_after_an_interrupt_the_next_call_gets_other_memory_than_a_straggler_writes_to(monkeypatch):
    """The interrupt comes while the caller waits for the other thread, which goes on writing."""
    monkeypatch.setenv("REFIMPL_THREADS", "2")
    memory, begun, go_on, ended = work_array("interrupted", (8,)), *(threading.Event() for _ in range(3))

    def kernel(part, worker):
        if worker == 0:
            begun.wait(20)
            raise KeyboardInterrupt
        begun.set()
        go_on.wait(20)
        memory[:] = 99
        ended.set()

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("kernels.tools.threads.wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_parts(kernel, 2)
    after = work_array("interrupted", (8,))
    after[:] = 7
    go_on.set()
    assert ended.wait(20) and memory[0] == 99 and (after == 7).all()
