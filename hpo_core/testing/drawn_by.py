"""Find the call that drew from a global random stream, by tracing the run line by line."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

LIBRARIES = ("random.py", "/numpy/", "/torch/")
"""Files whose lines draw for their callers."""

CORE = str(Path(__file__).parents[1])
"""Files that never draw."""


def drawn_by(states: Callable[[], dict[str, object]], play: Callable[[], object]) -> str:
    """Run again, and return the line that first changed a global stream; empty if none did.

    Args:
        states: Returns the states of the global streams.
        play: The function that changed them. Its exceptions are ignored here.
    """
    known, found = states(), ""
    last: tuple[FrameType, int] | None = None

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal known, last, found
        if found or frame.f_code.co_filename.startswith(CORE):
            return None
        now = states()
        if last is not None and any(known.get(name, one) != one for name, one in now.items()):
            found = _place(*last)
        known, last = now, (frame, frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        play()
    except Exception:  # noqa: BLE001  # it was reported before; only the place is missing
        pass
    finally:
        sys.settrace(before)
    return found


def _place(frame: FrameType, line: int) -> str:
    """Return the place of a line, or of the call of the library that it belongs to."""
    while frame.f_back is not None and any(part in frame.f_code.co_filename for part in LIBRARIES):
        frame = frame.f_back
        line = frame.f_lineno
    file = frame.f_code.co_filename
    source = linecache.getline(file, line).strip()
    return f"{file.rpartition('/')[2]}:{line} in {frame.f_code.co_name}: {source}"
