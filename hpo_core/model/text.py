"""Format text from outside for a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_NAME = re.compile(r"[^\W_][\w .+-]{0,99}")


def is_good_name(text: str) -> bool:
    """Return whether a text is a valid study name, and thus a valid name of its folder."""
    return _NAME.fullmatch(text) is not None and text == text.strip()


def printable(text: str) -> str:
    """Return text with its control characters shown as escapes (``\\x1b``), newlines included."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def cut(text: str, most: int) -> str:
    """Truncate a text to a number of columns; a truncated text ends with ``…``."""
    if width(text) <= most:
        return text
    while width(text) >= most:
        text = text[: len(text) - max((width(text) - most) // 2, 1)]
    return f"{text}…"


def width(text: str) -> int:
    """Return the width of a text in terminal columns: a character takes 0, 1 or 2."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def first_line(text: str) -> str:
    """Return the first line of a text, printable."""
    return printable(text.partition("\n")[0])


def some(names: Sequence[str], most: int = 20) -> str:
    """Return the first names as a list, ``a, b, c``, and the number of the remaining ones."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 job``, ``2 jobs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
