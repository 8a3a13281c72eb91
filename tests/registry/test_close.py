"""A strategy is closed once, when its session is over."""

from __future__ import annotations

import pytest
from plugged import Given, study

from hpo_core import HyperParameterOptimizer, StudyState
from hpo_core.errors import StudyFailed
from hpo_core.plugin import (
    Exhausted,
)


class Closing(Given):
    """Notes when it is closed, and may fail in it."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.closed = 0
        self._error = error

    def close(self) -> None:
        self.closed += 1
        if self._error is not None:
            raise self._error


class ClosingWhatBreaks(Closing):
    def ask(self, trial_id: int, /) -> Exhausted:
        raise RuntimeError("broken")


def test_a_strategy_is_closed_once_when_its_session_is_over() -> None:
    strategy = Closing()
    with HyperParameterOptimizer(study(""), strategy=strategy, function=float) as optimizer:
        optimizer.run()
        assert strategy.closed == 1
    assert strategy.closed == 1


def test_a_strategy_is_closed_when_the_study_fails() -> None:
    strategy = ClosingWhatBreaks()
    optimizer = HyperParameterOptimizer(study(""), strategy=strategy, function=float)
    with optimizer, pytest.raises(StudyFailed, match="broken"):
        optimizer.run()
    assert strategy.closed == 1


def test_a_strategy_that_fails_to_close_does_not_fail_the_study(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strategy = Closing(RuntimeError("stuck"))
    with HyperParameterOptimizer(study(""), strategy=strategy, function=float) as optimizer:
        assert optimizer.run().state is StudyState.FINISHED
    assert "raised RuntimeError in close: stuck" in caplog.text
