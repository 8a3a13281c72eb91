"""What Slurm says of a job, and what that means for a study.

The states are those of squeue(1), "JOB STATE CODES". No accounting database is asked: squeue knows
jobs that have ended for as long as the cluster's MinJobAge says, 300 s by default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from hpo_core.plugin import FailureCause, Outcome
from hpo_slurm.script import MARK

FORMAT = "%i|%T|%r|%N|%k"
"""Of squeue: id, state, reason, nodes, comment; the last may contain the separator."""

WAITING = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD"})
"""States of a job that waits for its machine."""

_RUNNING = {"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING", "SIGNALING", "STAGE_OUT"}
_ACTIVE = {*WAITING, *_RUNNING, "RESV_DEL_HOLD", "SPECIAL_EXIT"}

NEVER = frozenset(
    {
        "AccountNotAllowed",
        "BadConstraints",
        "DependencyNeverSatisfied",
        "InvalidAccount",
        "InvalidQOS",
        "JobHeldAdmin",
        "JobHeldUser",
        "PartitionDown",
        "PartitionInactive",
        "PartitionNodeLimit",
        "PartitionTimeLimit",
        "QOSNotAllowed",
    }
)
"""Reasons for which a job waits until somebody does something about it."""


class SlurmJob(msgspec.Struct, frozen=True):
    """A job as squeue shows it.

    Attributes:
        id: Its id: ``"17"``, or ``"17_3"`` of an array.
        state: Its state, in Slurm's word.
        reason: Why it waits, or has failed, in Slurm's word.
        node: The machine that it runs on, or ran on; ``""`` if there is none.
        study_uid: The study that it belongs to.
        batch: The batch that it was submitted with.
        index: Its number in the batch.
    """

    id: str
    state: str
    reason: str
    node: str
    study_uid: str
    batch: str
    index: int

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs, or its processes are just ending."""
        return self.state in _ACTIVE


class Ended(msgspec.Struct, frozen=True):
    """How a job has ended, from the view of Slurm.

    Attributes:
        outcome: The outcome. COMPLETED means that Slurm knows of nothing special.
        reason: A human-readable reason.
        cause: The cause of a failure.
    """

    outcome: Outcome
    reason: str = ""
    cause: FailureCause | None = None


def jobs_of(study_uid: str, listing: str) -> Iterator[SlurmJob]:
    """Yield the jobs of a study in the output of squeue with `FORMAT`."""
    for line in listing.splitlines():
        fields = line.split("|", 4)
        if len(fields) != 5:
            continue
        job_id, state, reason, node, comment = fields
        words = comment.split(" ")
        if len(words) == 3 and words[:2] == [MARK, study_uid]:
            _, _, index = job_id.partition("_")
            number = int(index) if index.isdigit() else 0
            yield SlurmJob(job_id, state, reason, node, study_uid, words[2], number)


def verdict(job: SlurmJob, exit_code: str = "") -> Ended:
    """Return how a job has ended that is not active any more.

    Args:
        job: The job.
        exit_code: Its exit code from scontrol: ``"127:0"``, a status and a signal; ``""`` if it is
            not known.
    """
    on = f" on {job.node}" if job.node else ""
    match job.state:
        case "COMPLETED":
            return Ended(Outcome.COMPLETED)
        case "TIMEOUT":
            return Ended(Outcome.TIMED_OUT, "Slurm ended it at its time limit")
        case "DEADLINE":
            return Ended(Outcome.TIMED_OUT, "Slurm ended it at its deadline")
        case "OUT_OF_MEMORY":
            reason = f"it used more memory than Slurm gave it{on}"
            return Ended(Outcome.FAILED, reason, FailureCause.OUT_OF_MEMORY)
        case "CANCELLED":
            return Ended(Outcome.LOST, "it was cancelled in Slurm, and not by the study")
        case "PREEMPTED":
            return Ended(Outcome.LOST, f"Slurm preempted it{on}")
        case "NODE_FAIL" | "BOOT_FAIL":
            return Ended(Outcome.LOST, f"its node failed{on} ({job.state})")
        case "FAILED":
            return _failed(job, exit_code, on)
        case "REVOKED":
            return Ended(Outcome.LOST, "another cluster has taken it (REVOKED)")
    return Ended(Outcome.LOST, f"Slurm ended it: {job.state}, {job.reason}")


def _failed(job: SlurmJob, exit_code: str, on: str) -> Ended:
    if job.reason in ("JobLaunchFailure", "launch failed requeued held", "RaisedSignal:53"):
        return Ended(Outcome.LOST, f"Slurm could not start it{on} ({job.reason})")
    status, _, signal = exit_code.partition(":")
    if signal and signal != "0":
        reason = f"killed by signal {signal}{on}"
        return Ended(Outcome.FAILED, reason, FailureCause.KILLED)
    how = f"exit status {status}" if status else job.reason
    return Ended(Outcome.FAILED, f"its batch script failed{on}: {how}", FailureCause.ERROR)


def exit_code(shown: str) -> str:
    """Return the exit code in the output of ``scontrol show job``; ``""`` if there is none."""
    found = re.search(r"\bExitCode=(\d+:\d+)", shown)
    return found[1] if found else ""
