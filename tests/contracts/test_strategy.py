"""The default methods of BaseStrategy: recovery by replaying the history."""

from collections.abc import Iterable

import pytest

from hpo_core import Configuration, Int, Objective, SearchSpace
from hpo_core.contracts.strategy import Answer, Suggestion
from hpo_core.errors import StrategyError
from hpo_core.plugin import (
    Asked,
    BaseStrategy,
    Decision,
    Exhausted,
    NoOptions,
    Problem,
    Report,
    Resume,
    Start,
    Strategy,
    StrategySpec,
    Told,
    Value,
    Wait,
)

REPORT = Report(trial_id=0, job_id="0.1", losses=(1.0,))


def start(value: Value) -> Start:
    return Start(Configuration(x=value))


class Listed(BaseStrategy):
    """Suggests what it was given, in order, and writes down what it hears."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self._answers = iter(answers)
        self.heard: list[object] = []

    def ask(self, trial_id: int, /) -> Answer:
        self.heard.append(trial_id)
        return next(self._answers, Exhausted())

    def adopt(self, trial_id: int, suggestion: Suggestion, /) -> None:
        self.heard.append((trial_id, suggestion))

    def tell(self, report: Report, /) -> Decision:
        self.heard.append(report)
        return Decision.STOP


def test_a_strategy_of_one_method_fulfils_the_contract() -> None:
    class Same(BaseStrategy):
        def ask(self, trial_id: int, /) -> Answer:
            return start(1)

    strategy: Strategy = Same()
    assert strategy.ask(0) == start(1)
    assert strategy.tell(REPORT) is Decision.CONTINUE
    assert strategy.save_state() is None
    strategy.adopt(1, start(2))
    strategy.restore([Asked(0, start(1)), Told(REPORT, Decision.CONTINUE)], None)


def test_object_without_ask_is_not_a_strategy() -> None:
    with pytest.raises(NotImplementedError):
        BaseStrategy().ask(0)


def test_restoring_does_it_all_again_in_order_and_the_next_ask_is_the_next() -> None:
    strategy = Listed([start(1), start(2), start(3)])
    strategy.restore(
        [
            Asked(0, start(1)),
            Asked(1, start(9), adopted=True),
            Told(REPORT, Decision.CONTINUE),
            Asked(2, start(2)),
        ],
        None,
    )
    assert strategy.heard == [0, (1, start(9)), REPORT, 2]
    assert strategy.ask(3) == start(3)


@pytest.mark.parametrize(
    ("again", "stored"),
    [
        (start(2), start(1)),
        (start(1.0), start(1)),
        (start(True), start(1)),
        (Wait(), start(1)),
        (Start(Configuration(x=1), iterations=3), start(1)),
        (Resume(0, 3), Resume(0, 9)),
        (Resume(0, 3, Configuration(x=1.0)), Resume(0, 3, Configuration(x=1))),
    ],
    ids=repr,
)
def test_an_ask_that_comes_out_otherwise_is_an_error_that_shows_both(
    again: Answer, stored: Suggestion
) -> None:
    with pytest.raises(StrategyError) as caught:
        Listed([again]).restore([Asked(4, stored)], None)
    assert str(caught.value) == (
        f"restoring trial 4: the strategy now suggests {again}, but {stored} is stored; "
        "was it installed in another version?"
    )


def test_a_problem_and_a_spec_need_no_more_than_what_they_are_about() -> None:
    problem = Problem(
        space=SearchSpace((Int("x", 0, 1),)),
        objectives=(Objective("loss", "minimize"),),
        seed=7,
    )
    spec = StrategySpec(name="listed", summary="As listed", build=lambda *_: Listed([start(1)]))
    assert spec.options is NoOptions
    assert spec.build(problem, spec.options()).ask(0) == start(1)
