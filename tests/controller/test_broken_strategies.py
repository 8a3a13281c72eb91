"""A strategy that raises or breaks its contract ends the study as failed, with the cause."""

import math

import numpy as np
import pytest

from hpo_core import Budget, Categorical, Configuration, Int, SearchSpace, StudyState
from hpo_core.errors import StrategyError, StudyFailed
from hpo_core.plugin import BaseStrategy, Exhausted, Resume, Start, Wait

SPACE = SearchSpace(
    (Int("x", 1, 100), Categorical("kind", ("a", "b"))), forbidden=({"x": 13, "kind": "b"},)
)


class Broken(BaseStrategy):
    """Goes well until its third ask; then does what it was made for."""

    def __init__(self, answer=None, **raises):
        self.answer = answer
        self.raises = raises

    def ask(self, trial_id, /):
        if trial_id < 3:
            return good(trial_id)
        if self.answer is not None:
            return self.answer
        self._maybe_raise("ask")
        return good(trial_id)

    def adopt(self, trial_id, suggestion, /):
        self._maybe_raise("adopt")

    def tell(self, report, /):
        if report.trial_id == 2:
            self._maybe_raise("tell")
            if "decision" in self.raises:
                return self.raises["decision"]
        return super().tell(report)

    def save_state(self):
        self._maybe_raise("save_state")
        return self.raises.get("state")

    def _maybe_raise(self, method):
        if method in self.raises:
            raise self.raises[method]


def good(x):
    return Start(Configuration(x=x, kind="a"))


def loss_is_x(configuration):
    return configuration["x"]


def run_in_background(lab, processes, strategy, **changes):
    """Run a study on worker processes to its end, and return its error."""
    function = lab.module("def fit(configuration): return configuration['x']")
    study = lab.study(function, strategy=strategy, space=SPACE, workers=2, budget=9, **changes)
    study.start()
    assert study.wait(30)
    assert not study.is_running
    assert not processes(lab.uid())
    assert study.state is StudyState.FAILED
    (reason,) = lab.rows("SELECT reason FROM study")[0]
    assert reason == str(study.error)
    return study.error


@pytest.mark.parametrize("method", ["ask", "tell", "save_state"])
@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), SystemExit(3)], ids=repr)
def test_a_strategy_that_raises_ends_the_study_with_the_cause(lab, processes, method, error):
    failure = run_in_background(lab, processes, Broken(**{method: error}))
    assert isinstance(failure, StrategyError)
    assert failure.__cause__ is error
    said = f"raised {type(error).__name__} in {method}: {error}"
    assert said in str(failure)


def test_run_raises_what_ended_the_study(lab):
    study = lab.study(loss_is_x, strategy=Broken(ask=KeyError("lr")), space=SPACE, budget=9)
    with pytest.raises(StudyFailed, match=r"raised KeyError in ask: 'lr'") as caught:
        study.run()
    assert isinstance(caught.value.__cause__.__cause__, KeyError)
    assert [trial.state.value for trial in study.result().trials] == ["completed"] * 2


def test_a_strategy_that_raises_in_adopt_ends_the_study_and_what_was_enqueued_stays(lab):
    enqueued = ({"x": 50, "kind": "b"},)
    broken = Broken(adopt=ZeroDivisionError("by zero"))
    study = lab.study(loss_is_x, strategy=broken, space=SPACE, budget=2, enqueue=enqueued)
    with pytest.raises(StudyFailed, match="raised ZeroDivisionError in adopt"):
        study.run()
    study.close()
    result = lab.study(loss_is_x, strategy=Broken(), space=SPACE, budget=2, enqueue=enqueued).run()
    assert [trial.configuration["x"] for trial in result.trials] == [50, 2]


def test_a_strategy_that_raises_when_the_budget_has_ended_the_study_has_failed_as_well(lab):
    class RaisesAtTheEnd(Broken):
        def tell(self, report, /):
            raise ZeroDivisionError("by zero")

    study = lab.study(
        lab.sh("exec sleep 60"),
        reads_configuration=True,
        strategy=RaisesAtTheEnd(),
        space=SPACE,
        budget=Budget(wall_time=0.1),
        grace=0,
    )
    with pytest.raises(StudyFailed, match="raised ZeroDivisionError in tell"):
        study.run()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Start(Configuration(x=101, kind="a")), "x lies between 1 and 100, got 101"),
        (Start(Configuration(x=0, kind="a")), "x lies between 1 and 100, got 0"),
        (Start(Configuration(x=3.0, kind="a")), "got 3.0"),
        (Start(Configuration(x=3)), "kind"),
        (Start(Configuration(x=3, kind="a", y=1)), "y"),
        (Start(Configuration(x=13, kind="b")), "forbidden"),
        (Start(Configuration(x=np.int64(3), kind="a")), "got np.int64(3)"),
        (Start(Configuration(x=3, kind=np.str_("a"))), "kind"),
        (Start({"x": 3, "kind": "a"}), "not a Configuration"),
        (Start(Configuration(x=3, kind="a"), iterations=28), "it requested 28 iterations"),
        (Start(Configuration(x=3, kind="a"), iterations=1), "the minimum is 2"),
        (Start(Configuration(x=3, kind="a"), iterations=9.0), "it requested 9.0 iterations"),
        (Start(Configuration(x=3, kind="a"), iterations=np.int64(9)), "not an integer"),
        (Start(Configuration(x=3, kind="a"), notes={"rung": np.float64(1)}), "what it notes"),
        (Start(Configuration(x=3, kind="a"), notes=("a", "tuple")), "what it notes"),
        (Resume(99), "it resumes trial 99, which does not exist"),
        (Resume(1, checkpoint_from=98), "the checkpoint of trial 98, which does not exist"),
        ({"x": 3, "kind": "a"}, "ask returned {'x': 3, 'kind': 'a'}, not a suggestion"),
        (Start, "not a suggestion"),
        (Wait(), "it waits although nothing is running"),
    ],
    ids=repr,
)
def test_a_strategy_that_answers_what_it_may_not_is_named_with_what_it_did(lab, answer, said):
    study = lab.study(
        loss_is_x, strategy=Broken(answer), space=SPACE, max_iterations=27, min_iterations=2
    )
    with pytest.raises(StudyFailed) as caught:
        study.run()
    error = caught.value.__cause__
    assert isinstance(error, StrategyError)
    assert "broke its contract" in str(error)
    assert said in str(error)
    assert len(study.result().trials) == 2, "nothing of the third trial may be stored"


def test_a_trial_that_is_running_or_has_failed_is_not_resumed(lab):
    class Resumes(Broken):
        def ask(self, trial_id, /):
            return good(1) if trial_id == 1 else Resume(1)

    job = lab.sh("exec sleep 60")
    some = {"space": SPACE, "reads_configuration": True}
    study = lab.study(job, **some, strategy=Resumes(), workers=2, grace=0)
    with pytest.raises(StudyFailed, match="it resumes trial 1, which is running"):
        study.run()
    study = lab.study(lab.sh("exit 1"), name="t", **some, strategy=Resumes())
    with pytest.raises(StudyFailed, match="it resumes trial 1, which is failed"):
        study.run()


@pytest.mark.parametrize("decision", ["stop", None, True], ids=repr)
def test_invalid_decision_is_an_error(lab, decision):
    study = lab.study(loss_is_x, strategy=Broken(decision=decision), space=SPACE)
    with pytest.raises(StudyFailed, match=f"tell returned {decision!r}, not a Decision"):
        study.run()


@pytest.mark.parametrize(
    "state",
    [{1, 2}, {"best": math.inf}, {"best": math.nan}, {1: "one"}, (1, 2), np.zeros(2), object()],
    ids=["set", "infinite", "nan", "number as key", "tuple", "array", "object"],
)
def test_a_state_that_would_not_come_back_the_same_is_an_error_at_once(lab, state):
    """An infinite number becomes null in JSON, a tuple a list: after a restart it would differ."""
    study = lab.study(loss_is_x, strategy=Broken(state=state), space=SPACE)
    with pytest.raises(StudyFailed, match="its state is not plain JSON"):
        study.run()


def test_one_that_has_nothing_to_suggest_from_the_beginning_finishes_the_study(lab):
    class Nothing(BaseStrategy):
        def ask(self, trial_id, /):
            return Exhausted()

    result = lab.study(loss_is_x, strategy=Nothing()).run()
    assert (result.state, result.trials) == (StudyState.FINISHED, ())
    assert result.reason == "the strategy has nothing more to try"


def test_a_strategy_that_cannot_be_restored_says_so_before_anything_runs(lab):
    class Forgetful(BaseStrategy):
        def ask(self, trial_id, /):
            return good(trial_id)

        def restore(self, history, saved, /):
            raise LookupError("where was I?")

    study = lab.study(loss_is_x, strategy=Forgetful(), space=SPACE, budget=9)
    study.run(on_job_finished=lambda job: study.stop())
    study.close()
    again = lab.study(loss_is_x, strategy=Forgetful(), space=SPACE, budget=9)
    with pytest.raises(StrategyError, match="could not be restored: LookupError: where was I"):
        again.start()
    assert not again.is_running


def test_a_failed_study_can_be_carried_on_when_the_strategy_is_mended(lab):
    broken = lab.study(loss_is_x, strategy=Broken(ask=ZeroDivisionError()), space=SPACE, budget=5)
    with pytest.raises(StudyFailed):
        broken.run()
    broken.close()
    result = lab.study(loss_is_x, strategy=Broken(), space=SPACE, budget=5).run()
    assert [trial.configuration["x"] for trial in result.trials] == [1, 2, 3, 4, 5]


class Stumbles(BaseStrategy):
    """Raises each time that it is told of a trial's end, if that is what it was made for."""

    def __init__(self, trial_id, *, on=("completed", "failed")):
        self.trial_id = trial_id
        self.on = on
        self.ended = []

    def ask(self, trial_id, /):
        return good(trial_id)

    def tell(self, report, /):
        if report.trial_id == self.trial_id and report.status.value in self.on:
            raise ValueError("it stumbles")
        self.ended.append((report.trial_id, report.status.value))
        return super().tell(report)


@pytest.mark.parametrize("on", [("completed",), ("completed", "failed")])
@pytest.mark.parametrize("stumbles_at", [2, 4])
def test_a_strategy_that_raises_in_tell_each_time_does_not_hold_its_study_up(
    lab, caplog, on, stumbles_at
):
    def run():
        strategy = Stumbles(stumbles_at, on=on)
        return lab.study(loss_is_x, strategy=strategy, space=SPACE, budget=4).run()

    with pytest.raises(StudyFailed, match="raised ValueError in tell: it stumbles"):
        run()
    result = run()
    assert result.state is StudyState.FINISHED
    assert len(result.trials) == 4
    assert result.trials[stumbles_at - 1].values == {"loss": float(stumbles_at)}
    assert "it stumbles" in caplog.text
    assert "had been failures" in caplog.text


def test_what_a_mended_strategy_had_raised_on_it_is_told_again(lab, caplog):
    study = lab.study(loss_is_x, strategy=Stumbles(2), space=SPACE, budget=4)
    with pytest.raises(StudyFailed):
        study.run()
    mended = Stumbles(None)
    lab.study(loss_is_x, strategy=mended, space=SPACE, budget=4).run()
    assert mended.ended == [(trial, "completed") for trial in (1, 2, 3, 4)]
    assert "had been failures" not in caplog.text
