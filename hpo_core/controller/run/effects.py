"""Record, then act: the effects of a turn are a value, performed only after it is recorded.

Event handlers write to the store and return `Effects`. Committing the transaction creates a
`Recorded`. A `Performer` accepts only a `Recorded`, so nothing can be done before it is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, ParamSpec

import msgspec

from hpo_core.contracts.backend import Backend
from hpo_core.contracts.observer import StudyEvent
from hpo_core.controller.run.observer_dispatcher import ObserverDispatcher
from hpo_core.model.job import Job
from hpo_core.store.checkpoints import Checkpoints
from hpo_core.store.writer import StudyWriter

P = ParamSpec("P")


class Cancel(NamedTuple):
    """A job to terminate, and to kill after `grace` seconds."""

    job_id: str
    grace: float


class Effects(msgspec.Struct, frozen=True):
    """Actions to perform. ``earlier + later`` performs both, in that order.

    Attributes:
        place_checkpoints: Ids of jobs whose trials receive the checkpoints copied for them.
        submit: Jobs to submit.
        cancel: Jobs to cancel.
        delete_checkpoints: Trials whose checkpoints are no longer needed. If a job of the trial is
            submitted in the same turn, they are kept.
        notify: Events for the observers.
    """

    place_checkpoints: tuple[str, ...] = ()
    submit: tuple[Job, ...] = ()
    cancel: tuple[Cancel, ...] = ()
    delete_checkpoints: tuple[int, ...] = ()
    notify: tuple[StudyEvent, ...] = ()

    def __add__(self, later: Effects) -> Effects:
        if later is NOTHING:
            return self
        if self is NOTHING:
            return later
        return Effects(
            self.place_checkpoints + later.place_checkpoints,
            self.submit + later.submit,
            self.cancel + later.cancel,
            self.delete_checkpoints + later.delete_checkpoints,
            self.notify + later.notify,
        )


NOTHING = Effects()
"""No effects."""


def all_of(effects: Iterable[Effects]) -> Effects:
    """Return the sum of effects, in order."""
    total = NOTHING
    for each in effects:
        total += each
    return total


class Recorded:
    """Effects whose causes are committed to the store.

    Args:
        writer: Writes the store.
        handle: Writes events to the store and returns the resulting effects. All its writes are one
            transaction.
        *about: Its arguments.

    Raises:
        StoreError: If the transaction fails.
    """

    __slots__ = ("effects",)

    def __init__(
        self, writer: StudyWriter, handle: Callable[P, Effects], *about: P.args, **told: P.kwargs
    ) -> None:
        with writer.turn():
            effects = handle(*about, **told)
        self.effects = effects


class Performer:
    """Performs recorded effects.

    Args:
        backend: The backend.
        checkpoints: The checkpoints of the study's trials.
        observers: The observers to notify.
    """

    def __init__(
        self, backend: Backend, checkpoints: Checkpoints, observers: ObserverDispatcher
    ) -> None:
        self._backend = backend
        self._checkpoints = checkpoints
        self._observers = observers

    def perform(self, recorded: Recorded) -> None:
        """Place checkpoints, submit, cancel, delete checkpoints, and notify the observers.

        The observers are notified even if another action raises, since their events have happened.
        """
        effects = recorded.effects
        if effects is NOTHING:
            return
        try:
            for job_id in effects.place_checkpoints:
                self._checkpoints.put_in_place(job_id)
            for job in effects.submit:
                self._backend.submit(job)
            for cancel in effects.cancel:
                self._backend.cancel(cancel.job_id, grace=cancel.grace)
            if effects.delete_checkpoints:
                submitted = {job.trial_id for job in effects.submit}
                for trial_id in effects.delete_checkpoints:
                    if trial_id not in submitted:
                        self._checkpoints.delete(trial_id)
        finally:
            self.notify(effects.notify)

    def notify(self, events: Iterable[StudyEvent]) -> None:
        """Notify the observers of events that are not recorded, such as the start of a job."""
        for event in events:
            self._observers.notify(event)
