"""The types of the process's answers. Unknown keys are ignored, so the protocol can be extended."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from hpo_core.plugin import Decision

PROTOCOL = 1
"""The version of the protocol."""


class Hello(msgspec.Struct, tag="hello"):
    """The answer to ``hello``: the version of the protocol, and the capabilities."""

    protocol: int
    capabilities: tuple[str, ...] = ()


class Ready(msgspec.Struct, tag="ready"):
    """The process accepts the problem."""


class Complaint(msgspec.Struct):
    """One fault of a problem."""

    message: str
    path: str = ""


class Refuse(msgspec.Struct, tag="refuse"):
    """The process rejects the problem or its options."""

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
    """Wait: no suggestion now."""


class Exhausted(msgspec.Struct, tag="exhausted"):
    """No further suggestions."""


class Done(msgspec.Struct, tag="done"):
    """The process has registered an adopted suggestion or the history."""


class Decided(msgspec.Struct, tag="decision"):
    """The decision on a report."""

    decision: Decision


class State(msgspec.Struct, tag="state"):
    """The state that the process needs besides the history."""

    state: Any


class Replay(msgspec.Struct, tag="replay"):
    """The process asks for a replay of the history."""


class Error(msgspec.Struct, tag="error"):
    """The process cannot answer."""

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
