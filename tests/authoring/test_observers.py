"""Observers in the background: a bounded queue; what was missed is reported once and counted."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from hpo_core import Budget, Objective, StudyState, optimize
from hpo_core.plugin import (
    BackgroundObserver,
    Int,
    Job,
    JobReported,
    JobStarted,
    Progress,
    StudyEnded,
    Usage,
)

LIMIT = 30.0
JOB = Job(id="1.1", trial_id=1, name="a-1", configuration={"x": 1})
PROGRESS = Progress(running=1, completed=0, failed=0, stopped=0, usage=Usage())
STARTED = JobStarted(job=JOB, time=0.0, progress=PROGRESS)
ENDED = StudyEnded(name="a", state=StudyState.FINISHED, reason="", time=9.0, progress=PROGRESS)


def reported(step: int) -> JobReported:
    return JobReported(job=JOB, time=1.0, iteration=step, metrics={"loss": 0.5})


class Held:
    """Handles events once it is let go."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.busy = threading.Event()
        self.go = threading.Event()

    def observe(self, event: Any, /) -> None:
        self.busy.set()
        assert self.go.wait(LIMIT)
        self.events.append(event)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, logger="hpo_core")
    return caplog


def test_events_arrive_in_order_and_nothing_is_said(log: Any) -> None:
    held = Held()
    held.go.set()
    background = BackgroundObserver(held, "tracker")
    events = [STARTED, *map(reported, range(100)), ENDED]
    for event in events:
        background.observe(event)
    background.close()
    assert held.events == events
    assert not log.messages
    assert background.missed == 0


def test_a_full_queue_drops_reports_first_and_says_so_once_and_counts(log: Any) -> None:
    held = Held()
    background = BackgroundObserver(held, "tracker", capacity=3)
    background.observe(STARTED)
    assert held.busy.wait(LIMIT)  # and holds this one: the queue is empty
    for step in range(8):
        background.observe(reported(step))
    for _ in range(2):
        background.observe(STARTED)
    background.observe(ENDED)
    assert [text for text in log.messages if "is too slow, and 3 events wait" in text]
    held.go.set()
    background.close()
    assert held.events == [STARTED, *map(reported, range(3)), STARTED, STARTED, ENDED]
    assert len(log.messages) == 2
    assert log.messages[1] == (
        "the observer 'tracker' missed 5 of 12 events: 5 dropped, since too many waited"
    )


def test_an_exception_is_said_once_and_the_next_event_is_tried(log: Any) -> None:
    seen = []

    class Failing:
        def observe(self, event: Any, /) -> None:
            seen.append(event)
            if isinstance(event, JobReported):
                raise ConnectionError("refused")

    background = BackgroundObserver(Failing(), "tracker")
    for event in (reported(1), reported(2), ENDED):
        background.observe(event)
    background.close()
    assert seen == [reported(1), reported(2), ENDED]
    first, last = log.messages
    assert "failed to handle an event: ConnectionError: refused; the study continues" in first
    assert last == "the observer 'tracker' missed 2 of 3 events: 2 failed"


def test_what_is_not_handled_at_the_end_is_counted_once_waiting_is_given_up(log: Any) -> None:
    held = Held()
    background = BackgroundObserver(held, "tracker")
    for event in (STARTED, reported(1), ENDED):
        background.observe(event)
    assert held.busy.wait(LIMIT)
    background.give_up()
    background.close()
    assert log.messages == ["the observer 'tracker' missed 3 of 3 events: 3 not handled in time"]
    held.go.set()


def test_a_study_runs_on_while_its_tracker_hangs(log: Any) -> None:
    held = Held()
    background = BackgroundObserver(held, "tracker")
    ended = []

    class LetsGo:  # notified after the tracker: it hangs until the last job has ended
        def observe(self, event: Any, /) -> None:
            if isinstance(event, StudyEnded):
                ended.append(len(held.events))
                held.go.set()

    optimize(
        lambda configuration: float(configuration["x"]),
        [Int("x", 0, 99)],
        objective=Objective("loss", "minimize"),
        budget=Budget(jobs=20),
        backend="inline",
        observers=[background, LetsGo()],
    )
    assert ended == [0]
    assert len(held.events) == 1 + 20 * 2 + 1
    assert background.missed == 0
