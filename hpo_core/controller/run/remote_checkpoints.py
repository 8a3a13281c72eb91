"""Checkpoints that are stored at an address: fetched before a job starts, stored after its end.

`CheckpointingBackend` wraps the backend of a study with ``job.checkpoints``. The end of a job is
passed on at once and its files are stored afterwards, in a thread: that they are to be stored is
noted before, so that the next controller does what a dead one has not done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

from hpo_core.contracts.backend import Backend, Clock, Finished, JobEvent, Outcome
from hpo_core.model.errors import StrategyError
from hpo_core.model.job import Job
from hpo_core.store.checkpoints import Checkpoints
from hpo_core.store.remote import Remote


class CheckpointingBackend:
    """A backend whose jobs find the stored checkpoints of their trials.

    Args:
        checkpoints: The checkpoints of the study.
        remote: Where they are stored.
        deliver: Receives the events that the backend delivers itself; see `BackendContext.deliver`.
        clock: The time.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        remote: Remote,
        deliver: Callable[[JobEvent], None],
        clock: Clock,
    ) -> None:
        self._checkpoints = checkpoints
        self._remote = remote
        self._deliver = deliver
        self._clock = clock
        self._backend: Backend
        self._fetching: dict[str, Job] = {}
        self._fetched: deque[tuple[str, Future[object]]] = deque()
        self._cancelled: list[str] = []

    def on(self, backend: Backend) -> Backend:
        """Wrap a backend that was built with `deliver`."""
        self._backend = backend
        for job_id in list(self._checkpoints.expected()):
            self._store(job_id)
        return self

    def deliver(self, event: JobEvent) -> None:
        """Deliver an event, and store the checkpoints of a job that has ended."""
        self._note_end(event)
        self._deliver(event)

    def submit(self, job: Job) -> None:
        self._fetching[job.id] = job
        fetching = self._remote.later(job.trial_id, partial(self._checkpoints.fetch, job.trial_id))
        fetching.add_done_callback(partial(self._on_fetched, job.id))

    def cancel(self, job_id: str, *, grace: float) -> None:
        if self._fetching.pop(job_id, None) is None:
            self._backend.cancel(job_id, grace=grace)
        else:
            self._cancelled.append(job_id)
            self._backend.wake()

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        """Wait for events.

        Raises:
            StrategyError: If the strategy has resumed a trial whose checkpoints were deleted. The
                failure of its job is delivered before.
        """
        now = self._clock.now()
        ended: list[JobEvent] = [Finished(each, now, Outcome.CANCELLED) for each in self._cancelled]
        self._cancelled.clear()
        while self._fetched:
            job_id, fetched = self._fetched.popleft()
            job = self._fetching.pop(job_id, None)
            if job is None:  # cancelled
                continue
            if (error := fetched.exception()) is not None:
                ended.append(Finished(job_id, now, Outcome.FAILED, str(error)))
                if isinstance(error, StrategyError):
                    for event in ended:
                        self.deliver(event)
                    raise error
            else:
                self._backend.submit(job)
        events = [*ended, *self._backend.events(0.0 if ended else timeout)]
        for event in events:
            self._note_end(event)
        return events

    def wake(self) -> None:
        self._backend.wake()

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        return self._backend.adopt(jobs)

    def close(self) -> None:
        self._backend.close()
        self._remote.close()

    def _on_fetched(self, job_id: str, fetched: Future[object]) -> None:
        """Have the job submitted; called in a thread."""
        self._fetched.append((job_id, fetched))
        self._backend.wake()

    def _note_end(self, event: JobEvent) -> None:
        if isinstance(event, Finished) and event.outcome is not Outcome.LOST:
            self._checkpoints.expect_to_store(event.job_id)
            self._store(event.job_id)

    def _store(self, job_id: str) -> None:
        self._remote.later(int(job_id.partition(".")[0]), partial(self._checkpoints.store, job_id))
