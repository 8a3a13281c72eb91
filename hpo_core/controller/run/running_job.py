"""A running job: its reports so far, and how it ends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hpo_core.contracts.backend import Finished, Outcome
from hpo_core.contracts.observer import FinishedJob
from hpo_core.controller.run.pending_trial import PendingTrial
from hpo_core.controller.run.targets import Target
from hpo_core.model.constraint import Constraint, unreported
from hpo_core.model.errors import nearest
from hpo_core.model.failure import FailureCause, cause_in
from hpo_core.model.job import Job, JobState
from hpo_core.model.objective import Losses, Objective, complete, updated
from hpo_core.model.report import how_to_report
from hpo_core.model.text import counted, some


class RunningJob:
    """A job under way.

    Attributes:
        job: The job, as passed to the backend.
        trial: Its trial.
        target: Its target, and the iteration reached.
        queued: Time of submission.
        started: Start time, or None.
        iteration: The last iteration that it reported.
        iterations: Number of iterations that this job did itself.
        metrics: The last value of each metric.
        deadline: Time at which it times out.
        silent_until: Time at which it times out unless it reports before.
        ending: The state it will have, once it is being ended; None before.
        reason: The reason why it is being ended.
        cause: The cause, once it has failed.
        is_cut_short: Whether its result counts although its time limit ended it before its target.
        is_decided: Whether the strategy ends it. If so, that holds even if the job has ended by
            itself in the meantime.
        notes: Human-readable remarks.
        recorded: Recorded reports of an adopted job that may arrive again, as pairs of iteration
            and metrics.
    """

    __slots__ = (
        "cause",
        "deadline",
        "ending",
        "is_cut_short",
        "is_decided",
        "iteration",
        "iterations",
        "job",
        "metrics",
        "notes",
        "queued",
        "reason",
        "recorded",
        "silent_until",
        "started",
        "target",
        "trial",
    )

    def __init__(self, job: Job, trial: PendingTrial, queued: float, target: Target) -> None:
        self.job = job
        self.trial = trial
        self.target = target
        self.queued = queued
        self.started: float | None = None
        self.iteration: int | None = None
        self.iterations = 0
        self.metrics: dict[str, float] = {}
        self.deadline = math.inf
        self.silent_until = math.inf
        self.ending: JobState | None = None
        self.reason = ""
        self.cause: FailureCause | None = None
        self.is_cut_short = False
        self.is_decided = False
        self.notes: list[str] = []
        self.recorded: list[tuple[int | None, Mapping[str, float]]] = []

    def count(
        self, objectives: Sequence[Objective], iteration: int | None, metrics: Mapping[str, float]
    ) -> int:
        """Count a report, and return the number of iterations that it adds to the study."""
        trial = self.trial
        trial.losses = updated(objectives, trial.losses, metrics)
        self.metrics.update(metrics)
        self.target.note(iteration, metrics)
        for name, value in metrics.items():
            if not math.isfinite(value):
                self._note_not_finite(name, value, iteration)
        if iteration is None:
            return 0
        self.iteration = iteration
        added = max((self.target.heard(iteration) or 0) - trial.iteration, 0)
        trial.iteration += added
        self.iterations += added
        return added

    def is_recorded(self, iteration: int | None, metrics: Mapping[str, float]) -> bool:
        """Say whether a report was recorded before the job was taken over.

        Those that counted nothing were not, so that their number does not tell which are new.
        """
        if (iteration, metrics) in self.recorded:
            return True
        self.recorded.clear()  # from here on all are new
        return False

    def is_withdrawn_by(self, finished: Finished) -> bool:
        """Return whether it was ended, to be run again, before it had started."""
        was_ended = finished.outcome is Outcome.CANCELLED and self.ending is JobState.LOST
        return was_ended and self.started is None

    @property
    def all_metrics(self) -> dict[str, float]:
        """The last value of each metric that the trial has reported, in any of its jobs."""
        return {**self.trial.metrics, **self.metrics}

    @property
    def is_at_last_target(self) -> bool:
        """Whether it has reached the last target of its trial."""
        return self.target.is_final and self.target.is_reached

    @property
    def is_ended_at_target(self) -> bool:
        """Whether it is being ended only because it has reached its target; it may still report."""
        return self.ending is JobState.COMPLETED and self.target.is_met

    @property
    def still_counts(self) -> bool:
        """Whether its reports count: no decision has ended it.

        If the study is interrupted, a job may have ended by itself before that.
        """
        return self.ending in (None, JobState.LOST) or self.is_ended_at_target

    def end_at_limit(
        self, reason: str, *, is_silent: bool, on_time_limit: str | None
    ) -> tuple[JobState, str]:
        """Return the state and the reason of a job that a limit ends.

        Args:
            reason: A description of the limit.
            is_silent: Whether it was the silence limit, which is always a failure.
            on_time_limit: The setting of the study.
        """
        if self.target.is_met:
            return self.end_at_target()
        if is_silent or on_time_limit != "complete" or complete(self.trial.losses) is None:
            return JobState.TIMED_OUT, reason
        self.is_cut_short = self.job.iterations is not None
        upto = "" if self.iteration is None else f" up to iteration {self.iteration}"
        return JobState.COMPLETED, f"{reason}; what it reported{upto} counts"

    def end_at_target(self) -> tuple[JobState, str]:
        """Return the state and the reason of a job that continues beyond its target."""
        limit = counted(self.target.iterations or 0, "iteration")
        return JobState.COMPLETED, f"ended by its limit of {limit}"

    def _note_not_finite(self, name: str, value: float, iteration: int | None) -> None:
        where = "" if iteration is None else f" at iteration {iteration}"
        if not any(note.startswith(f"{name} was ") for note in self.notes):
            self.notes.append(f"{name} was {value}{where}")

    def verdict(
        self,
        finished: Finished,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint],
        on_time_limit: str | None,
    ) -> tuple[JobState, str, Losses | None]:
        """Return the state, the reason, and the trial's losses if they count."""
        losses = complete(self.trial.losses)
        state, reason = self._state(finished, on_time_limit)
        if state is JobState.COMPLETED and losses is None:
            state, reason = JobState.FAILED, self._no_metric(objectives)
        elif state is JobState.COMPLETED and constraints:
            reason = "; ".join(filter(None, [reason, unreported(constraints, self.all_metrics)]))
        if self.notes:
            reason = "; ".join(
                [*filter(None, [reason]), *(n for n in self.notes if n not in reason)]
            )
        self.cause = self._cause(state, finished)
        counts = state in (JobState.COMPLETED, JobState.STOPPED, JobState.PAUSED)
        return state, reason, losses if counts else None

    def _cause(self, state: JobState, finished: Finished) -> FailureCause | None:
        """Return why the job failed, or None if it did not."""
        if state is JobState.TIMED_OUT:
            return FailureCause.TIMED_OUT
        if state is not JobState.FAILED:
            return None
        if finished.outcome is Outcome.FAILED:
            return finished.cause or cause_in(finished.reason.partition("\n")[0])
        losses = self.trial.losses
        diverged = any(loss is not None and not math.isfinite(loss) for loss in losses)
        return FailureCause.DIVERGED if diverged else FailureCause.ERROR

    def as_finished(
        self,
        objectives: Sequence[Objective],
        state: JobState,
        reason: str,
        losses: Losses | None,
        ended: float,
        *,
        is_best: bool,
        best_job: str | None,
    ) -> FinishedJob:
        """Return the ended job, for callbacks and observers."""
        values = {
            objective.metric: objective.loss(loss)
            for objective, loss in zip(objectives, losses or (), strict=False)
        }
        return FinishedJob(
            job=self.job,
            state=state,
            reason=reason,
            seconds=0.0 if self.started is None else ended - self.started,
            iteration=self.iteration,
            losses=losses,
            values=values,
            is_best=is_best,
            cause=self.cause,
            best_job=best_job,
            metrics=dict(self.metrics),
        )

    def _state(self, finished: Finished, on_time_limit: str | None) -> tuple[JobState, str]:
        if self.ending is None:
            match finished.outcome:
                case Outcome.COMPLETED:
                    return JobState.COMPLETED, ""
                case Outcome.FAILED:
                    return JobState.FAILED, finished.reason
                case Outcome.TIMED_OUT | Outcome.SILENT:
                    return self.end_at_limit(
                        finished.reason,
                        is_silent=finished.outcome is Outcome.SILENT,
                        on_time_limit=on_time_limit,
                    )
                case _:
                    return JobState.LOST, finished.reason or "the job vanished"
        is_its_own_end = not (self.is_decided or self.is_cut_short)
        has_value = self.ending is JobState.LOST or complete(self.trial.losses) is not None
        if finished.outcome is Outcome.COMPLETED and is_its_own_end and has_value:
            return JobState.COMPLETED, ""  # ended by itself, before it could be terminated
        return self.ending, self.reason

    def _no_metric(self, objectives: Sequence[Objective]) -> str:
        problems = []
        for objective, loss in zip(objectives, self.trial.losses, strict=True):
            name = objective.metric
            if loss is None:
                said = some(sorted(self.metrics)) + nearest(name, self.metrics)
                said = said or f"nothing (a metric is reported {how_to_report(name)})"
                problems.append(f"it never reported the metric {name!r}; it reported {said}")
            elif not math.isfinite(loss):
                problems.append(
                    f"the {objective.value} value of {name!r} is not a finite number: "
                    f"{self.metrics.get(name, loss)}"
                )
        return "; ".join(problems)
