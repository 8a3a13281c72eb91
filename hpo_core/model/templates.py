"""Text with ``{placeholders}``: the names of jobs and the arguments of commands.

A placeholder is a plain name; nothing is looked up in it, called or evaluated. ``{{`` and ``}}``
stand for braces.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Mapping, Sequence

import msgspec

from hpo_core.model.errors import Fault, nearest
from hpo_core.model.values import Value, as_text

BUILTIN_PLACEHOLDERS = ("python", "iterations", "trial_id", "job_id", "checkpoint_dir")
"""What a command may name besides the parameters; no parameter may be called so."""

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
        """Fill the placeholders in; a name without a value (an inactive parameter) is ``-``.

        A value that its format is not made for (a text, in ``{model:.3g}``) is written without.
        """
        text = ""
        for piece in self.pieces:
            text += piece.literal
            if piece.name is not None:
                text += _rendered(piece, values) if piece.name in values else "-"
        return text


def template(text: str) -> Template:
    """Cut a text at its placeholders.

    Raises:
        ValueError: If its braces are not in order, or a format is one for no kind of value.
    """
    pieces = []
    try:
        parts = list(_parse(text))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}; write {{{{ or }}}} for a brace") from None
    for literal, name, spec, conversion in parts:
        if conversion or (name is not None and not _is_like_a_name(name)):
            raise ValueError(
                f"{text!r}: a placeholder is a name in braces; for a brace write {{{{ or }}}}"
            )
        if spec and all(_formatted(value, spec) is None for value in (0.5, 1, "text")):
            raise ValueError(f"{text!r}: there is no format {spec!r}; try {{{name}:.3g}}")
        pieces.append(Piece(literal, name, spec or ""))
    return Template(tuple(pieces))


def _is_like_a_name(text: str) -> bool:
    """Say whether a text may be meant as a placeholder: JSON and code in braces are not."""
    return bool(text) and not set(text) & set("\"'\n;$ ")


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
    parameter is left out, together with the option (``-d``, ``--depth``) right before it.

    Args:
        arguments: The argument list, with placeholders.

    Raises:
        ValueError: If an argument's braces are not in order, see `template`.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = [
            (cut, frozenset(cut.names), not cut.names and bool(_OPTION.fullmatch(argument)))
            for argument, cut in ((argument, template(argument)) for argument in arguments)
        ]

    def render(self, values: Mapping[str, Value]) -> list[str]:
        """Return the argument list for these values."""
        rendered: list[str] = []
        after_option = False
        for cut, names, is_option in self._arguments:
            if names <= values.keys():
                rendered.append(cut.render(values))
            elif after_option:
                rendered.pop()
            after_option = is_option
        return rendered


_OPTION = re.compile(r"--?[^\W\d_][^=]*")
"""``-d`` and ``--depth``; but not ``-``, ``--`` or ``-1``, which are values, nor ``--a=b``."""


def _rendered(piece: Piece, values: Mapping[str, Value]) -> str:
    assert piece.name is not None
    value = values[piece.name]
    formatted = _formatted(value, piece.format) if piece.format else None
    return as_text(value) if formatted is None else formatted


def _formatted(value: Value, spec: str) -> str | None:
    try:
        return format(value, spec)
    except (TypeError, ValueError):  # the format is for values of another kind
        return None
