"""Escape text of a study, which may contain anything, for plotly's labels."""

from __future__ import annotations

import math

_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "%": "&#37;", "$": "&#36;"}


def printable(text: str) -> str:
    """Return text with its control characters shown as escapes (``\\x1b``)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def label(text: object, most: int = 60) -> str:
    """Return text that plotly shows unchanged, not as markup or as a placeholder.

    Args:
        text: The text to show.
        most: Maximum number of characters; longer text is cut.
    """
    shown = printable(str(text))
    if len(shown) > most:
        shown = f"{shown[: most - 1]}…"
    return "".join(_MARKUP.get(character, character) for character in shown)


def number(value: float) -> str:
    """Return a number with at most six digits."""
    return f"{value:.6g}" if math.isfinite(value) else str(value)


def counted(many: int, noun: str) -> str:
    """Return a number with its noun: ``1 trial``, ``10,000 trials``."""
    return f"{many:,} {noun}" if many == 1 else f"{many:,} {noun}s"
