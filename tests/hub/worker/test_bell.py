"""The bell: rings while a job waits are one, a ring while it runs makes it run again, a fault ends no other job."""

import threading
from collections.abc import Iterator

import pytest

from hub.worker.bell import Bell

WAIT_S = 10


class Worked:
    """A job that a test holds open and counts."""

    def __init__(self) -> None:
        self.runs = 0
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)

    def __call__(self) -> None:
        self.runs += 1
        self.begun.release()
        assert self.go_on.acquire(timeout=WAIT_S)


class Faults(list[tuple[str, Exception]]):
    def __init__(self) -> None:
        super().__init__()
        self.came = threading.Semaphore(0)

    def note(self, name: str, fault: Exception) -> None:
        self.append((name, fault))
        self.came.release()


@pytest.fixture
def slow() -> Worked:
    return Worked()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def bell(slow: Worked, faults: Faults) -> Iterator[Bell]:
    def broken() -> None:
        raise LookupError("nothing there")

    made = Bell({"slow": slow, "broken": broken}, failed=faults.note)
    made.start()
    yield made
    made.stop()


def test_rings_while_a_job_runs_make_it_run_once_more(bell: Bell, slow: Worked) -> None:
    bell.ring("slow")
    assert slow.begun.acquire(timeout=WAIT_S)

    for _ in range(5):
        bell.ring("slow")
    slow.go_on.release()
    assert slow.begun.acquire(timeout=WAIT_S)
    slow.go_on.release()
    settled(bell)

    assert slow.runs == 2


def test_a_fault_is_told_and_the_job_can_be_rung_again(bell: Bell, faults: Faults) -> None:
    bell.ring("broken")
    assert faults.came.acquire(timeout=WAIT_S)
    settled(bell)
    bell.ring("broken")
    assert faults.came.acquire(timeout=WAIT_S)

    assert [(name, str(fault)) for name, fault in faults] == [("broken", "nothing there")] * 2


def test_a_job_that_does_not_exist_is_refused(bell: Bell) -> None:
    with pytest.raises(KeyError):
        bell.ring("nobody")


def settled(bell: Bell) -> None:
    """Waits until nothing runs or waits."""
    pause = threading.Event()
    for _ in range(WAIT_S * 100):
        if bell.idle():
            return
        pause.wait(0.01)
    raise AssertionError("the bell does not come to rest")


def test_jobs_that_take_long_keep_no_other_waiting(faults: Faults) -> None:
    slow = [Worked() for _ in range(8)]
    quick = threading.Event()
    jobs = {f"slow {number}": job for number, job in enumerate(slow)}
    bell = Bell({**jobs, "quick": quick.set}, failed=faults.note)
    bell.start()
    for name in jobs:
        bell.ring(name)
    for job in slow:
        assert job.begun.acquire(timeout=WAIT_S)

    bell.ring("quick")

    ran = quick.wait(WAIT_S)
    for job in slow:
        job.go_on.release()
    bell.stop()
    assert ran
