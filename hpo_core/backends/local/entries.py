"""The lines of a journal (`hpo_core.backends.journal`), checked as they are read.

A disk may have been full while they were written, and whoever can write to the folder may have
written anything: numbers of processes are signalled, so they have to be some.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from hpo_core.client import ENDLESS

Pid: TypeAlias = Annotated[int, msgspec.Meta(gt=1, lt=1 << 31)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=ENDLESS)]


class _Entry(msgspec.Struct, array_like=True, frozen=True):
    """A line, without its time."""


class _Process(_Entry, frozen=True, tag="process"):
    pid: Pid


class _Has(_Entry, frozen=True, tag="job"):
    job: str
    pid: Pid
    told: Count
    mark: Annotated[str, msgspec.Meta(pattern="^HPO_(JOB_ID|WORKER)=.")]


class _Report(_Entry, frozen=True, tag="report"):
    job: str
    iteration: Count | None
    metrics: dict[str, float]


class _Data(_Entry, frozen=True, tag="data"):
    job: str
    text: str


class _Finished(_Entry, frozen=True, tag="finished"):
    job: str
    outcome: Literal["completed", "failed", "cancelled"]
    reason: str
    metrics: dict[str, float] | None


class _Exited(_Entry, frozen=True, tag="exited"):
    job: str
    status: int


_Line: TypeAlias = tuple[float, _Process | _Has | _Report | _Data | _Finished | _Exited]


def read(line: bytes) -> list[Any]:
    """Return a line's parts: the time, the kind, and what follows it.

    Raises:
        ValueError: If it is no line of a journal.
    """
    try:
        time, *said = json.loads(line)
        _, entry = msgspec.convert((time, said), _Line)
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if isinstance(entry, _Data):
        entry.text.encode("latin-1")
    return [time, *said]
