"""The moves of a simulated study."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Do(enum.Enum):
    """A kind of move: an event of a study."""

    ASK = "ask"
    ADOPT = "adopt"
    REPORT = "report"
    FINISH = "finish"
    LEAP = "report five iterations later"
    CUT = "reach the time limit"
    FAIL = "fail"
    TIME_OUT = "time out"
    END = "be ended with the budget"
    LOSE = "be lost and run again"
    NAN = "report NaN"
    REPEAT = "repeat an old report"
    STRANGER = "report of an unknown trial"


EVERYTHING = tuple(do for do in Do if do not in (Do.REPEAT, Do.STRANGER))
"""The moves of a real study: the controller repeats no report, and knows all trials."""

UNAIMED = (Do.ASK, Do.ADOPT, Do.STRANGER)
"""Moves that do not select a job."""


class Move(NamedTuple):
    """A move; `which` selects one of the running jobs (or old reports), modulo their number."""

    do: Do
    which: int = 0

    def __str__(self) -> str:
        return self.do.value + ("" if self.do in UNAIMED else f" #{self.which}")
