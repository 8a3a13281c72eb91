"""Control of a running study: stop, time limits, enqueued configurations, leaving."""

import datetime
import gc
import os
import threading

import pytest

import hpo_core.plugin
from hpo_core import Configuration, HpoError, InvalidInput, JobState, StudyState
from hpo_core.errors import StudyFailed
from hpo_core.plugin import BaseStrategy, JobFinished, JobStarted, Start


def loss_is_x(configuration):
    return configuration["x"]


def descriptors():
    gc.collect()  # what earlier tests have left
    return sorted(os.listdir("/proc/self/fd"))


FOR_EVER = "exec sleep 60"


# -- stop -----------------------------------------------------------------------------------


def test_stop_ends_the_jobs_with_their_children_and_waits_for_it(lab, listener, processes):
    job = lab.sh("sleep 60 & sleep 60 & wait")
    study = lab.study(job, workers=4, observers=[listener])
    study.start()
    listener.wait_for(JobStarted, 4)
    assert study.is_running
    assert len(study.running_jobs) == 4
    assert len(processes(lab.uid())) >= 4
    study.stop()
    assert not study.is_running
    assert study.running_jobs == []
    assert processes(lab.uid()) == []
    assert (study.state, study.error) == (StudyState.INTERRUPTED, None)
    assert lab.rows("SELECT state, reason FROM study") == [("interrupted", "stopped")]


@pytest.mark.parametrize("count", range(8))
def test_stop_at_any_moment_leaves_no_process_while_jobs_are_launched_all_the_time(
    lab, listener, processes, count
):
    """Fault: stop() aborted a snapshot of the jobs while new ones were being launched."""
    study = lab.study(lab.sh("report $1"), workers=4, observers=[listener])
    study.start()
    listener.wait_for(JobFinished, 1 + 7 * count)
    study.stop()
    assert processes(lab.uid()) == []
    assert lab.rows("SELECT count(*) FROM job WHERE state IN ('queued', 'running')") == [(0,)]


@pytest.mark.parametrize("backend", ["inline", "local"])
def test_stop_from_a_callback_returns_at_once_and_ends_the_study(lab, backend):
    work = loss_is_x if backend == "inline" else lab.sh("report $1")
    study = lab.study(work)
    result = study.run(on_job_finished=lambda finished: study.stop("that is enough"))
    assert (result.state, result.reason) == (StudyState.INTERRUPTED, "that is enough")


def test_stop_twice_is_stop_once(lab, listener):
    study = lab.study(lab.sh(FOR_EVER), observers=[listener], grace=0)
    study.start()
    listener.wait_for(JobStarted)
    study.stop("first")
    study.stop("second")
    assert study.result().reason == "first"
    study.close()
    study.close()


def test_a_second_stop_at_once_does_not_wait_for_the_grace_period(lab, listener):
    """As the second Ctrl-C: this job would have an hour to end by itself."""
    os.mkfifo(lab.folder / "gate")
    job = lab.sh("trap 'echo asked > gate' TERM; report 1; while :; do sleep 0.05; done")
    study = lab.study(job, observers=[listener], grace=3600)
    study.start()
    listener.wait_for(hpo_core.plugin.JobReported)
    study.request_stop()
    assert (lab.folder / "gate").read_text() == "asked\n"
    study.request_stop(at_once=True)
    assert study.wait(60)
    assert study.state is StudyState.INTERRUPTED


def test_jobs_get_their_grace_period(lab, listener):
    job = lab.sh("""
        trap 'touch saved; exit 0' TERM
        report 1
        while :; do sleep 0.05; done
    """)
    study = lab.study(job, observers=[listener], grace=30)
    study.start()
    listener.wait_for(hpo_core.plugin.JobReported)
    study.stop()
    assert (lab.folder / "saved").exists()
    assert lab.rows("SELECT state FROM job") == [("lost",)]


def test_stop_waits_for_a_study_that_runs_in_another_thread(lab, listener, processes):
    study = lab.study(lab.sh(FOR_EVER), observers=[listener])
    thread = threading.Thread(target=study.run)
    thread.start()
    listener.wait_for(JobStarted)
    study.stop()
    assert study.wait(0)
    assert processes(lab.uid()) == []
    thread.join()


def test_a_study_that_was_stopped_before_its_start_does_not_begin(lab):
    study = lab.study(loss_is_x)
    study.request_stop("not today")
    assert study.run().reason == "not today"
    assert study.result().trials == ()


def test_stop_after_the_end_changes_nothing(lab):
    study = lab.study(loss_is_x, budget=2)
    study.run()
    study.stop()
    assert study.state is StudyState.FINISHED


# -- wait -----------------------------------------------------------------------------------


def test_wait_says_whether_it_has_ended(lab, listener):
    study = lab.study(lab.sh(FOR_EVER), observers=[listener], grace=0)
    assert not study.wait(0)
    study.start()
    assert not study.wait(0)
    study.request_stop()
    assert study.wait(30)
    assert study.wait()


def test_a_callback_cannot_wait_for_its_own_study(lab, caplog):
    study = lab.study(loss_is_x, budget=1)
    caught = []

    def waits(finished):
        try:
            study.wait()
        except HpoError as error:
            caught.append(str(error))

    study.run(on_job_finished=waits)
    assert caught == ["a callback cannot wait for its own study to end; wait elsewhere"]


def test_it_runs_once(lab):
    study = lab.study(loss_is_x, budget=1)
    study.run()
    with pytest.raises(HpoError, match="create another one to resume"):
        study.start()


# -- time limits ----------------------------------------------------------------------------


def in_a_moment():
    return datetime.datetime.now() + datetime.timedelta(seconds=0.2)


def in_a_moment_elsewhere():
    zone = datetime.timezone(datetime.timedelta(hours=-7))
    return datetime.datetime.now(zone) + datetime.timedelta(seconds=0.2)


LIMITS = [
    lambda: 0.2,
    lambda: "0.2s",
    lambda: datetime.timedelta(seconds=0.2),
    in_a_moment,
    in_a_moment_elsewhere,
]


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("when", ["before", "while it runs"])
def test_a_time_limit_interrupts_the_study(lab, listener, limit, when):
    study = lab.study(lab.sh(FOR_EVER), workers=2, observers=[listener], grace=0)
    if when == "before":
        study.set_time_limit(limit())
        study.start()
    else:
        study.start()
        listener.wait_for(JobStarted, 2)
        assert study.elapsed > 0
        study.set_time_limit(limit())
    assert study.wait(30)
    assert lab.rows("SELECT state, reason FROM study") == [
        ("interrupted", "the time limit is reached")
    ]


def test_a_time_limit_counts_from_the_start_not_from_when_it_was_set(lab, listener):
    study = lab.study(lab.sh(FOR_EVER), observers=[listener], grace=0)
    study.set_time_limit(0.3)
    study.run()
    assert study.elapsed >= 0.3


def test_a_moment_in_the_past_launches_nothing(lab):
    study = lab.study(loss_is_x)
    study.set_time_limit(datetime.datetime(2001, 1, 1))
    assert study.run().trials == ()


def test_a_time_limit_can_be_taken_back(lab, listener):
    study = lab.study(lab.sh("read line < gate; report $1"), budget=1, observers=[listener])
    os.mkfifo(lab.folder / "gate")
    study.set_time_limit(60)
    study.start()
    listener.wait_for(JobStarted)
    study.set_time_limit(None)
    (lab.folder / "gate").write_text("go\n")
    assert study.wait(30)
    assert study.state is StudyState.FINISHED


def test_a_wrong_time_limit_is_an_error_and_leaves_the_old_one(lab):
    study = lab.study(lab.sh(FOR_EVER), grace=0)
    study.set_time_limit(0.1)
    with pytest.raises(ValueError, match="expected seconds or a duration"):
        study.set_time_limit("soon")
    assert study.run().reason == "the time limit is reached"


def test_the_time_limit_does_not_depend_on_observers_or_reports(lab):
    """Fault: the time limit lived in the reporting thread, and a reporting error disabled it."""

    class Raises:
        def observe(self, event, /):
            raise RuntimeError("reporting broke")

    study = lab.study(lab.sh(FOR_EVER), observers=[Raises()], grace=0)
    study.set_time_limit(0.2)
    assert study.run().reason == "the time limit is reached"


# -- known configurations -------------------------------------------------------------------


class Adopts(BaseStrategy):
    """Starts 1, 2, 3, … and writes down what it adopts."""

    def __init__(self):
        self.adopted = []

    def ask(self, trial_id, /):
        return Start(Configuration(x=trial_id))

    def adopt(self, trial_id, suggestion, /):
        self.adopted.append((trial_id, suggestion.configuration["x"]))


@pytest.mark.parametrize("strategy", ["random", "grid"])
def test_what_the_configuration_enqueues_runs_first_whatever_the_strategy(lab, strategy):
    study = lab.study(loss_is_x, strategy=strategy, enqueue=({"x": 500}, {"x": 7}), budget=4)
    assert [trial.configuration["x"] for trial in study.run().trials][:2] == [500, 7]


def test_what_is_enqueued_before_the_start_runs_first_and_the_strategy_adopts_it(lab):
    strategy = Adopts()
    study = lab.study(loss_is_x, strategy=strategy, budget=3)
    study.enqueue({"x": 500})
    study.enqueue({"x": 7})
    assert [trial.configuration["x"] for trial in study.run().trials] == [500, 7, 3]
    assert strategy.adopted == [(1, 500), (2, 7)]
    assert lab.rows("SELECT count(*) FROM enqueued") == [(0,)]


def test_what_is_enqueued_while_it_runs_is_next(lab):
    study = lab.study(loss_is_x, budget=6)

    def enqueue(finished):
        if finished.job.trial_id == 2:
            study.enqueue({"x": 500})

    study.run(on_job_finished=enqueue)
    xs = [trial.configuration["x"] for trial in study.result().trials]
    assert xs == [1, 2, 3, 500, 5, 6], "trial 3 was launched in the turn in which 2 ended"


def test_what_is_enqueued_wakes_a_study_whose_workers_wait(lab, listener):
    class Waits(Adopts):
        def ask(self, trial_id, /):
            return Start(Configuration(x=1)) if trial_id == 1 else hpo_core.plugin.Wait()

    os.mkfifo(lab.folder / "gate")
    job = lab.sh("[ $1 = 1 ] && read line < gate; report $1")
    study = lab.study(job, strategy=Waits(), workers=2, observers=[listener], budget=2)
    study.start()
    listener.wait_for(JobStarted, 1)
    study.enqueue({"x": 500})
    (second,) = listener.wait_for(JobFinished, 1)
    assert second.finished.job.configuration == {"x": 500}
    (lab.folder / "gate").write_text("go\n")
    assert study.wait(30)


def test_enqueued_configurations_are_run_though_the_strategy_is_exhausted(lab):
    class Exhausted(Adopts):
        def ask(self, trial_id, /):
            return hpo_core.plugin.Exhausted()

    study = lab.study(loss_is_x, strategy=Exhausted(), enqueue=({"x": 500}, {"x": 7}))
    assert [trial.configuration["x"] for trial in study.run().trials] == [500, 7]


def test_an_unfit_configuration_is_refused_with_what_is_wrong(lab):
    study = lab.study(loss_is_x)
    with pytest.raises(InvalidInput, match="x lies between 1 and 10000, got 0"):
        study.enqueue({"x": 0})
    with pytest.raises(InvalidInput, match="y"):
        study.enqueue({"x": 1, "y": 2})


def test_an_enqueued_point_counts_as_a_trial_and_a_job(lab):
    result = lab.study(loss_is_x, enqueue=({"x": 500},), budget=hpo_core.Budget(trials=2)).run()
    assert [trial.configuration["x"] for trial in result.trials] == [500, 2]


# -- leaving --------------------------------------------------------------------------------


@pytest.mark.parametrize("work", ["command", "function"])
def test_leaving_the_context_leaves_no_process_and_no_descriptor(lab, listener, processes, work):
    function = lab.module("import time\ndef fit(configuration): time.sleep(60)")
    before = descriptors()
    with lab.study(
        function if work == "function" else lab.sh(FOR_EVER),
        workers=3,
        observers=[listener],
        grace=0,
    ) as study:
        study.start()
        listener.wait_for(JobStarted, 3)
        uid = lab.uid()
        assert processes(uid)
    assert not study.is_running
    assert processes(uid) == []
    assert descriptors() == before
    assert not [t for t in threading.enumerate() if t.name.startswith("hpo-")]


def test_an_exception_in_the_context_ends_the_study_too(lab, listener, processes):
    study = lab.study(lab.sh(FOR_EVER), observers=[listener], grace=0)

    def leave_by_an_exception():
        with study:
            study.start()
            listener.wait_for(JobStarted)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        leave_by_an_exception()
    assert not study.is_running
    assert processes(lab.uid()) == []


def test_a_study_in_memory_leaves_no_file(lab, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = set(tmp_path.iterdir())
    with lab.study(loss_is_x, in_memory=True, budget=3) as study:
        assert len(study.run().trials) == 3
    assert set(tmp_path.iterdir()) == before


def test_a_controller_that_cannot_make_its_control_pipe_says_so_and_lets_go(lab):
    """It must never seem to run when it does not."""
    study = lab.study(loss_is_x, budget=1)
    obstacle = lab.files() / "control" / "in the way"
    obstacle.mkdir(parents=True)
    with pytest.raises(HpoError, match="control"):
        study.start()
    assert not study.is_running
    obstacle.rmdir()
    obstacle.parent.rmdir()
    assert len(study.run().trials) == 1


def test_a_store_that_breaks_ends_the_study_as_failed(lab):
    study = lab.study(loss_is_x, budget=5)

    def breaks(finished):
        lab.change("DROP TABLE job")

    with pytest.raises(StudyFailed, match=r"cannot write to the store .*no such table: job"):
        study.run(on_job_finished=breaks)
    assert not study.is_running
    assert study.wait(0)
    assert study.state is StudyState.FAILED


# -- the function in one call ---------------------------------------------------------------


def test_optimize_runs_a_study_with_a_strategy_instance(tmp_path):
    fired = []
    result = hpo_core.optimize(
        lambda configuration: (configuration["x"] - 3) ** 2,
        [hpo_core.Int("x", 1, 10)],
        objective=hpo_core.Objective("loss", "minimize"),
        budget=hpo_core.Budget(jobs=5),
        strategy=Adopts(),
        backend="inline",
        enqueue=[{"x": 9}],
        on_job_finished=fired.append,
        store=tmp_path / "hpo.db",
    )
    assert [trial.configuration["x"] for trial in result.trials] == [9, 2, 3, 4, 5]
    assert (result.best.configuration, result.best.value) == ({"x": 3}, 0)
    assert [job.state for job in fired] == [JobState.COMPLETED] * 5


def test_optimize_says_when_the_study_failed():
    class Raises(BaseStrategy):
        def ask(self, trial_id, /):
            raise ZeroDivisionError("by zero")

    with pytest.raises(StudyFailed, match="raised ZeroDivisionError in ask: by zero"):
        hpo_core.optimize(
            loss_is_x,
            [hpo_core.Int("x", 1, 10)],
            objective=hpo_core.Objective("loss", "minimize"),
            strategy=Raises(),
            backend="inline",
        )
