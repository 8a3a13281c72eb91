"""Templates with ``{placeholders}``: job names, arguments of commands, environment variables.

A placeholder is a plain name: attribute access, calls and expressions are not supported. ``{{`` and
``}}`` are literal braces. ``{tied?--tied:--no-tied}`` is a flag: the first text if the boolean
parameter is true, the second if it is false.
"""

from __future__ import annotations

import contextlib
import re
import string
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from hpo_core.model.errors import Fault, nearest
from hpo_core.model.values import Value, as_plain_text, as_text, is_one_of

PLACEHOLDER_VALUES: Mapping[str, Value] = {
    "python": "python",
    "iterations": 1,
    "trial_id": 1,
    "job_id": "1.1",
    "checkpoint_dir": "/",
}
"""The placeholders of a command besides the parameters, each with an example value."""

BUILTIN_PLACEHOLDERS = tuple(PLACEHOLDER_VALUES)
"""The reserved placeholder names; a parameter of a study with a command cannot have one of them."""

Known: TypeAlias = Mapping[str, Sequence[Value]]
"""The names that a text may use, each with example values of every possible type, or without values
if unknown.
"""

WIDEST = 999
"""Maximum width and precision of a format."""

_parse = string.Formatter().parse


class Flag(msgspec.Struct, frozen=True):
    """Two texts; a boolean parameter selects one."""

    name: str
    if_true: str
    if_false: str


class Piece(msgspec.Struct, frozen=True):
    """Literal text, optionally followed by a placeholder with its format, or by a flag.

    ``{tied?a:b}`` is a flag, unless there is a parameter with the name ``tied?a``.
    """

    literal: str
    name: str | None
    format: str
    flag: Flag | None = None

    def means(self, names: Collection[str]) -> str | None:
        """Return the one of `names` that the placeholder uses, or its own name if none matches."""
        return self.flag.name if self.flag is not None and self.name not in names else self.name


class Template(msgspec.Struct, frozen=True):
    """A text, split at its placeholders."""

    pieces: tuple[Piece, ...]

    def names(self, known: Collection[str] = ()) -> list[str]:
        """Return the names that the placeholders use, in order."""
        used = (piece.means(known) for piece in self.pieces)
        return [name for name in used if name is not None]

    def has_flag(self, values: Mapping[str, Value]) -> bool:
        """Return whether a placeholder is a flag, given these values."""
        return any(piece.flag is not None and piece.name not in values for piece in self.pieces)

    def render(self, values: Mapping[str, Value], write: Callable[[Value], str] = as_text) -> str:
        """Render the template. A name without a value (an inactive parameter) is rendered as ``-``.

        A format that does not apply to the value (a string in ``{model:.3g}``) is ignored.

        Args:
            values: The values by name.
            write: Converts a value without a format to text.
        """
        text = ""
        for piece in self.pieces:
            text += piece.literal
            if piece.name is not None:
                text += _rendered(piece, values, write)
        return text


def template(text: str) -> Template:
    """Parse a text with placeholders.

    Raises:
        ValueError: If braces are unbalanced, or a format is invalid for every type of value.
    """
    pieces = []
    for literal, field in _cut(text):
        if field is None:
            pieces.append(Piece(literal, None, ""))
            continue
        name, spec = _name_and_format(text, field)
        flag = _flag(field)
        if flag is None and (wrong := _wrong_format(name, spec)):
            raise ValueError(f"{text!r}: {wrong}")
        pieces.append(Piece(literal, name, spec, flag))
    return Template(tuple(pieces))


def wrong(text: str, known: Known, path: str) -> list[Fault]:
    """Return the faults of the placeholders in a text, given the known names."""
    try:
        pieces = template(text).pieces
    except ValueError as error:
        return [Fault(path, f"{error}")]
    return [
        Fault(path, message) for piece in pieces for message in _wrong_piece(text, piece, known)
    ]


def misfits(text: str, known: Known, path: str) -> list[Fault]:
    """Return the formats that apply to none of the values of their names, such as ``{lr:d}``."""
    return [
        Fault(path, _misfit(piece.name, piece.format, known[piece.name]))
        for piece in template(text).pieces
        if piece.name is not None
        and piece.format
        and known.get(piece.name)
        and all(_formatted(value, piece.format) is None for value in known[piece.name])
    ]


class Command:
    """The argument list of a command, parsed once and rendered for each job.

    A value never splits an argument. An argument that names an inactive parameter is omitted,
    together with the option (``-d``, ``--depth``) directly before it. An argument whose flag is
    rendered empty is omitted, but not an option before it.

    Args:
        arguments: The argument list, with placeholders.

    Raises:
        ValueError: If the braces of an argument are unbalanced, see `template`.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = [
            (cut, not cut.names() and bool(_OPTION.fullmatch(argument)))
            for argument, cut in ((argument, template(argument)) for argument in arguments)
        ]

    def render(self, values: Mapping[str, Value]) -> list[str]:
        """Return the argument list for these values."""
        rendered: list[str] = []
        after_option = False
        for cut, is_option in self._arguments:
            text = _filled(cut, values)
            if text is not None:
                rendered.append(text)
            elif after_option and not cut.has_flag(values):
                rendered.pop()
            after_option = is_option
        return rendered


class Variables:
    """The environment variables of jobs, parsed once and rendered for each job.

    Args:
        environment: The templates of the variables by name.

    Raises:
        ValueError: If the braces of a text are unbalanced, see `template`.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._templates = {name: template(text) for name, text in environment.items()}

    def render(self, values: Mapping[str, Value]) -> dict[str, str | None]:
        """Return the variables for these values; None for a variable to unset.

        A variable is unset if it names an inactive parameter or its flag is rendered empty.
        """
        return {name: _filled(cut, values) for name, cut in self._templates.items()}


_OPTION = re.compile(r"--?[^\W\d_][^=]*")
"""Matches ``-d`` and ``--depth``, but not ``--a=b`` nor the values ``-``, ``--`` and ``-1``."""

_TOO_WIDE = re.compile(r"[1-9]\d{3}")
"""Four digits in a row: a number above `WIDEST`."""

_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}|[{}]")


def _cut(text: str) -> list[tuple[str, str | None]]:
    """Return literal texts, each with the content of the braces after it, if any.

    Raises:
        ValueError: If the braces are unbalanced.
    """
    parts: list[tuple[str, str | None]] = []
    literal, end = "", 0
    for found in _FIELD.finditer(text):
        literal += text[end : found.start()]
        end = found.end()
        if found[0] in ("{{", "}}"):
            literal += found[0][0]
        elif found[1] is None:
            raise ValueError(
                f"{text!r}: single {found[0]!r} at position {found.start() + 1}; for a "
                f"literal brace write {{{{ or }}}}"
            )
        else:
            parts.append((literal, found[1]))
            literal = ""
    literal += text[end:]
    return [*parts, (literal, None)] if literal else parts


def _name_and_format(text: str, field: str) -> tuple[str, str]:
    """Split the content of braces into name and format; a flag is split as if it had them."""
    if _flag(field) is not None:  # its texts may contain any characters
        name, _, spec = field.partition(":")
        return name, spec
    with contextlib.suppress(ValueError):
        [(_, found, spec_or_none, conversion)] = _parse(f"{{{field}}}")
        if found is not None and _is_like_a_name(found) and not conversion:
            return found, spec_or_none or ""
    raise ValueError(
        f"{text!r}: a placeholder is a name in braces; for a literal brace write {{{{ or }}}}"
    )


def _flag(field: str) -> Flag | None:
    name, mark, texts = field.partition("?")
    if not mark or not _is_like_a_name(name):
        return None
    if_true, _, if_false = texts.partition(":")
    return Flag(name, if_true, if_false)


def _is_like_a_name(text: str) -> bool:
    """Return whether a text may be intended as a placeholder, unlike JSON and code in braces."""
    return bool(text) and not set(text) & set("\"'\n;$ ")


def _wrong_piece(text: str, piece: Piece, known: Known) -> Iterable[str]:
    if piece.name is None:
        return
    flag = piece.flag
    if piece.name in known:
        if flag is not None and (wrong := _wrong_format(piece.name, piece.format)):
            yield f"{text!r}: {wrong}"
    elif flag is None or flag.name not in known:
        name = piece.name if flag is None else flag.name
        yield f"there is no {name!r} to fill in{nearest(name, known)}"
    elif not all(is_one_of(value, (True, False)) for value in known[flag.name]):
        yield (
            f"{text!r}: {flag.name} is not always true or false; a flag, "
            f"{{NAME?if true:if false}}, needs a parameter with the choices true and false"
        )


def _wrong_format(name: str, spec: str) -> str:
    """Return the fault of a format that is invalid for every value, or ``""``."""
    if _TOO_WIDE.search(spec):
        return f"the format {spec!r} is too wide; the maximum is {WIDEST}"
    if spec and all(_formatted(value, spec) is None for value in (0.5, 1, "text")):
        return f"there is no format {spec!r}; try {{{name}:.3g}}"
    return ""


def _misfit(name: str, spec: str, values: Sequence[Value]) -> str:
    remedy = f"write {{{name}}}"
    if any(isinstance(value, float) for value in values):
        remedy += f", or {{{name}:.3g}} for three digits"
    return f"the format {spec!r} applies to no value of {name} and would be ignored; {remedy}"


def _filled(cut: Template, values: Mapping[str, Value]) -> str | None:
    """Return the rendered text, or None for an inactive parameter or a flag that made it empty."""
    if any(name not in values for name in cut.names(values)):
        return None
    text = cut.render(values, as_plain_text)
    return None if not text and cut.has_flag(values) else text


def _rendered(piece: Piece, values: Mapping[str, Value], write: Callable[[Value], str]) -> str:
    assert piece.name is not None
    if piece.name in values:
        value = values[piece.name]
        formatted = _formatted(value, piece.format) if piece.format else None
        return write(value) if formatted is None else formatted
    if piece.flag is not None and piece.flag.name in values:
        return piece.flag.if_true if values[piece.flag.name] is True else piece.flag.if_false
    return "-"


def _formatted(value: Value, spec: str) -> str | None:
    try:
        return format(value, spec)
    except (TypeError, ValueError):  # the format is for values of another type
        return None
