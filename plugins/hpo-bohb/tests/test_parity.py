"""With one worker and the same seed, evaluations equal those of hpbandster's own run, one for one.

These are two short runs; `long/test_parity.py` has runs of 150 evaluations and more.
"""

from __future__ import annotations

from typing import Any


def test_two_brackets_of_bohb_are_hpbandsters_own(parity: Any) -> None:
    evaluations, picks = parity("bohb", "conditional", 1, brackets=2)

    assert evaluations == (27 + 9 + 3 + 1) + (9 + 3 + 1)
    assert picks > 0


def test_a_bracket_of_hyperband_with_failures_is_hpbandsters_own(parity: Any) -> None:
    evaluations, _ = parity("hyperband", "mixed", 2, brackets=1, fails=True)

    assert evaluations == 27 + 9 + 3 + 1
