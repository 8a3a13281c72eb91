"""Budgets are exact, can be read at any time, and hold across sessions."""

import threading

import pytest

import hpo_core
from hpo_core.plugin import (
    BaseStrategy,
    Budget,
    Configuration,
    JobFinished,
    JobStarted,
    JobState,
    Start,
    StudyState,
    TrialState,
)


def loss_is_x(configuration):
    return configuration["x"]


def states(optimizer):
    return [trial.state for trial in optimizer.result().trials]


# -- jobs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 4, 7])
def test_a_budget_of_ten_jobs_runs_ten_jobs_whatever_the_workers(lab, workers):
    study = lab.study(lab.sh("""report $1"""), workers=workers, budget=10)
    result = study.run()
    assert len(result.trials) == 10
    assert lab.rows("SELECT count(*) FROM job") == [(10,)]
    assert (result.usage.jobs, result.reason) == (10, "all 10 jobs of its budget have run")
    assert study.remaining == {"jobs": 0}


def test_never_more_jobs_run_at_once_than_there_are_workers(lab, listener):
    lab.study(lab.sh("""sleep 0.1; report $1"""), workers=3, budget=12, observers=[listener]).run()
    at_once = [event.progress.running for event in listener.of(JobStarted)]
    assert max(at_once) == 3


def test_a_retry_is_a_job_and_counts(lab):
    def fails(configuration):
        raise RuntimeError("no luck")

    result = lab.study(fails, budget=6, retries=2).run()
    assert [trial.state for trial in result.trials] == [TrialState.FAILED] * 2
    assert lab.rows("SELECT trial, attempt FROM job ORDER BY trial, attempt") == [
        (1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3),
    ]  # fmt: skip


def test_a_retry_for_which_no_job_is_left_leaves_its_trial_failed_not_running(lab):
    def fails(configuration):
        raise RuntimeError("no luck")

    result = lab.study(fails, budget=1, retries=1).run()
    assert result.state is StudyState.FINISHED
    assert [(trial.state, trial.reason.split("\n")[0]) for trial in result.trials] == [
        (TrialState.FAILED, "RuntimeError: no luck")
    ]


def test_strategy_is_told_of_an_abandoned_trial(lab):
    class Listening(BaseStrategy):
        told = []

        def ask(self, trial_id, /):
            return Start(Configuration(x=trial_id))

        def tell(self, report, /):
            self.told.append((report.trial_id, report.job_id, report.status.value))
            return super().tell(report)

    def fails(configuration):
        raise RuntimeError("no luck")

    lab.study(fails, strategy=Listening(), budget=1, retries=1).run()
    assert Listening.told == [(1, "1.1", "failed")]


def test_lost_jobs_do_not_count(lab, listener):
    job = lab.sh("""[ -e go ] && { report $1; exit; }; exec sleep 60""")
    study = lab.study(job, workers=4, budget=10, observers=[listener])
    study.start()
    listener.wait_for(JobStarted, 4)
    assert study.remaining == {"jobs": 6}
    study.stop()
    assert study.usage.jobs == 0
    (lab.folder / "go").touch()
    result = lab.study(job, workers=4, budget=10).run()
    assert len(result.trials) == 10
    assert lab.rows("SELECT state, count(*) FROM job GROUP BY state ORDER BY state") == [
        ("completed", 10),
        ("lost", 4),
    ]


@pytest.mark.parametrize("workers", [1, 4])
def test_budget_of_completed_trials_is_exact_despite_failures(lab, workers):
    job = lab.sh("""[ $(($1 % 3)) = 0 ] && exit 1; report $1""")
    budget = Budget(jobs=8, count="completed")
    result = lab.study(job, workers=workers, budget=budget).run()
    ended = [trial.state for trial in result.trials]
    assert ended.count(TrialState.COMPLETED) == 8
    assert set(ended) == {TrialState.COMPLETED, TrialState.FAILED}
    assert (result.usage.jobs, result.reason) == (8, "all 8 trials of its budget have completed")


# -- trials ---------------------------------------------------------------------------------


def test_a_budget_of_trials_counts_trials_and_not_their_retries(lab):
    job = lab.sh("""[ -e tried-$1 ] && { report 1; exit; }; touch tried-$1; exit 1""")
    result = lab.study(job, workers=3, budget=Budget(trials=5), retries=1).run()
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETED] * 5
    assert (result.usage.trials, result.usage.jobs) == (5, 10)
    assert result.reason == "all 5 trials of its budget have run"


def test_whichever_limit_comes_first_ends_the_study(lab):
    assert lab.study(loss_is_x, budget=Budget(trials=5, jobs=3)).run().usage.trials == 3
    assert lab.study(loss_is_x, name="t", budget=Budget(trials=2, jobs=9)).run().usage.jobs == 2


# -- iterations -----------------------------------------------------------------------------


def ten_iterations(configuration):
    for iteration in range(1, 11):
        hpo_core.report(iteration, loss=1.0)


def test_a_budget_of_iterations_ends_the_job_in_the_middle(lab):
    result = lab.study(ten_iterations, budget=Budget(iterations=25)).run()
    assert result.usage.iterations == 25
    assert [trial.iteration for trial in result.trials] == [10, 10, 5]
    assert [trial.state.value for trial in result.trials] == ["completed", "completed", "stopped"]
    assert result.reason == "all 25 iterations of its budget have run"


def test_two_workers_that_report_all_at_once_do_not_exceed_it(lab):
    lines = " ".join(f"""'{{"iteration": {i}, "loss": 1}}'""" for i in range(1, 11))
    job = lab.sh(f"printf '%s\\n' {lines} > /dev/fd/$HPO_REPORT_FD")
    result = lab.study(job, workers=2, budget=Budget(iterations=25)).run()
    assert result.usage.iterations == 25
    assert sum(trial.iteration or 0 for trial in result.trials) == 25


def test_a_job_that_has_done_all_it_was_to_is_completed_though_the_budget_ends_with_it(lab):
    job = lab.sh("""for i in 1 2 3 4 5; do report $1 $i; done""")
    result = lab.study(job, max_iterations=5, budget=Budget(iterations=10)).run()
    assert [(trial.state.value, trial.reason) for trial in result.trials] == [("completed", "")] * 2
    assert result.usage.iterations == 10


def test_iterations_are_counted_from_the_last_one_and_never_twice(lab):
    def repeats(configuration):
        for iteration in (2, 2, 1, 5):
            hpo_core.report(iteration, loss=1.0)

    assert lab.study(repeats, budget=2).run().usage.iterations == 10


# -- time -----------------------------------------------------------------------------------


def test_compute_time_is_that_of_all_jobs_together(lab):
    study = lab.study(lab.sh("exec sleep 60"), workers=4, budget=Budget(compute_time=1.0), grace=0)
    result = study.run()
    assert result.reason == "its compute time of 1.0s has been used"
    seconds = [trial.seconds for trial in result.trials]
    assert result.usage.compute_time == pytest.approx(sum(seconds))
    assert max(seconds) < 1.0 <= sum(seconds)  # no job has used it up by itself
    assert states(study) == [TrialState.STOPPED] * 4


def test_wall_time_ends_the_study_with_its_jobs(lab):
    study = lab.study(lab.sh("exec sleep 60"), workers=2, budget=Budget(wall_time=0.3), grace=0)
    result = study.run()
    assert (result.state, result.reason) == (
        StudyState.FINISHED,
        "its wall time of 0.3s has passed",
    )
    assert max(trial.seconds for trial in result.trials) <= result.usage.wall_time
    assert result.usage.wall_time >= 0.3


@pytest.mark.parametrize("limit", ["wall_time", "compute_time"])
def test_time_is_kept_across_resumes(lab, listener, limit):
    job = lab.sh("exec sleep 60")
    budget = Budget(**{limit: 2.0})
    study = lab.study(job, budget=budget, grace=0, observers=[listener])
    study.set_time_limit(0.3)
    study.run()
    used = getattr(study.usage, limit)
    assert 0 < used < 2.0
    assert study.remaining == {limit: pytest.approx(2.0 - used)}
    study.close()

    again = lab.study(job, budget=budget, grace=0)
    assert getattr(again.usage, limit) == used
    result = again.run()
    assert result.state is StudyState.FINISHED
    assert getattr(result.usage, limit) >= 2.0


# -- reading --------------------------------------------------------------------------------


def test_use_and_remainder_can_be_read_while_it_runs(lab):
    seen = []

    def look(finished):
        seen.append((study.usage.jobs, study.usage.iterations, study.remaining))

    budget = Budget(jobs=3, iterations=100, trials=5)
    study = lab.study(ten_iterations, budget=budget)
    study.run(on_job_finished=look)
    assert seen == [
        (2, 10, {"trials": 3, "jobs": 1, "iterations": 90}),
        (3, 20, {"trials": 2, "jobs": 0, "iterations": 80}),
        (3, 30, {"trials": 2, "jobs": 0, "iterations": 70}),
    ]  # the next job is launched in the turn in which the one before it ends


def test_time_passes_while_a_job_runs_and_says_nothing(lab, listener):
    budget = Budget(compute_time=60, wall_time=60)
    study = lab.study(lab.sh("exec sleep 60"), budget=budget, grace=0, observers=[listener])
    study.start()
    listener.wait_for(JobStarted)
    first, second = study.usage, study.usage
    assert 0 < first.compute_time < second.compute_time
    assert first.wall_time < second.wall_time < study.elapsed
    assert study.remaining["compute_time"] < 60


def test_counts_are_kept_across_resumes(lab):
    budget = Budget(jobs=7, iterations=1000)
    study = lab.study(ten_iterations, budget=budget)
    study.run(on_job_finished=lambda finished: finished.job.id == "4.1" and study.stop())
    assert study.state is StudyState.INTERRUPTED
    used = (study.usage.jobs, study.usage.iterations)
    assert used == (4, 40)
    study.close()
    resumed = lab.study(ten_iterations, budget=budget)
    assert resumed.remaining == {"jobs": 3, "iterations": 960}
    usage = resumed.run().usage
    assert (usage.jobs, usage.iterations) == (7, 70)


def test_a_budget_that_is_used_up_launches_nothing_when_the_study_is_run_again(lab):
    calls = []
    lab.study(loss_is_x, budget=3).run()
    study = lab.study(loss_is_x, budget=3)
    result = study.run(on_job_finished=calls.append)
    assert (len(result.trials), calls, result.state) == (3, [], StudyState.FINISHED)


def test_without_a_budget_the_strategy_has_the_last_word(lab):
    result = lab.study(
        loss_is_x, strategy="grid", space=hpo_core.SearchSpace((hpo_core.Int("x", 1, 5),))
    )
    assert len(result.run().trials) == 5


def test_a_study_of_ten_jobs_stopped_and_resumed_at_any_time_is_ten_jobs(lab):
    """Stopped from another thread after each second job, with four workers."""
    job = lab.sh("""report $1""")
    for _ in range(20):
        study = lab.study(job, workers=4, budget=10)
        count, enough = [], threading.Event()

        def finished(job, count=count, enough=enough):
            count.append(job)
            if sum(job.state is JobState.COMPLETED for job in count) >= 2:
                enough.set()

        study.start(on_job_finished=finished)
        while not enough.wait(0.01) and study.is_running:
            pass
        study.stop()
        state = study.state
        study.close()
        if state is StudyState.FINISHED:
            break
    assert lab.rows("SELECT count(*) FROM job WHERE state = 'completed'") == [(10,)]
    assert lab.rows("SELECT count(*) FROM trial") == [(10,)]


def test_jobs_finished_says_how_much_is_used(lab, listener):
    lab.study(loss_is_x, budget=3, observers=[listener]).run()
    assert [event.progress.usage.jobs for event in listener.of(JobFinished)] == [1, 2, 3]
