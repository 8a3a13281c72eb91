"""Resume the jobs and checkpoints of an interrupted run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from hpo_core.contracts.backend import Started
from hpo_core.controller.results.result import best_trials
from hpo_core.controller.run.budget_tracker import BudgetTracker
from hpo_core.controller.run.checkpoint_retention import CheckpointRetention
from hpo_core.controller.run.context import RunContext
from hpo_core.controller.run.effects import NOTHING, Effects
from hpo_core.controller.run.events import EventHandler
from hpo_core.controller.run.job_factory import JobFactory
from hpo_core.controller.run.lookahead import Lookahead
from hpo_core.controller.run.recovery import Interrupted
from hpo_core.controller.run.state import RunState
from hpo_core.model.job import Job, JobState
from hpo_core.store.records import JobRecord


class Resumption:
    """Resumes an unfinished study.

    Args:
        context: The study.
        state: Where the run stands.
        budget: What is used of the budget.
        handler: Handles events.
        factory: Makes jobs.
        retention: Which checkpoints are kept.
        lookahead: How many jobs may be under way.
    """

    def __init__(
        self,
        context: RunContext,
        state: RunState,
        budget: BudgetTracker,
        handler: EventHandler,
        factory: JobFactory,
        retention: CheckpointRetention,
        lookahead: Lookahead,
    ) -> None:
        self._context = context
        self._state = state
        self._budget = budget
        self._handler = handler
        self._factory = factory
        self._retention = retention
        self._lookahead = lookahead

    def jobs(self, interrupted: Iterable[Interrupted]) -> dict[str, Job]:
        """Return the unfinished jobs by id, for the backend to adopt."""
        return {
            found.job.id: msgspec.structs.replace(
                self._factory.job(found.trial, -1),
                handle=found.job.handle,
                reports=len(found.reports),
            )
            for found in interrupted
            if found.job
        }

    def resume(
        self, interrupted: Iterable[Interrupted], jobs: Mapping[str, Job], alive: Collection[str]
    ) -> Effects:
        """Handle the unfinished jobs.

        Args:
            interrupted: The trials that were running.
            jobs: The jobs that `jobs` returned for them.
            alive: The ids of the jobs that the backend has adopted. The others are lost.
        """
        effects = self._resume_checkpoints()
        for found in interrupted:
            if found.job is None:
                self._state.waiting.append(found.trial)
            elif found.job.id in alive:
                effects += self._adopt(found, found.job, jobs[found.job.id])
            else:
                self._record_lost(found, found.job)
                self._state.waiting.append(found.trial)
        return effects

    def _resume_checkpoints(self) -> Effects:
        """Complete the copies and deletions of checkpoints that an earlier run has left."""
        store, study, config = self._context.store, self._context.study, self._context.config
        checkpoints = self._context.folder.checkpoints
        if any(checkpoints.copies()):
            checkpoints.recover({job.id for job in store.jobs(study.id)})
        if self._retention.is_keeping_all:
            return NOTHING
        best = best_trials(store, study, config, config.job.keep_checkpoints or 0)
        return self._retention.begin(
            [(trial.id, trial.losses) for trial in best if trial.losses],
            store.trial_states(study.id),
        )

    def _adopt(self, found: Interrupted, record: JobRecord, job: Job) -> Effects:
        """Register a job that outlived its controller as running."""
        found.trial.attempt -= 1
        running = self._factory.running(job, found.trial, record.queued)
        running.iteration, running.iterations = found.iteration, found.iterations
        running.metrics = found.metrics
        for iteration, metrics in found.reports:
            running.target.note(iteration, metrics)
            if running.target.is_reached:
                running.recorded.append((iteration, metrics))
        self._budget.iterations += found.iterations
        self._state.jobs[job.id] = running
        self._lookahead.job_adopted(running)
        self._budget.job_submitted(is_first=found.trial.attempt == 1)
        now = self._context.clock.now()
        effects = self._handler.handle(Started(job.id, record.started or now, record.handle))
        self._handler.heard(running, now)
        return effects + self._handler.obey(running, found.decision, now)

    def _record_lost(self, found: Interrupted, record: JobRecord) -> None:
        started = record.started
        seen = self._context.store.last_sign_of_life(self._context.study.id)
        ended = max(started or record.queued, seen)
        self._budget.job_lost(0.0 if started is None else ended - started)
        self._budget.iterations += found.iterations
        self._context.writer.job_ended(
            record.trial_id,
            record.attempt,
            state=JobState.LOST,
            reason="its controller died",
            started=started,
            ended=ended,
            iteration=found.iteration,
            iterations=found.iterations,
            metrics=found.metrics,
        )
