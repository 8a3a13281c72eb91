"""Text with ``{placeholders}``: the names of jobs and the arguments of commands.

A placeholder is a plain name; nothing is looked up in it, called or evaluated. ``{{`` and ``}}``
stand for braces.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping, Sequence

import msgspec

from hpo_core.model.errors import Fault, nearest
from hpo_core.model.values import Value, as_text

_parse = string.Formatter().parse


class Piece(msgspec.Struct, frozen=True):
    """Literal text, then perhaps a placeholder with its format."""

    literal: str
    name: str | None
    format: str


class Template(msgspec.Struct, frozen=True):
    """A text cut at its placeholders."""

    pieces: tuple[Piece, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The placeholders' names, in order."""
        return tuple(piece.name for piece in self.pieces if piece.name is not None)

    def render(self, values: Mapping[str, Value]) -> str:
        """Fill the placeholders in; a name without a value (an inactive parameter) is ``-``."""
        return "".join(piece.literal + _rendered(piece, values) for piece in self.pieces)


def template(text: str) -> Template:
    """Cut a text at its placeholders.

    Raises:
        ValueError: If its braces are not in order.
    """
    pieces = []
    for literal, name, spec, conversion in _parse(text):
        if conversion or (name is not None and not name):
            raise ValueError(f"{text!r}: a placeholder is a name in braces; write {{{{ for a brace")
        pieces.append(Piece(literal, name, spec or ""))
    return Template(tuple(pieces))


def wrong(text: str, known: Collection[str], path: str) -> list[Fault]:
    """Return what is wrong with a text's placeholders, given the names that are known."""
    try:
        names = template(text).names
    except ValueError as error:
        return [Fault(path, f"{error}")]
    return [
        Fault(path, f"there is no {name!r} to fill in{nearest(name, known)}")
        for name in names
        if name not in known
    ]


class Command:
    """A command's argument list with placeholders, cut once and rendered for each job.

    An argument stays one argument whatever the value holds. An argument that names an inactive
    parameter is left out, together with the option (``--depth``) that stands right before it.

    Args:
        arguments: The argument list, with placeholders.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = [(argument, template(argument)) for argument in arguments]

    def render(self, values: Mapping[str, Value]) -> list[str]:
        """Return the argument list for these values."""
        rendered: list[str] = []
        option = False
        for argument, cut in self._arguments:
            if all(name in values for name in cut.names):
                rendered.append(cut.render(values))
                option = argument.startswith("-") and "=" not in argument and not cut.names
            elif option:
                rendered.pop()
                option = False
        return rendered


def _rendered(piece: Piece, values: Mapping[str, Value]) -> str:
    if piece.name is None:
        return ""
    if piece.name not in values:
        return "-"
    value = values[piece.name]
    if not piece.format:
        return as_text(value)
    try:
        return format(value, piece.format)
    except (TypeError, ValueError):  # a format for numbers, and the value is a text
        return as_text(value)
