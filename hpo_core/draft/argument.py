"""One argument of a script."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["float", "int", "text", "choice", "flag", "path", "list", "unknown"]


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """An argument.

    Attributes:
        name: Its name in the script, such as ``weight_decay``.
        option: Its option, such as ``--weight-decay``; ``""`` for a positional argument.
        kind: The kind of its values.
        default: The script's default; None if it has none, or if it could not be determined.
        choices: The values of a choice.
        low: The minimum that the script declares, or None.
        high: The maximum that the script declares, or None.
        is_required: Whether the script requires it.
        flag: The texts for a flag that is on, and for one that is off; either may be ``""``.
        joined: Whether option and value are a single argument, ``--lr=0.1``.
        help: Its help text.
    """

    name: str
    option: str = ""
    kind: Kind = "text"
    default: Any = None
    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    is_required: bool = False
    flag: tuple[str, str] = ("", "")
    joined: bool = False
    help: str = ""


def kind_of(default: Any, declared: str = "") -> Kind:
    """Return the kind of an argument, from the name of its type or else from its default."""
    named: dict[str, Kind] = {
        "float": "float", "int": "int", "integer": "int", "str": "text", "bool": "flag",
        "Path": "path", "string": "text", "PositiveInt": "int", "PositiveFloat": "float",
        "NonNegativeInt": "int", "NonNegativeFloat": "float",
    }  # fmt: skip
    if declared:
        return named.get(declared, "unknown")
    if isinstance(default, bool):
        return "flag"
    kinds: dict[type, Kind] = {float: "float", int: "int", str: "text", list: "list", tuple: "list"}
    return kinds.get(type(default), "unknown")
