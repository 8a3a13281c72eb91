"""A waiting strategy is interrupted when the study ends."""

from __future__ import annotations

import threading

import pytest

from hpo_core import StudyState
from hpo_core.plugin import (
    BaseStrategy,
    Budget,
    Configuration,
    Int,
    SearchSpace,
    Start,
    StrategyError,
)

SPACE = SearchSpace((Int("x", 1, 9),))


class Waits(BaseStrategy):
    """Waits in one of its methods until it is interrupted, unless it is mended."""

    def __init__(self, method, *, mended=False):
        self.method = "" if mended else method
        self.told = []
        self.waits = threading.Event()
        self.interrupted = threading.Event()

    def ask(self, trial_id, /):
        if trial_id == 3:
            self._maybe_wait("ask")
        return Start(Configuration(x=trial_id))

    def tell(self, report, /):
        self.told.append((report.trial_id, report.is_final))
        if report.trial_id == 2:
            self._maybe_wait("tell")
        return super().tell(report)

    def interrupt(self, *, at_once):
        self.interrupted.set()

    def _maybe_wait(self, method):
        if method == self.method:
            self.waits.set()
            self.interrupted.wait()
            raise StrategyError("nobody has answered")


@pytest.mark.parametrize("method", ["ask", "tell"])
def test_a_stop_ends_the_study_as_interrupted_and_a_resumed_one_tells_the_rest(lab, method, caplog):
    strategy = Waits(method)
    function = lab.module("def fit(configuration): return configuration['x']")
    study = lab.study(function, strategy=strategy, space=SPACE, budget=3)
    study.start()
    assert strategy.waits.wait(30)
    study.stop()
    assert study.state is StudyState.INTERRUPTED
    assert study.error is None
    assert "the study ends without its strategy: nobody has answered" in caplog.text
    study.close()

    mended = Waits(method, mended=True)
    again = lab.study(function, strategy=mended, space=SPACE, budget=3)
    assert len(again.run().trials) == 3
    assert mended.told == [(1, True), (2, True), (3, True)]


def test_the_end_of_the_wall_time_ends_the_study_as_finished(lab):
    strategy = Waits("ask")
    function = lab.module("def fit(configuration): return configuration['x']")
    budget = Budget(wall_time=0.5)
    study = lab.study(function, strategy=strategy, space=SPACE, budget=budget)
    study.run()
    assert study.state is StudyState.FINISHED
    assert strategy.interrupted.is_set()


def test_a_session_has_its_own_time_limit_too_which_may_be_set_late(lab):
    strategy = Waits("ask")
    function = lab.module("def fit(configuration): return configuration['x']")
    study = lab.study(function, strategy=strategy, space=SPACE, budget=3)
    study.start()
    assert strategy.waits.wait(30)
    study.set_time_limit(0)
    assert study.wait(30)
    assert study.state is StudyState.INTERRUPTED
