"""Reports of jobs as strategies see them, and the decisions that they answer with."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping

import msgspec

from hpo_core.model.failure import FailureCause
from hpo_core.model.objective import Losses


class Status(enum.Enum):
    """The status of a job when it reports. All except RUNNING are final."""

    RUNNING = "running"
    COMPLETED = "completed"
    PAUSED = "paused"
    STOPPED = "stopped"
    FAILED = "failed"
    TIMED_OUT = "timed_out"


class Decision(enum.Enum):
    """A strategy's answer to a report.

    CONTINUE lets the job run. PAUSE ends the job, and the trial may be resumed; in answer to a
    final report it keeps the trial open for a `Resume`. STOP ends the job and the trial. A job that
    has reached the maximum number of iterations of its trial is completed, whatever the decision.
    """

    CONTINUE = "continue"
    PAUSE = "pause"
    STOP = "stop"


class Report(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """A report of a job, as passed to `Strategy.tell`.

    Attributes:
        trial_id: The trial.
        job_id: The job that reports. A trial may have several jobs.
        iteration: The iteration that the job reports, or None if it does not count iterations. An
            iteration beyond the job's target is passed as the target.
        losses: One loss for each objective, lower is better: the trial's result if it ended here
            (see `Objective.value`). None if an objective has no finite value yet, and for a job
            that failed or timed out.
        status: RUNNING for an intermediate report, else how the job ended. STOPPED also if the time
            limit ended the job below the target that the strategy had set. There is exactly one
            final report for each trial that starts and for each Resume; none for lost and retried
            jobs.
        metrics: All metrics of this report; values may be NaN or infinite.
        attempt: Number of times that the trial's job was started since the trial was last
            suggested: 2 after the first retry. A report of a new attempt replaces those of earlier
            attempts; see `Strategy`. None for a trial that ran elsewhere.
        cause: Why the job failed: of a final report with the status FAILED or TIMED_OUT. None for
            any other one, and for what was recorded before causes were.
    """

    trial_id: int
    job_id: str
    iteration: int | None = None
    losses: Losses | None = None
    status: Status = Status.RUNNING
    metrics: Mapping[str, float] = {}
    attempt: int | None = None
    cause: FailureCause | None = None

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self.status is not Status.RUNNING


def how_to_report(metric: str, iteration: int | None = None) -> str:
    """Return instructions to report a metric: in Python, and in any language."""
    named = f"{metric}=0.5" if metric.isidentifier() else f"**{{{metric!r}: 0.5}}"
    call = f"{named})" if iteration is None else f"{iteration}, {named})"
    line = {metric: 0.5} if iteration is None else {"iteration": iteration, metric: 0.5}
    return (
        f"in Python by hpo_core.report({call}, elsewhere by a line {json.dumps(line)} to the "
        "descriptor $HPO_REPORT_FD"
    )
