"""The contract of backends finds each broken backend with the check meant for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hpo_core.backends import local
from hpo_core.plugin import (
    Backend,
    BackendContext,
    Finished,
    Job,
    JobEvent,
    NoOptions,
    Reported,
    Started,
)
from hpo_core.testing import BackendContract


class Honest:
    """A backend that keeps its promises; those below break one each."""

    def __init__(self, backend: Backend) -> None:
        self.inner = backend

    def submit(self, job: Job) -> None:
        self.inner.submit(job)

    def cancel(self, job_id: str, *, grace: float) -> None:
        self.inner.cancel(job_id, grace=grace)

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        return self.inner.events(timeout)

    def wake(self) -> None:
        self.inner.wake()

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        return self.inner.adopt(jobs)

    def close(self) -> None:
        self.inner.close()


class Altered(Honest):
    """Alters each event."""

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        return [said for event in self.inner.events(timeout) for said in self.alter(event)]

    def alter(self, event: JobEvent) -> list[JobEvent]:
        raise NotImplementedError


class NeverStarts(Altered):
    def alter(self, event: JobEvent) -> list[JobEvent]:
        return [] if isinstance(event, Started) else [event]


class FinishesTwice(Altered):
    def alter(self, event: JobEvent) -> list[JobEvent]:
        return [event, event] if isinstance(event, Finished) else [event]


class HasAClockOfItsOwn(Altered):
    def alter(self, event: JobEvent) -> list[JobEvent]:
        return [msgspec.structs.replace(event, time=time.monotonic())]


class TurnsReportsRound(Honest):
    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        events = self.inner.events(timeout)
        reports = iter([event for event in events if isinstance(event, Reported)][::-1])
        return [next(reports) if isinstance(event, Reported) else event for event in events]


class CutsNames(Altered):
    def alter(self, event: JobEvent) -> list[JobEvent]:
        if not isinstance(event, Reported):
            return [event]
        cut = {name[:1_000]: value for name, value in event.metrics.items()}
        return [msgspec.structs.replace(event, metrics=cut)]


class KnowsAsciiAlone(Altered):
    def alter(self, event: JobEvent) -> list[JobEvent]:
        if not isinstance(event, Reported):
            return [event]
        plain = {name.encode("ascii", "replace").decode(): 1.0 for name in event.metrics}
        return [msgspec.structs.replace(event, metrics=plain)]


class GivesNoReasons(Altered):
    def alter(self, event: JobEvent) -> list[JobEvent]:
        quiet = isinstance(event, Finished)
        return [msgspec.structs.replace(event, reason="") if quiet else event]


class Polls(Honest):
    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        until = time.monotonic() + (timeout or 0.0)
        while not (events := self.inner.events(0.01)) and time.monotonic() < until:
            pass
        return events


class HasNoPatience(Honest):
    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        return self.inner.events(0.0)


class GivesNoGrace(Honest):
    def cancel(self, job_id: str, *, grace: float) -> None:
        self.inner.cancel(job_id, grace=0.0)


class CancelsThemAll(Honest):
    def submit(self, job: Job) -> None:
        self.jobs = [*getattr(self, "jobs", []), job]
        self.inner.submit(job)

    def cancel(self, job_id: str, *, grace: float) -> None:
        for job in self.jobs:
            self.inner.cancel(job.id, grace=grace)


class LeaksADescriptor(Honest):
    def submit(self, job: Job) -> None:
        os.dup(2)
        self.inner.submit(job)


class LeavesAllBehind(Honest):
    def close(self) -> None:
        pass


class AdoptsNobody(Honest):
    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        return []


class Contract(BackendContract):
    work = "command"
    broken: type[Honest] = Honest

    def make_backend(self, context: BackendContext) -> Backend:
        return self.broken(local.build(context, NoOptions()))


BROKEN = {
    NeverStarts: "a_job_starts_reports_in_order_and_finishes_once",
    FinishesTwice: "a_job_starts_reports_in_order_and_finishes_once",
    HasAClockOfItsOwn: "a_job_starts_reports_in_order_and_finishes_once",
    TurnsReportsRound: "a_job_starts_reports_in_order_and_finishes_once",
    CutsNames: "large_reports_arrive_whole",
    KnowsAsciiAlone: "values_arrive_as_they_are_unicode_too_and_so_do_reports",
    GivesNoReasons: "a_job_that_fails_says_why_and_the_next_one_runs",
    Polls: "waiting_is_no_polling",
    HasNoPatience: "events_returns_nothing_once_the_timeout_has_passed",
    GivesNoGrace: "a_job_that_does_not_listen_is_forced_after_the_grace",
    CancelsThemAll: "cancelling_one_job_leaves_the_others_alone",
    LeaksADescriptor: "after_close_no_descriptor_is_left_open",
    LeavesAllBehind: "after_close_no_process_is_left_a_job_s_children_neither",
    AdoptsNobody: "after_the_controller_was_killed_jobs_are_adopted_or_gone",
}


@pytest.fixture
def attempt(tmp_path: Path) -> Iterator[Callable[[type[Honest], str], None]]:
    """Return what tries one check on one backend."""
    begun: list[Any] = []

    def attempt(broken: type[Honest], check: str) -> None:
        contract = Contract()
        contract.broken = broken

        def start(what: Callable[..., Any], **told: Any) -> Any:
            begun.append(contract.drive(tmp_path, what.__name__, **told))
            return begun[-1]

        available = {"start": start, "tmp_path": tmp_path}
        test = getattr(contract, f"test_{check}")
        wanted = test.__code__.co_varnames[1 : test.__code__.co_argcount]
        test(**{name: available[name] for name in wanted})

    descriptors = set(os.listdir("/dev/fd"))
    yield attempt
    for driver in begun:
        driver.backend.inner.close()
    for number in set(os.listdir("/dev/fd")) - descriptors:
        try:
            os.close(int(number))
        except OSError:  # the listing's own
            continue


@pytest.mark.parametrize(
    ("broken", "check"), BROKEN.items(), ids=[broken.__name__ for broken in BROKEN]
)
def test_a_broken_backend_is_caught(
    attempt: Callable[[type[Honest], str], None], broken: type[Honest], check: str
) -> None:
    with pytest.raises(AssertionError):
        attempt(broken, check)


@pytest.mark.parametrize("check", sorted(set(BROKEN.values())))
def test_an_honest_backend_is_not(attempt: Callable[[type[Honest], str], None], check: str) -> None:
    attempt(Honest, check)
