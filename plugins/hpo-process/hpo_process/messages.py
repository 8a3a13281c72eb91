"""What a process may answer, as types. Unknown keys are ignored, so that the protocol can grow."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from hpo_core.plugin import Decision

PROTOCOL = 1
"""The version of the protocol that is spoken here."""


class Hello(msgspec.Struct, tag="hello"):
    """Who answers: which version of the protocol it speaks, and what it can do."""

    protocol: int
    capabilities: tuple[str, ...] = ()


class Ready(msgspec.Struct, tag="ready"):
    """It takes the problem."""


class Complaint(msgspec.Struct):
    """One thing that is wrong with a problem."""

    message: str
    path: str = ""


class Refuse(msgspec.Struct, tag="refuse"):
    """It does not take the problem, or its options."""

    faults: tuple[Complaint, ...]


class Start(msgspec.Struct, tag="start"):
    """Run a new trial."""

    configuration: dict[str, Any]
    iterations: int | None = None
    notes: Any = None


class Resume(msgspec.Struct, tag="resume"):
    """Resume a trial."""

    trial_id: int
    iterations: int | None = None
    configuration: dict[str, Any] | None = None
    checkpoint_from: int | None = None
    notes: Any = None


class Wait(msgspec.Struct, tag="wait"):
    """Nothing now."""


class Exhausted(msgspec.Struct, tag="exhausted"):
    """Nothing ever again."""


class Done(msgspec.Struct, tag="done"):
    """It has registered it (of an adopted suggestion, of the history)."""


class Decided(msgspec.Struct, tag="decision"):
    """What to do with a job that has reported."""

    decision: Decision


class State(msgspec.Struct, tag="state"):
    """What it needs to be restored, beyond the history."""

    state: Any


class Replay(msgspec.Struct, tag="replay"):
    """It restores by doing it all again: let it be asked and told once more."""


class Error(msgspec.Struct, tag="error"):
    """It cannot answer."""

    message: str


Answer: TypeAlias = (
    Hello
    | Ready
    | Refuse
    | Start
    | Resume
    | Wait
    | Exhausted
    | Done
    | Decided
    | State
    | Replay
    | Error
)

decode = msgspec.json.Decoder(Answer).decode
