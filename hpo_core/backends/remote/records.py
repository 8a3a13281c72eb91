"""What an agent says of its job: records, in order, each a list of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import msgspec

from hpo_core.client import ENDLESS
from hpo_core.contracts.backend import Finished, JobEvent, Outcome, Reported, Started
from hpo_core.model.failure import FailureCause


class JobBegan(msgspec.Struct, array_like=True, frozen=True, tag="started"):
    """A job has started on a machine, as a process."""

    time: float
    host: str
    pid: int


class JobSaid(msgspec.Struct, array_like=True, frozen=True, tag="reported"):
    """A job has reported."""

    time: float
    iteration: Annotated[int, msgspec.Meta(ge=0, lt=ENDLESS)] | None
    metrics: dict[str, float]


class JobEnded(msgspec.Struct, array_like=True, frozen=True, tag="finished"):
    """A job has ended.

    Attributes:
        signalled: Whether its machine had asked the agent to end: a scheduler has ended it.
    """

    time: float
    outcome: Outcome
    reason: str
    metrics: dict[str, float] | None
    ran: float | None
    cause: FailureCause | None
    signalled: bool


Record: TypeAlias = JobBegan | JobSaid | JobEnded


def read(line: bytes | Any) -> Record:
    """Read a record from a line of JSON, or from a decoded list.

    Raises:
        ValueError: If it is none.
    """
    try:
        content = json.loads(line) if isinstance(line, bytes) else line
        record: Record = msgspec.convert(content, Record)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ValueError(f"not a record of a job: {error}") from None
    return record


def written(record: Record) -> bytes:
    """Return a record as a line of JSON, in which numbers may be NaN or infinite."""
    return json.dumps(msgspec.to_builtins(record), ensure_ascii=False).encode() + b"\n"


def of_event(event: JobEvent, host: str, *, signalled: bool) -> Record:
    """Return the record of an event of an agent's own backend."""
    match event:
        case Started(_, time, pid):
            return JobBegan(time, host, int(pid or 0))
        case Reported(_, time, iteration, metrics):
            return JobSaid(time, iteration, dict(metrics))
        case Finished():
            return JobEnded(
                event.time,
                event.outcome,
                event.reason,
                None if event.metrics is None else dict(event.metrics),
                event.ran,
                event.cause,
                signalled,
            )


def as_finished(job_id: str, record: JobEnded, time: float) -> Finished:
    """Return the event of a job's end."""
    metrics: Mapping[str, float] | None = record.metrics
    return Finished(job_id, time, record.outcome, record.reason, metrics, record.ran, record.cause)
