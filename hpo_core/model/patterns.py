"""Checks the patterns that find metrics in what jobs print."""

from __future__ import annotations

import re


def pattern_fault(pattern: str) -> str:
    """Return what is wrong with a pattern, and the remedy; ``""`` if nothing is.

    It is a regular expression of Python's with one group, which matches a number.
    """
    try:
        groups = re.compile(pattern).groups
    except (re.error, OverflowError, RecursionError) as error:
        return f"is no regular expression of Python's: {error}, in '{pattern}'"
    if groups == 0:
        return (
            f"has no group, in '{pattern}'; put parentheses around what matches the number, such "
            r"as 'loss: ([0-9.eE+-]+)'"
        )
    if groups > 1:
        return (
            f"has {groups} groups, in '{pattern}'; keep parentheses around the number alone, and "
            "write all others as (?:…)"
        )
    return ""
