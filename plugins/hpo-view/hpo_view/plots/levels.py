"""Where trials were compared: the core does not know rungs, but the targets of jobs."""

from __future__ import annotations

from collections import Counter

from hpo_core import JobState, TrialState
from hpo_view.data import StudyData

_MOST = 12
"""Maximum number of rungs: trials that end at more different iterations do not end at rungs."""


def rung_levels(data: StudyData) -> list[int]:
    """Return the iterations of the rungs; none if no trial was paused or stopped early.

    They are the targets of jobs or, if the strategy stops running jobs, the iterations at which
    trials were stopped.
    """
    states = {trial.state for trial in data.trials}
    targets = {job.target for job in data.jobs if job.attempt > 0 and job.target is not None}
    was_paused = TrialState.PAUSED in states or any(j.state is JobState.PAUSED for j in data.jobs)
    if len(targets) > 1 and was_paused:
        return sorted(targets)[:_MOST]
    stopped = Counter(
        trial.iteration
        for trial in data.trials
        if trial.state is TrialState.STOPPED and trial.iteration is not None
    )
    if not stopped or len(stopped) > _MOST:
        return []
    most = max((trial.iteration or 0 for trial in data.trials), default=0)
    return sorted({*stopped, most})


def bracket(data: StudyData) -> dict[int, int | None]:
    """Return the target of each trial's first job, which the trials of a bracket share."""
    first: dict[int, int | None] = {}
    for job in data.jobs:
        if job.attempt > 0:
            first.setdefault(job.trial_id, job.target)
    return first
