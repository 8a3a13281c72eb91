"""Short jobs of a strategy that does not learn wait for a worker, which starts them at once."""

from __future__ import annotations

from collections import Counter

import pytest

from hpo_core import Budget, JobState, StudyState, TrialState
from hpo_core.controller.run.lookahead import SHORT, Lookahead
from hpo_core.plugin import Asked, JobStarted, Told

QUICK = ["sh", "-c", "echo '{{\"loss\": {x}}}' >&3"]
SLOW = ["sh", "-c", f"sleep {SHORT + 0.01}; echo '{{{{\"loss\": {{x}}}}}}' >&3"]
FAILS = ["sh", "-c", "exit 3"]


def most_pending(optimizer):
    """Return the most trials that were suggested, and had not ended, at any moment."""
    store = optimizer._store
    pending, most = 0, 0
    for event in store.history(store.study(optimizer.name).id):
        match event:
            case Asked():
                pending += 1
            case Told(report) if report.is_final:
                pending -= 1
        most = max(most, pending)
    return most


def run(optimizer):
    optimizer.start()
    optimizer.wait()
    assert optimizer.error is None
    return optimizer


def configurations(study):
    return {trial.trial_id: trial.configuration for trial in study.result().trials}


@pytest.mark.parametrize(
    ("changes", "is_ahead"),
    [
        ({}, True),
        ({"budget": Budget(trials=30)}, True),
        ({"budget": Budget(jobs=30, count="completed")}, True),
        ({"strategy": None}, False),  # an instance may learn
        ({"budget": Budget(jobs=30, compute_time=60.0)}, False),
        ({"budget": Budget(jobs=30, wall_time=60.0)}, False),
        ({"budget": Budget(jobs=30, iterations=1_000)}, False),
        ({"on_failure": "stop"}, False),
        ({"max_failures": 3}, False),
    ],
    ids=str,
)
def test_jobs_wait_only_if_neither_results_nor_a_limit_can_change_them(lab, changes, is_ahead):
    study = run(lab.study(QUICK, **{"strategy": "random", "budget": 30, **changes}))
    assert len(study.result().trials) == 30
    assert (most_pending(study) > 1) is is_ahead


def test_no_job_waits_while_jobs_are_long_so_that_enqueued_configurations_come_next(lab):
    study = run(lab.study(SLOW, strategy="random", budget=3))
    assert most_pending(study) == 1


def test_no_job_waits_before_one_has_completed(lab):
    study = lab.study(FAILS, strategy="random", budget=20, max_failures_at_start=5)
    study.start()
    study.wait()
    assert lab.rows("SELECT state, count(*) FROM job GROUP BY state") == [("failed", 5)]


@pytest.mark.parametrize("count", ["launched", "completed"])
def test_the_budget_is_kept_to_the_job(lab, count):
    budget = Budget(jobs=11, count=count)
    study = run(lab.study(QUICK, strategy="random", budget=budget, workers=3))
    assert lab.rows("SELECT count(*), sum(state = 'completed') FROM job") == [(11, 11)]
    assert len(study.result().trials) == 11


@pytest.mark.parametrize("number", ["$HPO_WORKER", "{worker}"])
def test_no_more_jobs_run_at_once_than_there_are_workers_each_with_its_number(
    lab, listener, number
):
    place = f"{lab.folder}/{number}"
    script = f"mkdir {place} && echo '{{{{\"loss\": 1}}}}' >&3; rmdir {place}"
    study = run(
        lab.study(
            ["sh", "-c", script],
            strategy="random",
            budget=200,
            workers=3,
            observers=[listener],
        )
    )
    assert Counter(trial.state for trial in study.result().trials) == {TrialState.COMPLETED: 200}
    assert max(event.progress.running for event in listener.of(JobStarted)) <= 3
    assert most_pending(study) > 3


def test_functions_wait_for_workers_too(lab):
    function = lab.module(
        """
        import os

        def fit(configuration):
            return int(os.environ["HPO_WORKER"])
        """
    )
    study = run(lab.study(function, strategy="random", budget=300, workers=3))
    assert {trial.metrics["loss"] for trial in study.result().trials} <= {0, 1, 2}
    assert most_pending(study) > 3


def test_a_job_that_waits_when_the_study_is_stopped_starts_when_it_is_resumed(lab):
    stopped = lab.study(QUICK, strategy="random", budget=60, workers=2)
    finished = []

    def stop(job):
        finished.append(job)
        if len(finished) == 7:
            stopped.request_stop("for a test")

    stopped.start(on_job_finished=stop)
    stopped.wait()
    waiting = lab.rows("SELECT count(*) FROM job WHERE state = 'queued' AND started IS NULL")[0][0]
    assert waiting > 0
    assert lab.rows("SELECT DISTINCT reason FROM job WHERE state = 'queued'") == [("for a test",)]
    assert lab.rows("SELECT count(*) FROM job WHERE state = 'lost'")[0][0] <= 2  # those that ran
    ended = lab.rows("SELECT count(*) FROM job WHERE state NOT IN ('queued', 'lost')")[0][0]
    assert stopped.usage.jobs == ended
    stopped.close()
    resumed = run(lab.study(QUICK, strategy="random", budget=60, workers=2))
    states = [(trial.trial_id, trial.state) for trial in resumed.result().trials]
    assert sorted(states) == [(number, TrialState.COMPLETED) for number in range(1, 61)]
    assert resumed.usage.jobs == 60
    assert lab.rows("SELECT count(*) FROM job WHERE state != 'lost'") == [(60,)]
    again = run(lab.study(QUICK, strategy="random", budget=60, store=lab.folder / "other.db"))
    assert configurations(again) == configurations(resumed)
    assert again.state is StudyState.FINISHED


def test_a_job_that_waited_is_stopped_if_no_time_is_left_when_the_study_is_resumed(lab):
    budget = Budget(jobs=3, wall_time=60.0)
    stopped = lab.study(QUICK, strategy="random", budget=budget)
    stopped.start(on_job_finished=lambda job: stopped.request_stop("for a test"))
    stopped.wait()
    stopped.close()
    trial = lab.rows("SELECT max(trial) FROM job")[0][0]
    lab.change(f"UPDATE trial SET state = 'running', losses = NULL WHERE id = {trial}")
    lab.change(
        f"UPDATE job SET state = 'queued', reason = 'for a test', started = NULL, ended = NULL "
        f"WHERE trial = {trial}"
    )
    lab.change("UPDATE progress SET wall_time = 61")
    resumed = run(lab.study(QUICK, strategy="random", budget=budget))
    assert resumed.state is StudyState.FINISHED
    reason = "its wall time of 1m00s has passed"
    rows = lab.rows("SELECT attempt, state, reason FROM job WHERE trial = ?", trial)
    assert rows == [(1, "stopped", reason)]


@pytest.mark.parametrize(
    ("seconds", "state", "room"),
    [
        (0.0, JobState.COMPLETED, 2 * 17),
        (0.03, JobState.COMPLETED, 2 * 5),
        (0.2, JobState.COMPLETED, 2 * 2),
        (SHORT, JobState.COMPLETED, 2),
        (0.0, JobState.FAILED, 2),
    ],
)
def test_the_shorter_jobs_are_the_more_wait(seconds, state, room):
    lookahead = Lookahead(2, is_allowed=True)
    assert lookahead.room == 2
    lookahead.job_ended(object(), state, seconds)
    assert lookahead.room == room


def test_none_waits_while_a_job_of_an_earlier_controller_runs():
    lookahead, adopted = Lookahead(2, is_allowed=True), object()
    lookahead.job_adopted(adopted)
    lookahead.job_ended(object(), JobState.COMPLETED, 0.0)
    assert lookahead.room == 2
    lookahead.job_ended(adopted, JobState.COMPLETED, 0.0)
    assert lookahead.room > 2
