"""Explanations of SQLite's errors."""

from __future__ import annotations

import sqlite3


def explained(error: sqlite3.Error) -> str:
    """Return SQLite's error message with an explanation for the user."""
    said = str(error)
    return next((f"{said}: {means}" for sign, means in _MEANING.items() if sign in said), said)


_MEANING = {
    "interrupted": "it takes longer to read than a store of its size can: it is damaged; take it "
    "from a backup",
    "string or blob too big": "it holds a value that is too large: it is damaged; take it from a "
    "backup",
    "disk is full": "free some space; what was recorded before is kept, and can be resumed",
    "disk I/O error": "the disk is full or broken, a limit is reached (ulimit -f), or the file "
    "system is one over the network",
    "database is locked": "another process has held it for too long; end that one",
    "readonly": "it or its folder may not be written by you",
    "unable to open": "it or its folder may not be written by you (to look at it, copy it), or too "
    "many files are open",
    "malformed": "it is damaged; take it from a backup, or rescue its data with sqlite3's .recover",
    "not a database": "it is something else, or damaged",
}
