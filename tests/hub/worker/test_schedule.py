"""The schedule rings each job at its beat, by the clock that it is given."""

from hub.worker.schedule import Beat, Schedule


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_every_job_is_due_at_the_start_and_then_at_its_beat() -> None:
    clock, rung = Clock(), list[str]()
    schedule = Schedule([Beat("fast", 5), Beat("slow", 60)], rung.append, clock)

    schedule.tick()
    clock.now += 5
    schedule.tick()
    clock.now += 1
    schedule.tick()

    assert rung == ["fast", "slow", "fast"]


def test_a_postponed_job_is_left_alone() -> None:
    clock, rung = Clock(), list[str]()
    schedule = Schedule([Beat("fast", 5)], rung.append, clock)
    schedule.tick()

    schedule.postpone("fast", 30)
    clock.now += 29
    schedule.tick()
    clock.now += 1
    schedule.tick()

    assert rung == ["fast", "fast"]
