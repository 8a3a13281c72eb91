"""A retry starts from the beginning: nothing of the failed attempt counts."""

import threading

import pytest

import hpo_core.plugin
from hpo_core import Configuration, HyperParameterOptimizer, JobInfo, TrialState, load_study
from hpo_core.controller.results.curves import read_curve
from hpo_core.controller.stored.export_trials import read_exchanged
from hpo_core.plugin import BaseStrategy, Decision, PluginChoice, Start
from hpo_core.store.store import Store


class Listening(BaseStrategy):
    """Starts x = 1, 2, 3, … and keeps what it is told."""

    def __init__(self):
        self.told = []

    def ask(self, trial_id, /):
        return Start(Configuration(x=trial_id))

    def tell(self, report, /):
        self.told.append(report)
        return Decision.CONTINUE

    def heard(self):
        return [(each.attempt, each.iteration, each.losses) for each in self.told]


class Attentive(Listening):
    """The same, and it handles attempts itself."""

    handles_attempts = True


class Unique(Listening):
    """The same, and it holds what can't be copied."""

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


def fails_first(configuration, job: JobInfo):
    """Fails after iteration 4, where it is very good; then it comes to iteration 2."""
    if job.id.endswith(".1"):
        hpo_core.report(4, loss=-9.0, memory=-1.0)
        raise RuntimeError("no luck")
    hpo_core.report(2, loss=float(configuration["x"]))


def only_trial(study):
    (trial,) = study.run().trials
    return trial


# -- what is shown --------------------------------------------------------------------------


def test_nothing_of_the_failed_attempt_is_left_in_a_trial_s_result(lab):
    constraints = (hpo_core.Constraint("memory"),)
    study = lab.study(fails_first, retries=1, budget=2, constraints=constraints)
    trial = only_trial(study)
    assert (trial.state, trial.value, trial.iteration) == (TrialState.COMPLETED, 1.0, 2)
    assert trial.metrics == {"loss": 1.0}
    assert "no luck" not in trial.reason
    assert not trial.is_feasible, "the attempt that counts did not report the constraint"
    assert study.top() == []


def test_a_failed_attempt_is_in_no_curve_and_no_export(lab):
    lab.study(fails_first, retries=1, budget=2).run()
    with Store(lab.store) as store:
        study = store.study("s")
        assert [point.job for point in read_curve(store, study, 1)] == ["1.2"]
        assert read_exchanged(store, study).trials[0].intermediate == {2: 1.0}
        assert store.last_metrics(study.id) == {1: {"loss": 1.0}}
        assert len(store.jobs(study.id)) == 2, "what each job did stays"


@pytest.mark.parametrize("restarts", [False, True])
def test_a_retry_that_reports_less_has_less(lab, restarts):
    """The objective of the failed attempt is no value of the trial, also after a restart."""

    def says_nothing_then(configuration, job: JobInfo):
        if job.id.endswith(".1"):
            hpo_core.report(4, loss=-9.0)
            raise RuntimeError("no luck")

    study = lab.study(says_nothing_then, retries=1, budget=2)
    study.run(on_job_finished=lambda job: restarts and job.job.id == "1.1" and study.stop())
    study.close()
    trial = only_trial(lab.study(says_nothing_then, retries=1, budget=2))
    assert trial.state is TrialState.FAILED
    assert trial.reason.startswith("it never reported the metric 'loss'; it reported nothing (")
    assert (trial.metrics, trial.iteration) == ({}, None)


# -- what strategies are told ---------------------------------------------------------------


def test_a_strategy_forgets_the_failed_attempt(lab):
    strategy = Listening()
    lab.study(fails_first, strategy=strategy, retries=1, budget=2).run()
    assert strategy.heard() == [(2, 2, (1.0,)), (2, 2, (1.0,))]


def test_a_strategy_that_handles_attempts_is_told_both_and_which_is_which(lab):
    strategy = Attentive()
    lab.study(fails_first, strategy=strategy, retries=1, budget=2).run()
    assert strategy.heard() == [(1, 4, (-9.0,)), (2, 2, (1.0,)), (2, 2, (1.0,))]
    assert load_study(lab.store, "s").replay(strategy=Attentive()).is_as_stored


def test_attempts_are_counted_from_one_each_time_a_trial_is_asked_for(lab):
    """A trial that is resumed has failed no more often than since then."""

    class Twice(Attentive):
        def ask(self, trial_id, /):
            if not any(report.is_final for report in self.told):
                return Start(Configuration(x=1), 2)
            finals = sum(report.is_final for report in self.told)
            return hpo_core.plugin.Resume(1, 4) if finals == 1 else hpo_core.plugin.Exhausted()

    strategy = Twice()

    def fails_once(configuration, job: JobInfo):
        if job.id == "1.1":
            hpo_core.report(1, loss=9.0)
            raise RuntimeError("no luck")
        hpo_core.report(job.iterations, loss=1.0)

    lab.study(fails_once, strategy=strategy, retries=1, max_iterations=4).run()
    heard = [(report.attempt, report.iteration) for report in strategy.told]
    assert heard == [(1, 1), (2, 2), (2, 2), (1, 4), (1, 4)]
    with Store(lab.store) as store:
        history = store.history(store.study("s").id, with_replaced=True)
        assert [event.report for event in history if hasattr(event, "report")] == strategy.told


def test_a_strategy_that_can_t_be_rebuilt_keeps_what_it_knows_and_a_warning_says_so(lab, caplog):
    strategy = Unique()
    lab.study(fails_first, strategy=strategy, retries=1, budget=2).run()
    assert strategy.heard() == [(1, 4, (-9.0,)), (2, 2, (1.0,)), (2, 2, (1.0,))]
    assert "trial 1 is retried, but the strategy cannot discard" in caplog.text
    with Store(lab.store) as store:
        assert len(store.history(store.study("s").id)) == 4


STRATEGIES = {
    "asha": ("asha:hyperband", {"type": "stopping"}),
    "promotion": ("asha", {}),
    "median": ("asha:median", {"min_trials": 1}),
    "pruner": ("optuna:tpe", {"pruner": {"name": "median", "n_startup_trials": 1}}),
    "bohb": ("bohb", {"min_points_in_model": 4}),
}


def early_stopping(lab, name, work, **changes):
    config = lab.config(
        work, name=name, retries=1, max_iterations=9,
        space=hpo_core.SearchSpace((hpo_core.Float("x", 0.0, 1.0),)),
        **{"budget": 30, **changes},
    )  # fmt: skip
    optimizer = HyperParameterOptimizer(config, store=lab.store, function=work)
    lab.opened.append(optimizer)
    return optimizer


def trains(says):
    """Return a job of which the first attempt of every third trial fails."""

    def job(configuration, job: JobInfo):
        is_to_fail = job.trial_id % 3 == 0 and job.id.endswith(".1")
        for iteration in range(1, job.iterations + 1):
            if is_to_fail and says:
                hpo_core.report(iteration, loss=-100.0)
            elif not is_to_fail:
                hpo_core.report(iteration, loss=configuration["x"] + 1 / iteration)
        if is_to_fail:
            raise RuntimeError("no luck")

    return job


def outcome(result):
    """Return what is the same of two studies; the last trial may fail as the budget ends."""
    return [
        (dict(trial.configuration), trial.state, trial.values, trial.values and trial.iteration)
        for trial in result.trials
    ]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_a_failed_attempt_reports_changes_no_suggestion_and_no_decision(lab, strategy):
    choice = PluginChoice(*STRATEGIES[strategy])
    quiet = early_stopping(lab, "quiet", trains(says=False), strategy=choice).run()
    loud = early_stopping(lab, "loud", trains(says=True), strategy=choice).run()
    assert outcome(loud) == outcome(quiet)
    assert load_study(lab.store, "loud").replay().is_as_stored


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_study_with_retries_is_resumed_exactly(lab, strategy):
    choice = PluginChoice(*STRATEGIES[strategy])
    job = trains(says=True)
    whole = early_stopping(lab, "whole", job, strategy=choice).run()
    cut = early_stopping(lab, "cut", job, strategy=choice)
    cut.run(on_job_finished=lambda finished: finished.job.id == "6.1" and cut.stop())
    cut.close()
    assert outcome(early_stopping(lab, "cut", job, strategy=choice).run()) == outcome(whole)
    assert load_study(lab.store, "cut").replay().is_as_stored
