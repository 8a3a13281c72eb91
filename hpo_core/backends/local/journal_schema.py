"""The lines of journals (`hpo_core.backends.supervisor.journal`), validated on reading.

The disk may have been full while they were written, and anyone with write access to the folder may
have changed them.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from hpo_core.backends.local.places import Place
from hpo_core.client import ENDLESS

Pid: TypeAlias = Annotated[int, msgspec.Meta(gt=1, lt=1 << 31)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=ENDLESS)]
Cause: TypeAlias = Literal["", "time_limit", "silence_limit", "parent", "closed", "not_loaded"]


class SupervisorLine(msgspec.Struct, array_like=True, frozen=True, tag="supervisor"):
    """The supervisor that writes the journal, and its socket."""

    pid: Pid
    socket: str


class JobLine(msgspec.Struct, array_like=True, frozen=True, tag="job"):
    """A job: its start time, and how much of its output was recorded before the following lines."""

    job: str
    pid: Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)]
    bytes: Count
    reports: Count
    started: float
    place: Place | None = None


class DataLine(msgspec.Struct, array_like=True, frozen=True, tag="data"):
    """Output of a job, bytes as Latin-1."""

    job: str
    time: float
    text: str


class EndedLine(msgspec.Struct, array_like=True, frozen=True, tag="ended"):
    """The end of a job."""

    job: str
    time: float
    ran: Annotated[float, msgspec.Meta(ge=0)]
    status: int | None
    cause: Cause


Line: TypeAlias = SupervisorLine | JobLine | DataLine | EndedLine

_decoder = msgspec.json.Decoder(Line)


def read(line: bytes) -> Line:
    """Parse a line.

    Raises:
        ValueError: If it is not a line of a journal.
    """
    try:
        entry: Line = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if isinstance(entry, DataLine):
        entry.text.encode("latin-1")
    return entry


def as_message(entry: JobLine | DataLine | EndedLine) -> list[Any]:
    """Convert a line to the message that a supervisor sends."""
    message: list[Any] = json.loads(msgspec.json.encode(entry))
    return message
