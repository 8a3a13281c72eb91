"""What a job says, as strategies see it, and what they may answer."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping

import msgspec

from hpo_core.model.objective import Losses


class Status(enum.Enum):
    """Where a job stands when it reports; all but RUNNING are final."""

    RUNNING = "running"
    COMPLETED = "completed"
    PAUSED = "paused"
    STOPPED = "stopped"
    FAILED = "failed"
    TIMED_OUT = "timed_out"


class Decision(enum.Enum):
    """A strategy's answer to a report.

    CONTINUE lets the job run on. PAUSE ends the job, and the trial may be resumed; as the answer
    to a final report it keeps the trial open for a `Resume`. STOP ends the job and the trial. A job
    that has trained as far as its trial ever will is completed, whatever is decided.
    """

    CONTINUE = "continue"
    PAUSE = "pause"
    STOP = "stop"


class Report(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """What is known of a trial at one moment, as told to a strategy.

    Attributes:
        trial_id: The trial.
        job_id: The job that reports; one trial may have several.
        iteration: How far the job says it is, or None if it does not count iterations. What it
            reports beyond its target is told as the target's.
        losses: One for each objective, lower is better: what the trial would count if it
            ended here (see `Objective.value`). None if an objective has no finite value yet,
            and for a job that failed or timed out.
        status: RUNNING for an intermediate report, else how the job ended. STOPPED also for a job
            that its time limit ended below the target that the strategy had set. Exactly one final
            report is told for each trial that starts and each Resume; lost and retried jobs
            are not told of.
        metrics: Everything that the job reported here; values may be NaN or infinite.
        attempt: How many times the trial's job was begun since the trial was last asked for: 2
            after its first retry. A report of a new attempt replaces those of earlier ones; see
            `Strategy`. None for what ran elsewhere.
    """

    trial_id: int
    job_id: str
    iteration: int | None = None
    losses: Losses | None = None
    status: Status = Status.RUNNING
    metrics: Mapping[str, float] = {}
    attempt: int | None = None

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self.status is not Status.RUNNING


def how_to_report(metric: str, iteration: int | None = None) -> str:
    """Return how a job reports a metric, for people: in Python, and in any language."""
    named = f"{metric}=0.5" if metric.isidentifier() else f"**{{{metric!r}: 0.5}}"
    call = f"{named})" if iteration is None else f"{iteration}, {named})"
    line = {metric: 0.5} if iteration is None else {"iteration": iteration, metric: 0.5}
    return (
        f"in Python by hpo_core.report({call}, elsewhere by a line {json.dumps(line)} to the "
        "descriptor $HPO_REPORT_FD"
    )
