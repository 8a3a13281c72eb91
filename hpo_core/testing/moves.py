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
    SKIP = "report five iterations later"
    TIME_LIMIT = "reach the time limit"
    FAIL = "fail"
    TIME_OUT = "time out"
    END = "be ended by the budget"
    LOSE = "be lost and run again"
    NAN = "report NaN"
    REPEAT = "repeat an old report"
    UNKNOWN_TRIAL = "report of an unknown trial"


REAL_MOVES = tuple(do for do in Do if do not in (Do.REPEAT, Do.UNKNOWN_TRIAL))
"""The moves of a real study: the controller repeats no report, and knows all trials."""

STUDY_MOVES = (Do.ASK, Do.ADOPT, Do.UNKNOWN_TRIAL)
"""Moves that do not select a job."""


class Move(NamedTuple):
    """A move; `which` selects one of the running jobs (or old reports), modulo their number."""

    do: Do
    which: int = 0

    def __str__(self) -> str:
        return self.do.value + ("" if self.do in STUDY_MOVES else f" #{self.which}")
