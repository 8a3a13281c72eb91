"""One job and its trial: limits, retries, failures, and counts."""

import math

import pytest

import hpo_core.plugin
from hpo_core import (
    Budget,
    Categorical,
    Configuration,
    JobState,
    Objective,
    SearchSpace,
    StudyState,
    TrialState,
)
from hpo_core.errors import NoResult, StudyFailed
from hpo_core.plugin import BaseStrategy, Decision, Start


def first_line(text):
    return text.split("\n")[0]


def only_trial(study):
    (trial,) = study.run().trials
    return trial


# -- iterations -----------------------------------------------------------------------------


def test_a_job_knows_how_far_it_is_to_train(lab):
    study = lab.study(lab.sh("report $HPO_ITERATIONS"), max_iterations=27, budget=1)
    assert only_trial(study).value == 27


def test_job_beyond_its_maximum_is_ended_as_completed(lab):
    """Here at its next report: what it says there does not count."""

    def for_ever(configuration):
        for iteration in range(1, 1_000_000):
            hpo_core.report(iteration, loss=100 - iteration)

    trial = only_trial(lab.study(for_ever, max_iterations=9, budget=1))
    assert (trial.state, trial.iteration, trial.value) == (TrialState.COMPLETED, 9, 91)
    assert trial.reason == "ended by its limit of 9 iterations"


def test_a_job_at_its_maximum_that_lingers_is_ended_after_its_grace_period(lab):
    job = lab.sh("report 5 3; exec sleep 60")
    trial = only_trial(lab.study(job, max_iterations=3, grace=0.1, budget=1))
    assert (trial.state, trial.value) == (TrialState.COMPLETED, 5)
    assert trial.seconds >= 0.1
    assert trial.reason == "ended by its limit of 3 iterations"


def test_a_job_at_its_maximum_may_still_save_its_work_though_the_budget_ends_there(lab):
    """The last report uses the iterations up; the job goes on to its own end."""

    def saves(configuration):
        for iteration in range(1, 6):
            hpo_core.report(iteration, loss=1.0)
        return {"loss": 0.25}

    study = lab.study(saves, max_iterations=5, budget=Budget(iterations=5))
    trial = only_trial(study)
    assert (trial.state, trial.value, trial.reason) == (TrialState.COMPLETED, 0.25, "")


class StopsAtOnce(BaseStrategy):
    def ask(self, trial_id, /):
        return Start(Configuration(x=trial_id))

    def tell(self, report, /):
        return Decision.STOP


def test_a_job_is_not_stopped_before_its_minimum(lab):
    def train(configuration):
        for iteration in range(1, 10):
            hpo_core.report(iteration, loss=1.0)

    trial = only_trial(lab.study(train, strategy=StopsAtOnce(), min_iterations=4, budget=1))
    assert (trial.state, trial.iteration) == (TrialState.STOPPED, 4)
    assert trial.reason == "stopped by the strategy"


# -- time -----------------------------------------------------------------------------------


def test_job_over_its_time_limit_times_out_and_the_study_continues(lab):
    job = lab.sh("[ $1 = 2 ] && exec sleep 60; report 1")
    result = lab.study(job, time_limit=0.2, grace=0, budget=3).run()
    assert [trial.state.value for trial in result.trials] == ["completed", "failed", "completed"]
    assert lab.rows("SELECT state, reason FROM job WHERE trial = 2") == [
        ("timed_out", "ran longer than its limit of 0.2 s")
    ]
    assert result.trials[1].seconds >= 0.2


def test_a_time_limit_holds_for_each_job_though_it_reports_nothing_and_others_do(lab):
    """The limit is the controller's: it depends on no report."""
    job = lab.sh("[ $1 = 1 ] && exec sleep 60; report 1")
    result = lab.study(job, workers=2, time_limit=0.3, grace=0, budget=30).run()
    states = [trial.state for trial in result.trials]
    assert states == [TrialState.FAILED] + [TrialState.COMPLETED] * 29


def test_a_timed_out_job_is_not_retried(lab):
    study = lab.study(lab.sh("exec sleep 60"), time_limit=0.1, grace=0, retries=3, budget=9)
    study.run(on_job_finished=lambda job: study.stop() if job.job.trial_id == 2 else None)
    assert lab.rows("SELECT attempt FROM job WHERE trial = 1") == [(1,)]


def test_a_job_that_reports_nothing_for_too_long_is_timed_out_and_one_that_reports_is_not(lab):
    job = lab.sh("[ $1 = 2 ] && { report 1 1; exec sleep 60; }; i=0; "
                 "while [ $i -lt 10 ]; do i=$((i+1)); report 1 $i; sleep 0.2; done")  # fmt: skip
    study = lab.study(job, workers=2, silence_limit=1.5, grace=0, budget=3)
    result = study.run()
    assert [trial.state.value for trial in result.trials] == ["completed", "failed", "completed"]
    assert lab.rows("SELECT state, reason FROM job WHERE trial = 2") == [
        ("timed_out", "reported nothing for 1.5 s")
    ]
    assert result.trials[0].seconds > 1.5


def test_a_job_that_never_reports_is_silent_from_its_start(lab):
    study = lab.study(lab.sh("exec sleep 60"), silence_limit=0.2, time_limit=50, grace=0, budget=1)
    assert first_line(only_trial(study).reason) == "reported nothing for 0.2 s"


# -- failures -------------------------------------------------------------------------------


def test_failed_job_is_retried_up_to_the_limit_with_the_same_configuration(lab):
    tries = []

    def fails_twice(configuration):
        tries.append(configuration["x"])
        if len(tries) < 3:
            raise RuntimeError("no luck")
        return 1.0

    trial = only_trial(lab.study(fails_twice, retries=2, budget=3))
    assert tries == [1, 1, 1]
    assert (trial.state, trial.value) == (TrialState.COMPLETED, 1.0)


def test_what_a_failed_attempt_reported_does_not_count_for_the_next(lab):
    tries = []

    def better_before_it_failed(configuration):
        tries.append(1)
        hpo_core.report(1, loss=-5.0 if len(tries) == 1 else 5.0)
        if len(tries) == 1:
            raise RuntimeError("no luck")

    objective = (Objective("loss", "minimize", "best"),)
    trial = only_trial(
        lab.study(better_before_it_failed, retries=1, budget=2, objectives=objective)
    )
    assert trial.value == 5.0


def test_failed_trials_do_not_end_a_study_that_is_told_to_go_on(lab):
    def fails(configuration):
        raise ValueError(f"no good: {configuration['x']}")

    result = lab.study(fails, budget=5, max_failures_at_start=0).run()
    assert result.state is StudyState.FINISHED
    assert [first_line(trial.reason) for trial in result.trials] == [
        f"ValueError: no good: {x}" for x in range(1, 6)
    ]
    with pytest.raises(NoResult, match="the first of 5 failed: ValueError: no good: 1"):
        result.best


@pytest.mark.parametrize("workers", [1, 4])
def test_more_failures_than_max_failures_end_the_study_as_failed(lab, workers):
    job = lab.sh("[ $1 -le 2 ] && { report 1; exit; }; exit 7")
    study = lab.study(job, workers=workers, max_failures=2, budget=50)
    with pytest.raises(StudyFailed, match="3 trials failed, and max_failures is 2"):
        study.run()
    assert study.state is StudyState.FAILED
    assert study.error is not None
    assert not study.running_jobs


@pytest.mark.parametrize("workers", [1, 4])
def test_the_first_failure_ends_the_study_as_failed_if_that_is_what_it_says(lab, workers):
    job = lab.sh("[ $1 -le 2 ] && { report 1; exit; }; exit 7")
    study = lab.study(job, workers=workers, on_failure="stop", retries=1, budget=50)
    with pytest.raises(StudyFailed, match=r"trial \d failed, and on_failure is 'stop'"):
        study.run()
    assert study.state is StudyState.FAILED
    failed = lab.rows("SELECT id FROM trial WHERE state = 'failed'")
    assert len(failed) == 1
    jobs = lab.rows("SELECT state FROM job WHERE trial = ? AND state = 'failed'", *failed[0])
    assert len(jobs) == 2, "it was retried before"


@pytest.mark.parametrize("limits", [{"on_failure": "stop"}, {"max_failures": 0}])
def test_study_with_failed_jobs_continues_once_they_are_fixed(lab, limits):
    job = lab.sh("[ -e mended ] && report 1")
    with pytest.raises(StudyFailed):
        lab.study(job, budget=3, **limits).run()
    (lab.folder / "mended").touch()
    result = lab.study(job, budget=3, **limits).run()
    assert [trial.state.value for trial in result.trials] == ["failed", "completed", "completed"]


def test_a_failure_does_not_end_a_study_otherwise(lab):
    job = lab.sh("[ $1 = 1 ] && exit 7; report 1")
    result = lab.study(job, on_failure="continue", budget=2).run()
    assert result.state is StudyState.FINISHED


def test_as_many_failures_as_max_failures_are_borne(lab):
    job = lab.sh("[ $1 -le 2 ] && exit 7; report 1")
    assert lab.study(job, max_failures=2, budget=4).run().state is StudyState.FINISHED


# -- what counts ----------------------------------------------------------------------------


def test_a_job_without_the_metric_says_which_it_reported(lab):
    def train(configuration):
        hpo_core.report(1, **{"train/loss": 1.0, "accuracy": 0.5})

    trial = only_trial(lab.study(train, budget=1))
    assert trial.state is TrialState.FAILED
    assert trial.reason == ("it never reported the metric 'loss'; it reported accuracy, train/loss")


def test_a_job_with_a_misspelt_metric_names_it(lab):
    def train(configuration):
        hpo_core.report(1, los=1.0, accuracy=0.5)

    trial = only_trial(lab.study(train, budget=1))
    assert trial.reason.endswith("it reported accuracy, los; did you mean 'los'?")


def test_a_job_that_reported_nothing_says_how_to_report(lab):
    trial = only_trial(lab.study(lab.sh("true"), budget=1))
    assert trial.reason == (
        "it never reported the metric 'loss'; it reported nothing (a metric is reported in Python "
        'by hpo_core.report(loss=0.5), elsewhere by a line {"loss": 0.5} to the descriptor '
        "$HPO_REPORT_FD)"
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_last_value_that_is_not_finite_fails_the_trial_visibly(lab, value):
    def train(configuration):
        hpo_core.report(1, loss=1.0)
        hpo_core.report(2, loss=value)

    trial = only_trial(lab.study(train, budget=1))
    assert (trial.state, trial.losses) == (TrialState.FAILED, None)
    assert trial.reason == (
        f"the last value of 'loss' is not a finite number: {value}; loss was {value} at iteration 2"
    )
    assert trial.metrics["loss"] == value or math.isnan(value)


def test_a_value_that_is_not_finite_is_remarked_where_others_count(lab):
    def train(configuration):
        for value in (3.0, math.nan, 2.0):
            hpo_core.report(loss=value)

    trial = only_trial(lab.study(train, budget=1))
    assert (trial.state, trial.value, trial.reason) == (TrialState.COMPLETED, 2.0, "loss was nan")


def test_the_best_value_is_the_best_of_all_reports_in_either_direction(lab):
    def train(configuration):
        for value in (1.0, 3.0, math.nan, 2.0):
            hpo_core.report(up=value, down=value)

    objectives = (Objective("up", "maximize", "best"), Objective("down", "minimize", "best"))
    trial = only_trial(lab.study(train, objectives=objectives, budget=1))
    assert trial.values == {"up": 3.0, "down": 1.0}
    assert trial.losses == (-3.0, 1.0)


def test_of_several_objectives_each_must_be_there(lab):
    def train(configuration):
        return {"a": 1.0}

    objectives = (Objective("a", "minimize"), Objective("b", "minimize"))
    trial = only_trial(lab.study(train, objectives=objectives, budget=1))
    assert trial.reason == "it never reported the metric 'b'; it reported a"


# -- names and types ------------------------------------------------------------------------


def test_jobs_are_named_by_the_scheme_and_tags_are_kept(lab):
    study = lab.study(
        loss_is_x, budget=2, job_name="{name}/{x:03d}-{job_id}", tags=("first", "night run")
    )
    result = study.run()
    assert [trial.name for trial in result.trials] == ["s/001-1.1", "s/002-2.1"]
    assert lab.rows("SELECT name FROM job") == [("s/001-1.1",), ("s/002-2.1",)]
    (config,) = lab.rows("SELECT json_extract(config, '$.tags') FROM study")[0]
    assert config == '["first","night run"]'


def loss_is_x(configuration):
    return configuration["x"]


def test_values_keep_their_types_on_their_way_to_a_job_and_back(lab):
    choices = (1, 1.0, True, "1", None, "true", 0.1)
    seen = []

    def look(configuration):
        seen.append(configuration["x"])
        return 1.0

    space = SearchSpace((Categorical("x", choices),))
    result = lab.study(look, strategy="grid", space=space).run()
    stored = [trial.configuration["x"] for trial in result.trials]
    for values in (seen, stored):
        assert [(type(value), value) for value in values] == [(type(v), v) for v in choices]


def test_values_reach_a_worker_process_and_a_command_with_their_types(lab):
    space = SearchSpace((Categorical("x", (1, 1.0, True, "1", None)),))
    function = lab.module(
        """
        def fit(configuration):
            x = configuration["x"]
            return ["int", "float", "bool", "str", "NoneType"].index(type(x).__name__)
        """
    )
    result = lab.study(function, strategy="grid", space=space).run()
    assert [trial.value for trial in result.trials] == [0, 1, 2, 3, 4]
    job = lab.sh("""
        case $HPO_CONFIGURATION in
            *': 1}') report 0;; *': 1.0}') report 1;; *': true}') report 2;;
            *': "1"}') report 3;; *': null}') report 4;;
        esac
    """)
    result = lab.study(job, name="t", strategy="grid", space=space).run()
    assert [trial.value for trial in result.trials] == [0, 1, 2, 3, 4]


# -- callbacks ------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 4])
def test_a_callback_fires_once_for_each_finished_job_with_its_final_value(lab, workers):
    job = lab.sh("""
        [ $1 = 3 ] && [ ! -e tried ] && { touch tried; report 99 1; exit 1; }
        report 7 1; report 8 2; report $1 3
    """)
    fired = []
    study = lab.study(job, workers=workers, retries=1, budget=Budget(trials=8))
    result = study.run(on_job_finished=fired.append)
    assert sorted(job.job.id for job in fired) == [
        "1.1", "2.1", "3.1", "3.2", "4.1", "5.1", "6.1", "7.1", "8.1",
    ]  # fmt: skip
    values = {job.job.id: dict(job.values) for job in fired}
    assert values.pop("3.1") == {}
    assert values == {
        f"{t.trial_id}.{1 + (t.trial_id == 3)}": {"loss": t.trial_id} for t in result.trials
    }


def test_a_callback_is_told_how_the_job_ended_and_which_is_the_best(lab):
    losses = {1: 5.0, 2: 3.0, 3: None, 4: 3.0, 5: 1.0}

    def train(configuration):
        loss = losses[configuration["x"]]
        if loss is None:
            raise RuntimeError("no luck")
        return loss

    fired = []
    lab.study(train, budget=5).run(on_job_finished=fired.append)
    assert [job.is_best for job in fired] == [True, True, False, False, True]
    assert [job.state for job in fired] == [
        JobState.COMPLETED, JobState.COMPLETED, JobState.FAILED, JobState.COMPLETED,
        JobState.COMPLETED,
    ]  # fmt: skip


def test_what_a_callback_is_told_is_stored_already(lab):
    stored = []

    def look(finished):
        query = "SELECT state FROM job WHERE trial = ? AND attempt = 1"
        stored.extend(lab.rows(query, finished.job.trial_id))

    lab.study(loss_is_x, budget=3).run(on_job_finished=look)
    assert stored == [("completed",)] * 3


def test_a_callback_may_look_at_the_study(lab):
    tops = []
    study = lab.study(loss_is_x, budget=3)
    study.run(on_job_finished=lambda job: tops.append([trial.value for trial in study.top(2)]))
    assert tops == [[1], [1, 2], [1, 2]]


class Raises:
    told = 0

    def observe(self, event, /):
        self.told += 1
        raise RuntimeError("an observer's own fault")


def test_raising_observer_is_logged_once_and_dropped(lab, listener, caplog):
    broken = Raises()
    result = lab.study(loss_is_x, observers=[broken, listener], budget=4).run()
    assert len(result.trials) == 4
    assert broken.told == 1
    assert len(listener.of(hpo_core.plugin.JobFinished)) == 4
    (record,) = caplog.records
    assert "is not notified any more; the study continues" in record.getMessage()
    assert "an observer's own fault" in caplog.text


def test_raising_callback_is_dropped(lab, caplog):
    fired = []

    def raises(finished):
        fired.append(finished)
        raise RuntimeError("a callback's own fault")

    assert len(lab.study(loss_is_x, budget=4).run(on_job_finished=raises).trials) == 4
    assert len(fired) == 1
    assert "a callback's own fault" in caplog.text


def test_observers_get_all_events_in_order(lab, listener):
    def train(configuration):
        hpo_core.report(1, loss=1.0)

    lab.study(train, observers=[listener], budget=2).run()
    assert [type(event).__name__ for event in listener.events] == [
        "StudyStarted", "JobStarted", "JobReported", "JobFinished",
        "JobStarted", "JobReported", "JobFinished", "StudyEnded",
    ]  # fmt: skip
    assert listener.events[-1].state is StudyState.FINISHED
