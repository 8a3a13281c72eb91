"""Data of unfinished trials, and of jobs whose trial was given other values."""

import pytest

from hpo_core import Configuration, Objective, StudyState, TrialState, report
from hpo_core.controller.results.open_trials import read_unfinished
from hpo_core.controller.results.unfinished import read_configurations
from hpo_core.errors import NoResult
from hpo_core.plugin import BaseStrategy, Decision, Resume, Start
from hpo_core.store.store import Store


class PausesAll(BaseStrategy):
    """Pauses each trial at its end, and resumes the first one with another value."""

    def __init__(self, resumes=False):
        self._resumes = resumes

    def ask(self, trial_id, /):
        if self._resumes and trial_id == 4:
            self._resumes = False
            return Resume(1, configuration=Configuration(x=100))
        return Start(Configuration(x=trial_id))

    def tell(self, report, /):
        return Decision.PAUSE if report.is_final else Decision.CONTINUE


def loss_is_x(configuration):
    report(3, loss=-configuration["x"])


def unfinished(lab, k=5):
    with Store(lab.store) as store:
        return read_unfinished(store, store.study("s"), k)


def test_paused_trials_are_ranked_as_they_stand(lab):
    study = lab.study(loss_is_x, strategy=PausesAll(), budget=4)
    study.run()
    best, second = unfinished(lab, 2)
    assert (best.trial_id, second.trial_id) == (4, 3)
    assert (best.state, best.iteration, best.value) == (TrialState.PAUSED, 3, -4.0)
    assert study.summary().best_so_far == best


def test_the_best_of_no_completed_trial_names_the_best_so_far(lab):
    result = lab.study(loss_is_x, strategy=PausesAll(), budget=4).run()
    with pytest.raises(
        NoResult, match="the best so far is trial 4, paused at iteration 3, with -4"
    ):
        result.best


def test_a_completed_trial_is_not_unfinished(lab):
    lab.study(loss_is_x, budget=2).run()
    assert unfinished(lab) == []


def test_with_two_objectives_the_front_comes_first(lab):
    def conflicting(configuration):
        x = configuration["x"]
        report(1, a=x if x < 3 else 9, b=-x if x < 3 else 9)

    objectives = (Objective("a", "minimize"), Objective("b", "minimize"))
    lab.study(conflicting, strategy=PausesAll(), budget=3, objectives=objectives).run()
    assert [trial.trial_id for trial in unfinished(lab)] == [1, 2, 3]


def test_each_job_has_the_configuration_that_it_ran(lab):
    lab.study(loss_is_x, strategy=PausesAll(resumes=True), budget=5).run()
    with Store(lab.store) as store:
        found = read_configurations(store, store.study("s"))
    values = {job: configuration["x"] for job, configuration in found.items()}
    assert values == {"1.1": 1, "2.1": 2, "3.1": 3, "1.2": 100, "4.1": 4}


def test_study_with_a_dead_controller_is_shown_as_interrupted(lab):
    lab.study(loss_is_x, budget=2).run()
    lab.change("UPDATE study SET state = 'running', reason = ''")
    with Store(lab.store) as store:
        assert store.current_state(store.study("s")) == (
            StudyState.INTERRUPTED,
            "its controller died",
        )
    study = lab.study(loss_is_x, budget=2)
    assert study.state is StudyState.INTERRUPTED
    assert (study.result().state, study.summary().state) == (study.state, study.state)
