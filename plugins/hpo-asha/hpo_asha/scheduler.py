"""The base of all variants: trials, valid reports, the searcher, recovery."""

from __future__ import annotations

import logging
import math
from typing import Any, ClassVar, Generic, TypeVar

from hpo_asha.rungs import RungResult
from hpo_asha.searcher import Searcher
from hpo_core.plugin import (
    Asked,
    BaseStrategy,
    Capability,
    Decision,
    Exhausted,
    History,
    Problem,
    Report,
    Resume,
    SavedState,
    Start,
    Told,
    Wait,
)

log = logging.getLogger("hpo_asha")
"""The logger for messages to users."""


class Trial:
    """A trial.

    Attributes:
        id: Its id.
        ended: The ids of its ended jobs, whose later reports are ignored.
        measured: The last value of each constrained metric.
    """

    __slots__ = ("ended", "id", "measured")

    def __init__(self, trial_id: int) -> None:
        self.id = trial_id
        self.ended: tuple[str, ...] = ()
        self.measured: dict[str, float] = {}


T = TypeVar("T", bound=Trial)


class Scheduler(BaseStrategy, Generic[T]):
    """The base class of the variants. Its state follows from the history; none is saved.

    A variant decides what to run next (`_answer`), and handles trials that start (`_begin`), are
    resumed (`_resumed`), report (`_watch`) and whose job ends (`_end`).

    Args:
        problem: The study.
        searcher: Where configurations come from.

    Attributes:
        capabilities: Its own capabilities, and those of the searcher.
    """

    own: ClassVar[frozenset[Capability]] = frozenset({Capability.STOPPING})
    never: ClassVar[frozenset[Capability]] = frozenset({Capability.MULTI_OBJECTIVE})

    def __init__(self, problem: Problem, searcher: Searcher) -> None:
        self.capabilities = (searcher.capabilities - self.never) | self.own
        self._searcher = searcher
        self._metric = problem.objectives[0].metric
        self._constraints = problem.constraints
        self._trials: dict[int, T] = {}
        self._running: set[int] = set()
        self._adopted: set[int] = set()  # adopted trials
        self._is_full = False  # whether no trial can be started any more
        self._is_restoring = False

    # -- methods of variants ----------------------------------------------------------------

    def _answer(self, trial_id: int) -> Start | Resume | Wait | Exhausted:
        """Return the next suggestion; change only the searcher's state."""
        raise NotImplementedError

    def _begin(self, trial_id: int, start: Start) -> T:
        """Register a new trial, suggested by the searcher or by a user."""
        raise NotImplementedError

    def _resumed(self, trial: T, resume: Resume) -> None:
        """Register that a trial is resumed."""
        raise NotImplementedError

    def _watch(self, trial: T, report: Report) -> Decision:
        """Decide on a report of a running job."""
        raise NotImplementedError

    def _end(self, trial: T, report: Report) -> Decision:
        """Handle the end of a trial's job, and tell the searcher."""
        raise NotImplementedError

    # -- asking -----------------------------------------------------------------------------

    def ask(self, trial_id: int, /) -> Start | Resume | Wait | Exhausted:
        """Return the next suggestion; see the variant."""
        answer = self._answer(trial_id)
        if isinstance(answer, Start | Resume):
            self._take_on(trial_id, answer)
        return answer

    def adopt(self, trial_id: int, suggestion: Start | Resume, /) -> None:
        """Register a suggestion made elsewhere; a new trial enters at the lowest rung."""
        if isinstance(suggestion, Start):
            self._searcher.adopt(trial_id, suggestion)
            self._adopted.add(trial_id)
        self._take_on(trial_id, suggestion)

    def no_more_trials(self) -> None:
        """Start no more trials; existing ones may be resumed.

        Nothing else changes: instead of starting a trial, nothing is done. So an extended study
        continues as if it had had the larger budget from the start.
        """
        self._is_full = True

    def _take_on(self, trial_id: int, suggestion: Start | Resume) -> None:
        if isinstance(suggestion, Start):
            trial = self._begin(trial_id, suggestion)
            self._trials[trial_id] = trial
        else:
            trial = self._trials[suggestion.trial_id]
            self._resumed(trial, suggestion)
        self._running.add(trial.id)

    def _new(self, trial_id: int) -> Start | Wait | Exhausted:
        """Ask the searcher for a new trial, if the budget allows it."""
        return Exhausted() if self._is_full else self._searcher.ask(trial_id)

    def _without(self, answer: Wait | Exhausted) -> Wait | Exhausted:
        """Return the answer if there is no new trial, and no trial to resume.

        Raises:
            StrategyError: If the searcher waits although no job is running.
        """
        if self._running:
            return Wait()
        if isinstance(answer, Wait):
            raise self._searcher.waits_for_nothing()
        return answer

    # -- telling ----------------------------------------------------------------------------

    def tell(self, report: Report, /) -> Decision:
        """Handle a report; a report after the end of its job is ignored."""
        trial = self._trials.get(report.trial_id)
        if trial is None or trial.id not in self._running or report.job_id in trial.ended:
            return Decision.CONTINUE
        if self._constraints:
            self._measure(trial, report)
        if report.is_final:
            self._running.discard(trial.id)
            trial.ended += (report.job_id,)
            return self._end(trial, report)
        decision = self._watch(trial, report)
        if self._searcher.watch(report) is Decision.STOP:
            return Decision.STOP
        return decision

    def _measure(self, trial: T, report: Report) -> None:
        for constraint in self._constraints:
            if constraint.metric in report.metrics:
                trial.measured[constraint.metric] = report.metrics[constraint.metric]

    def _result(self, trial: T, report: Report) -> RungResult:
        """Return the result of a trial at a report; an unreported constraint is satisfied."""
        violation = 0.0
        for constraint in self._constraints:
            excess = trial.measured.get(constraint.metric, constraint.bound) - constraint.bound
            violation += math.inf if math.isnan(excess) else max(excess, 0.0)
        loss = math.inf if report.losses is None else report.losses[0]
        return RungResult(violation, loss, trial.id)

    # -- recovering -------------------------------------------------------------------------

    def save_state(self) -> dict[str, Any] | None:
        """Return the searcher's state; everything else follows from the history."""
        return self._searcher.save_state()

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Replay the history, and let the searcher restore itself from its part of it."""
        self._is_restoring = True
        self._searcher.recall()
        for place, event in enumerate(history):
            if saved is not None and place == saved.events:
                self._searcher.recall_state()
            if isinstance(event, Told):
                self._searcher.recall_decision(event.decision)
                self.tell(event.report)
            else:
                self._recall(event)
        if saved is not None and saved.events >= len(history):
            self._searcher.recall_state()
        self._searcher.restore(saved)
        self._is_restoring = False

    def _recall(self, event: Asked) -> None:
        if isinstance(event.suggestion, Start):
            self._searcher.recall_start(event, event.suggestion)
            if event.adopted:
                self._adopted.add(event.trial_id)
        self._take_on(event.trial_id, event.suggestion)

    def interrupt(self, *, at_once: bool) -> None:
        """Interrupt the searcher."""
        self._searcher.interrupt(at_once=at_once)

    def close(self) -> None:
        """Release the resources of the searcher."""
        self._searcher.close()


def with_notes(start: Start, iterations: int | None, **notes: Any) -> Start:
    """Return a new trial of the searcher with a target and with the scheduler's notes."""
    noted = {**(start.notes or {}), **notes}
    return Start(start.configuration, iterations, noted or None)
