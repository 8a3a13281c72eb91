"""Replay the history of a run with a new strategy."""

from __future__ import annotations

from collections.abc import Sequence

from hpo_core.contracts.strategy import (
    Answer,
    Asked,
    SavedState,
    Strategy,
    Suggestion,
    Told,
    same_answer,
)
from hpo_core.testing.cases import Case
from hpo_core.testing.subject import Broken, Subject
from hpo_core.testing.wording import difference


class RecordedRun:
    """An uninterrupted run, with one more suggestion at its end.

    Args:
        subject: The strategy.
        case: The problem and the moves.
    """

    def __init__(self, subject: Subject, case: Case) -> None:
        simulator = case.simulate(subject.make(case.problem))
        self.history: list[Asked | Told] = list(simulator.history)
        self.states: list[SavedState] = list(simulator.states)
        self.next_trial = simulator.next_trial
        self.last: Answer = simulator.ask()

    def replay(self, strategy: Strategy, start: int, what: str) -> None:
        """Replay the history from event `start` on, and compare the strategy's answers.

        Raises:
            Broken: If an answer differs.
        """
        for place, event in enumerate(self.history[start:], start):
            where = f"at event {place + 1}"
            match event:
                case Asked(trial_id, suggestion, adopted=True):
                    strategy.adopt(trial_id, suggestion)
                case Asked(trial_id, suggestion):
                    self._compare(strategy.ask(trial_id), suggestion, f"{where}, {what}")
                case Told(report, decision):
                    again = strategy.tell(report)
                    if again is not decision:
                        raise Broken(
                            f"{where}, {what}: it decides {_name(again)} for trial "
                            f"{report.trial_id}, not {_name(decision)}"
                        )
        self._compare(strategy.ask(self.next_trial), self.last, f"at the end, {what}")

    @staticmethod
    def _compare(again: Answer, before: Answer, where: str) -> None:
        if not same_answer(again, before):
            raise Broken(difference("it returns", before, again, where))


def require_same(one: Sequence[Suggestion], other: Sequence[Suggestion], what: str) -> None:
    """Compare the suggestions of two runs.

    Raises:
        Broken: With the first difference.
    """
    for place in range(max(len(one), len(other))):
        first = one[place] if place < len(one) else None
        second = other[place] if place < len(other) else None
        if first is None or second is None or not same_answer(first, second):
            raise Broken(
                difference("it suggests", first, second, f"suggestion {place + 1}, {what}")
            )


def _name(decision: object) -> str:
    return str(getattr(decision, "name", repr(decision)))
