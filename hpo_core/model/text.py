"""Text that comes from outside, made fit to be shown on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return text with its control characters shown as escapes (``\\x1b``), newlines included."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def first_line(text: str) -> str:
    """Return the first line of a text, fit to be shown."""
    return printable(text.partition("\n")[0])
