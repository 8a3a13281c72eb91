"""Read the unfinished trials of a study back from its store."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hpo_core.config import StudyConfig
from hpo_core.contracts.strategy import Resume
from hpo_core.controller.run.pending_trial import Before, Counting, PendingTrial
from hpo_core.model.errors import StoreError, StrategyError
from hpo_core.model.job import JobState, TrialState
from hpo_core.model.objective import updated
from hpo_core.model.report import Decision
from hpo_core.model.values import Configuration
from hpo_core.store.attempts import ENDS_AN_ASK, counting
from hpo_core.store.records import JobRecord, StudyRecord, TrialRecord
from hpo_core.store.store import Store


class Interrupted(msgspec.Struct, frozen=True):
    """A trial that was running when the study was interrupted.

    Attributes:
        trial: The trial, as it waits for its next job.
        job: Its last job, if it had not ended.
        iteration: The last iteration that this job reported.
        metrics: The last value of each metric that it reported.
        iterations: Number of iterations that this job did itself.
        reports: The job's reports, as pairs of iteration and metrics.
        decision: The strategy's decision on the last report; it may not be carried out yet.
    """

    trial: PendingTrial
    job: JobRecord | None
    iteration: int | None = None
    metrics: dict[str, float] = {}
    iterations: int = 0
    reports: tuple[tuple[int | None, dict[str, float]], ...] = ()
    decision: Decision = Decision.CONTINUE


def interrupted_trials(config: StudyConfig, store: Store, study: StudyRecord) -> list[Interrupted]:
    """Return the trials that were running, in order.

    Raises:
        StoreError: If a trial does not match the study's parameters; see `require_fit`.
    """
    return [
        _interrupted(config, store, study, trial) for trial in store.unfinished_trials(study.id)
    ]


def _interrupted(
    config: StudyConfig, store: Store, study: StudyRecord, trial: TrialRecord
) -> Interrupted:
    require_fit(config, store, trial.configuration)
    jobs = store.jobs(study.id, trial.id)
    last = jobs[-1] if jobs else None
    target = last.target if last else config.job.max_iterations
    is_queued = last is not None and last.is_withdrawn
    if is_queued:
        jobs.pop()
        last = jobs[-1] if jobs else None
    failed = max((job.attempt for job in jobs if job.state is JobState.FAILED), default=0)
    asked = max((job.attempt for job in jobs if job.state in ENDS_AN_ASK), default=0)
    losses: Counting = (None,) * len(config.objectives)
    reached = earlier = 0
    is_heard = False
    before = Before(losses, reached, _metrics(job for job in jobs if job.attempt <= asked))
    iteration: int | None = None
    own_metrics: dict[str, float] = {}
    reports: list[tuple[int | None, dict[str, float]]] = []
    targets = {job.attempt: job.target for job in jobs}
    decision = Decision.CONTINUE
    for attempt, at, metrics, decided in store.reports(study.id, trial.id):
        if asked < attempt <= failed:  # a retry starts from the beginning
            continue
        losses = updated(config.objectives, losses, metrics)
        reached = max(reached, _counted(at, targets.get(attempt)))
        if last is not None and attempt == last.attempt:
            iteration = at if at is not None else iteration
            own_metrics.update(metrics)
            reports.append((at, metrics))
            decision = decided
        else:
            earlier = reached
        if attempt <= asked:
            before = before._replace(losses=losses, iteration=reached)
        else:
            is_heard = True
    pending = PendingTrial(
        trial.id,
        trial.configuration,
        attempt=len(jobs) + 1,
        target=target,
        losses=losses,
        is_target_suggested=trial.iterations is not None,
        is_queued=is_queued,
        iteration=reached,
        failures=sum(job.state is JobState.FAILED for job in jobs[asked:]),
        metrics=_metrics(job for job in jobs if not asked < job.attempt <= failed),
    )
    pending.before, pending.is_heard = before, is_heard
    if last is None or last.state.is_final:
        return Interrupted(pending, None)
    own = reached - earlier
    return Interrupted(pending, last, iteration, own_metrics, own, tuple(reports), decision)


def _counted(iteration: int | None, target: int | None) -> int:
    """Return the iteration that counts: at most the job's target."""
    reported = iteration or 0
    return reported if target is None else min(reported, target)


def resumed_trial(
    config: StudyConfig, store: Store, study: StudyRecord, resume: Resume
) -> tuple[PendingTrial, TrialState]:
    """Return a trial that a strategy wants to resume, ready for its next job.

    Returns:
        The trial and its current state.

    Raises:
        StrategyError: If there is no such trial, or its state is not paused, completed, or failed
            with the checkpoint of another trial to resume from.
        StoreError: If it does not match the study's parameters; see `require_fit`.
    """
    trial = store.trial(study.id, resume.trial_id)
    source = resume.checkpoint_from
    has_source = source is not None and store.trial(study.id, source) is not None
    wrong = wrong_with(resume, None if trial is None else trial.state, has_source=has_source)
    if trial is None or wrong is not None:
        raise StrategyError(wrong)
    jobs = store.jobs(study.id, trial.id)
    counted = counting(jobs)
    configuration = resume.configuration
    if configuration is None:
        require_fit(config, store, trial.configuration)
        configuration = trial.configuration
    pending = PendingTrial(
        trial.id,
        configuration,
        attempt=len(jobs) + 1,
        target=resume.iterations or config.job.max_iterations,
        losses=trial.losses or (None,) * len(config.objectives),
        is_target_suggested=resume.iterations is not None,
        iteration=max((_counted(job.iteration, job.target) for job in counted), default=0),
        metrics=_metrics(counted),
    )
    return pending, trial.state


def wrong_with(resume: Resume, state: TrialState | None, *, has_source: bool) -> str | None:
    """Return why a trial cannot be resumed as suggested, or None.

    Args:
        resume: The suggestion.
        state: The state of the trial; None if there is no such trial.
        has_source: Whether the trial whose checkpoint is to be copied exists.
    """
    if state is None:
        return f"it resumes trial {resume.trial_id}, which does not exist"
    source = resume.checkpoint_from
    is_copy = state is TrialState.FAILED and source not in (None, resume.trial_id)
    if state not in (TrialState.PAUSED, TrialState.COMPLETED) and not is_copy:
        return f"it resumes trial {resume.trial_id}, which is {state.value}"
    if source is not None and not has_source:
        return f"it copies the checkpoint of trial {source}, which does not exist"
    return None


def require_fit(config: StudyConfig, store: Store, configuration: Configuration) -> None:
    """Check that a stored configuration matches the study's parameters before it is run.

    Trust in a stored study covers its parameters, not each configuration: see
    `hpo_core.controller.stored.trust`.

    Raises:
        StoreError: If it does not, which means that the store was modified.
    """
    if faults := config.space.wrong(configuration):
        raise StoreError(
            f"the store {store.path} has been changed: it would run {dict(configuration)}, "
            f"which the parameters do not allow ({'; '.join(map(str, faults))})"
        )


def _metrics(jobs: Iterable[JobRecord]) -> dict[str, float]:
    """Return the last reported value of each metric."""
    return {name: value for job in jobs for name, value in job.metrics.items()}
