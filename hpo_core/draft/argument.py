"""One argument of a script, however it was declared."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["float", "int", "text", "choice", "flag", "path", "list", "unknown"]


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """An argument.

    Attributes:
        name: Its name in the script, such as ``weight_decay``.
        option: How it is given, such as ``--weight-decay``; ``""`` for a positional argument.
        kind: What it takes.
        default: The script's own default; None if there is none, or it could not be read.
        choices: What it may be, for a choice.
        low: The least value that the script takes, if it says so.
        high: The greatest.
        is_required: Whether the script does not start without it.
        flag: What is given for a flag that is on, and for one that is off; either may be ``""``.
        joined: Whether option and value are one argument, ``--lr=0.1``.
        help: What the script says about it.
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
    """Return what an argument takes, by the name of its type or else by its default."""
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
