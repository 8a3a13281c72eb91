"""A study is resumed exactly, however its controller ended; only one controller runs it."""

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import textwrap

import msgspec
import pytest

import hpo_core.plugin
from hpo_core.backends.supervisor.processes import watch_exit
from hpo_core.config import from_json, to_json
from hpo_core.errors import StudyChanged, StudyRunning
from hpo_core.plugin import (
    BaseStrategy,
    Budget,
    Categorical,
    Configuration,
    Float,
    Int,
    JobReported,
    JobStarted,
    Objective,
    SearchSpace,
    Start,
    StudyState,
    TrialState,
)
from hpo_core.store.store import Store

SPACE = SearchSpace(
    (Float("lr", 1e-4, 1.0, log=True), Int("n", 1, 9), Categorical("k", ("a", "b")))
)


def configurations(optimizer):
    return [dict(trial.configuration) for trial in optimizer.result().trials]


# -- stopped and resumed -----------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 2, 15, 29])
@pytest.mark.parametrize("strategy", ["random", "grid"])
def test_stopped_study_is_resumed_exactly(lab, strategy, cut):
    """Fault: stopped at 15 of 30 and made again, a sampler repeated all 15 configurations."""
    space = SPACE if strategy == "random" else SearchSpace((Int("n", 1, 9), Int("m", 1, 9)))
    changes = {"strategy": strategy, "space": space, "budget": 30}
    whole = lab.study(score_n, name="whole", **changes)
    whole.run()

    study = lab.study(score_n, name="cut", **changes)
    study.run(on_job_finished=lambda job: job.job.trial_id == cut and study.stop())
    finished = lab.rows("SELECT trial, attempt FROM job WHERE state = 'completed' AND study = 2")
    assert len(finished) == cut
    study.close()

    again = lab.study(score_n, name="cut", **changes)
    again.run()
    assert configurations(again) == configurations(whole)
    assert len({tuple(values.values()) for values in configurations(again)}) == 30


def score_n(configuration):
    return configuration["n"]


def test_lost_jobs_run_again_with_the_same_configuration_and_finished_ones_do_not(lab, listener):
    job = lab.sh("echo $1 >> ran; report $1; [ $1 -le 2 -o -e go ] || exec sleep 60")
    study = lab.study(job, workers=3, budget=8, observers=[listener], grace=0)
    study.start()
    listener.wait_for(JobReported, 5)
    study.stop()
    study.close()
    (lab.folder / "go").touch()
    result = lab.study(job, workers=3, budget=8, grace=0).run()
    ran = sorted((lab.folder / "ran").read_text().split(), key=int)
    assert ran == ["1", "2", "3", "3", "4", "4", "5", "5", "6", "7", "8"]
    assert [trial.value for trial in result.trials] == list(range(1, 9))
    jobs = "SELECT trial, attempt, state, reason FROM job WHERE trial = 3 ORDER BY attempt"
    assert lab.rows(jobs) == [(3, 1, "lost", "stopped"), (3, 2, "completed", "")]


def test_a_trial_that_was_to_be_retried_is_retried_after_the_restart(lab):
    calls = []

    def fails_first(configuration):
        calls.append(configuration["x"])
        if calls.count(configuration["x"]) == 1:
            raise RuntimeError("no luck")
        return 1.0

    study = lab.study(fails_first, retries=1, budget=4)
    study.run(on_job_finished=lambda finished: study.stop())
    study.close()
    result = lab.study(fails_first, retries=1, budget=4).run()
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETED] * 2
    assert calls == [1, 1, 2, 2]


def test_a_restart_grants_no_more_retries_than_there_are(lab):
    def fails(configuration):
        raise RuntimeError("no luck")

    study = lab.study(fails, retries=1, budget=Budget(trials=1))
    study.run(on_job_finished=lambda finished: study.stop())
    study.close()
    result = lab.study(fails, retries=1, budget=Budget(trials=1)).run()
    assert [trial.state for trial in result.trials] == [TrialState.FAILED]
    states = lab.rows("SELECT state FROM job WHERE state != 'lost'")
    assert states == [("failed",)] * 2


class Counts(BaseStrategy):
    """A strategy with its own state: how many it has started, kept in what it saves."""

    def __init__(self):
        self.count = 0
        self.restored = None

    def ask(self, trial_id, /):
        self.count += 1
        return Start(Configuration(x=self.count * 10), notes={"count": self.count})

    def save_state(self):
        return {"count": self.count}

    def restore(self, history, saved, /):
        self.restored = (len(history), saved)
        self.count = saved.state["count"]


def test_a_strategy_is_restored_from_its_history_and_its_last_saved_state(lab):
    def loss(configuration):
        return configuration["x"]

    study = lab.study(loss, strategy=Counts(), budget=6)
    study.run(on_job_finished=lambda job: job.job.trial_id == 3 and study.stop())
    study.close()
    strategy = Counts()
    result = lab.study(loss, strategy=strategy, budget=6).run()
    assert [trial.configuration["x"] for trial in result.trials] == [10, 20, 30, 40, 50, 60]
    length, saved = strategy.restored
    assert length == 7, "four asked, three told"
    assert saved == hpo_core.plugin.SavedState({"count": 4}, events=7)


def test_a_new_strategy_is_not_restored_when_there_is_nothing_to_restore(lab):
    strategy = Counts()
    lab.study(score_x, strategy=strategy, budget=1).run()
    assert strategy.restored is None


def score_x(configuration):
    return configuration["x"]


# -- killed ---------------------------------------------------------------------------------

CONTROLLER = """
import os, signal, sys
import hpo_core.plugin
from hpo_core import *
from hpo_core.plugin import *

def die():
    if "HOLD" in os.environ:
        print("up", flush=True)
        input()
    os.kill(os.getpid(), signal.SIGKILL)

class Ones(BaseStrategy):
    "Starts 1, 2, 3, ...; where it is told to, it dies with its controller."

    def __init__(self, point=None, at=0):
        self.point, self.at = point, at

    def ask(self, trial_id, /):
        self._reach("ask", trial_id)
        return Start(Configuration(x=trial_id))

    def tell(self, report, /):
        self._reach("final" if report.is_final else "report", report.trial_id)
        return super().tell(report)

    def save_state(self):
        self._reach("save_state", self.asked)
        return None

    def observe(self, event, /):
        match event:
            case JobStarted():
                self._reach("started", event.job.trial_id)
            case JobFinished():
                self._reach("finished", event.finished.job.trial_id)

    def _reach(self, point, trial_id):
        self.asked = trial_id
        if (point, trial_id) == (self.point, self.at):
            die()

def config(folder, command):
    return StudyConfig(
        name="s", seed=7, workers=2, strategy=PluginChoice("none"),
        objectives=(Objective("loss", "minimize"),),
        job=JobSettings(command=command, directory=folder, grace=0),
        space=SearchSpace((Int("x", 1, 100),)),
        budget=Budget(jobs=8, iterations=100),
    )

def optimizer(folder, command, *point):
    strategy = Ones(*point)
    return HyperParameterOptimizer(
        config(folder, command), store=os.path.join(folder, "hpo.db"), strategy=strategy,
        observers=[strategy],
    )

if __name__ == "__main__":
    import killed_controller
    folder, point, at, *command = sys.argv[1:]
    killed_controller.optimizer(folder, tuple(command), point, int(at)).run()
"""


@pytest.fixture
def controller(lab, monkeypatch):
    """A module that runs a study in this process, or in another one that it kills."""
    (lab.folder / "killed_controller.py").write_text(textwrap.dedent(CONTROLLER))
    monkeypatch.syspath_prepend(lab.folder)
    monkeypatch.delitem(sys.modules, "killed_controller", raising=False)
    return importlib.import_module("killed_controller")


def arguments(lab, command, point, at):
    script = str(lab.folder / "killed_controller.py")
    return [sys.executable, script, str(lab.folder), point, str(at), *command]


POINTS = ["ask", "save_state", "started", "report", "final", "finished"]


@pytest.mark.parametrize("at", [1, 4, 8])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_no_finished_job_is_lost_and_none_runs_twice(
    lab, controller, point, at
):
    command = lab.sh("report $1 1; report $1 2; report $1 3; echo $1 >> done")
    died = subprocess.run(arguments(lab, command, point, at), timeout=30)
    assert died.returncode == -9
    kept = lab.rows("SELECT trial, attempt, metrics FROM job WHERE state = 'completed'")

    with controller.optimizer(str(lab.folder), tuple(command)) as study:
        result = study.run()
        usage = study.usage
    assert [trial.configuration["x"] for trial in result.trials] == list(range(1, 9))
    assert {trial.state for trial in result.trials} == {TrialState.COMPLETED}
    completed = lab.rows("SELECT trial, attempt, metrics FROM job WHERE state = 'completed'")
    assert set(kept) <= set(completed)
    assert len(completed) == 8
    lost = lab.rows("SELECT trial FROM job WHERE state != 'completed'")
    assert len(lost) <= 2, "no more than were running"
    ran = (lab.folder / "done").read_text().split()
    assert all(ran.count(str(trial)) == 1 for trial, _, _ in kept), "a finished job ran again"
    assert usage.jobs == 8
    assert usage.iterations == 24 == result.usage.iterations


def test_what_a_killed_controller_left_running_is_taken_over(lab, controller, processes):
    os.mkfifo(lab.folder / "go")
    command = lab.sh("echo $1 >> began; [ $1 -le 2 ] && read line < go; report $1 1; report $1 2")
    subprocess.run(arguments(lab, command, "started", 2), timeout=30)
    assert processes(lab.uid()), "its jobs outlive it"
    go = os.open(lab.folder / "go", os.O_RDWR)
    with controller.optimizer(str(lab.folder), tuple(command)) as study:
        study.start()
        os.write(go, b"\n\n")
        study.wait()
        result = study.result()
    os.close(go)
    assert processes(lab.uid()) == []
    assert {trial.state for trial in result.trials} == {TrialState.COMPLETED}
    assert lab.rows("SELECT count(*) FROM job WHERE state = 'completed'") == [(8,)]
    assert lab.rows("SELECT count(*) FROM job") == [(8,)], "none of them is lost"
    assert sorted((lab.folder / "began").read_text().split(), key=int) == list("12345678")
    assert result.usage.iterations == 16


def test_what_is_left_of_a_killed_controller_and_is_to_run_no_more_is_ended(
    lab, controller, processes
):
    """Its supervisor is killed too: then nobody knows how its jobs end, and they are run again."""
    command = lab.sh("echo $1 >> began; [ -e go ] && { report $1; exit; }; sleep 60 & sleep 60")
    subprocess.run(arguments(lab, command, "started", 2), timeout=30)
    (journal,) = lab.files().glob("backend-*/*")
    with journal.open("rb") as file:
        supervisor = json.loads(file.readline())[1]
    end = watch_exit(supervisor)
    os.kill(supervisor, signal.SIGKILL)
    select.select([end], [], [])
    end.close()
    assert processes(lab.uid()), "its jobs outlive it"
    (lab.folder / "go").touch()
    with controller.optimizer(str(lab.folder), tuple(command)) as study:
        result = study.run()
    assert processes(lab.uid()) == []
    assert {trial.state for trial in result.trials} == {TrialState.COMPLETED}
    assert lab.rows("SELECT trial, attempt, reason FROM job WHERE state = 'lost'") == [
        (1, 1, "its controller died"),
        (2, 1, "its controller died"),
    ]


def test_what_a_lost_job_used_counts_in_the_next_session_and_is_what_is_stored(lab, controller):
    command = lab.sh("report $1 1; report $1 2; report $1 3")
    subprocess.run(arguments(lab, command, "finished", 3), timeout=30)
    seen = []
    study = controller.optimizer(str(lab.folder), tuple(command))
    with study:
        study.run(on_job_finished=lambda job: seen.append(study.usage))
        assert study.usage.iterations == seen[-1].iterations == 24
        assert study.usage.compute_time == pytest.approx(seen[-1].compute_time, abs=1e-5)


# -- one controller at a time ---------------------------------------------------------------


def test_a_second_controller_is_refused_while_the_first_lives(lab, listener):
    command = lab.sh("exec sleep 60")
    first = lab.study(command, observers=[listener], grace=0)
    second = lab.study(command, grace=0)
    first.start()
    listener.wait_for(JobStarted)
    with pytest.raises(
        StudyRunning, match=rf"'s' is being run by process {os.getpid()};.*hpo stop"
    ):
        second.start()
    assert not second.is_running
    assert first.is_running
    first.stop()
    second.start()
    second.stop()


def test_a_second_controller_may_look_while_the_first_runs(lab):
    second = lab.study(score_x, budget=4)
    seen = []
    first = lab.study(score_x, budget=4)
    first.run(on_job_finished=lambda job: seen.append(len(second.top(9))))
    assert seen == [1, 2, 3, 4]


def test_one_in_another_process_is_refused_and_comes_on_after_a_kill(lab, controller):
    """Fault: a heartbeat that is late kills a live process; here the kernel holds the lock."""
    os.mkfifo(lab.folder / "go")
    command = lab.sh("[ $1 = 1 ] && read line < go; report $1")
    holder = subprocess.Popen(
        arguments(lab, command, "started", 1),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "HOLD": "yes"},
        text=True,
    )
    with holder:
        try:
            assert holder.stdout.readline() == "up\n"
            study = controller.optimizer(str(lab.folder), tuple(command))
            with study:
                with pytest.raises(StudyRunning, match=f"by process {holder.pid}"):
                    study.start()
                holder.kill()
                holder.wait()
                (lab.folder / "go").open("w").close()
                assert len(study.run().trials) == 8
        finally:
            holder.kill()


# -- changed --------------------------------------------------------------------------------


def test_a_changed_configuration_is_an_error_that_lists_the_differences(lab):
    lab.study(score_x, budget=3).run()
    with pytest.raises(StudyChanged) as caught:
        lab.study(score_x, budget=5, workers=2, objectives=(Objective("loss", "maximize"),))
    said = str(caught.value).split("\n")
    assert said[0] == (
        "the study 's' is in the store with another configuration (stored -> given):"
    )
    assert sorted(said[1:-1]) == [
        "  budget.jobs: 3 -> 5",
        '  objectives[0].direction: "minimize" -> "maximize"',
        "  workers: 1 -> 2",
    ]
    assert "hpo extend s" in said[-1]


def test_a_study_that_was_never_begun_takes_another_configuration_and_says_so(lab, caplog):
    """What its strategy refuses when it is built is mended in the file, and the study is run."""
    refused = lab.study(score_x, strategy="random", budget=3, enqueue=({"x": 2},))
    refused.close()
    mended = lab.study(score_x, strategy="grid", budget=2, enqueue=({"x": 3}, {"x": 4}))
    assert "the study 's' was never started; it takes the new configuration" in caplog.text
    result = mended.run()
    assert [trial.configuration["x"] for trial in result.trials] == [3, 4]
    with pytest.raises(StudyChanged):
        lab.study(score_x, strategy="random", budget=2)


def test_a_study_that_was_never_begun_keeps_what_was_enqueued_from_elsewhere(lab):
    with Store(lab.store) as store:
        first = lab.study(score_x, strategy="random", budget=3)
        store.enqueue(store.study("s").id, Configuration(x=7))
    first.close()
    with pytest.raises(StudyChanged):
        lab.study(score_x, strategy="grid", budget=3)
    trials = lab.study(score_x, strategy="random", budget=3).run().trials
    assert trials[0].configuration == {"x": 7}


def test_another_strategy_is_a_change(lab):
    lab.study(score_x, strategy=Counts(), budget=3).run()
    with pytest.raises(StudyChanged, match=r'strategy.name: "instance of .*Counts" -> "random"'):
        lab.study(score_x, strategy="random", budget=3)


def test_a_strategy_of_another_version_is_remarked(lab, caplog):
    study = lab.study(score_x, strategy="random", budget=5)
    study.run(on_job_finished=lambda job: study.stop())
    study.close()
    lab.change("UPDATE study SET plugins = replace(plugins, '0.1.0', '0.0.9')")
    assert lab.study(score_x, strategy="random", budget=5).run().state is StudyState.FINISHED
    assert "the strategy 'random' was hpo-random-search 0.0.9 when the study began" in caplog.text


def test_a_finished_study_is_extended_with_a_larger_budget(lab):
    lab.study(score_x, strategy="random", budget=3).run()
    with Store(lab.store) as store:
        study = store.study("s")
        larger = msgspec.structs.replace(from_json(study.config), budget=Budget(jobs=6))
        store.extend(study, to_json(larger))
    result = lab.study(score_x, strategy="random", budget=6).run()
    assert [trial.trial_id for trial in result.trials] == [1, 2, 3, 4, 5, 6]
    assert len({trial.configuration["x"] for trial in result.trials}) == 6
