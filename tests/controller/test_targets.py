"""Jobs that report beyond their target, in larger steps, or the final metric late."""

import logging
import signal
import subprocess
import sys

import msgspec
import pytest

import hpo_core.plugin
from hpo_core import (
    Configuration,
    Constraint,
    JobInfo,
    JobState,
    StudyState,
    TrialState,
    load_study,
)
from hpo_core.config import to_json
from hpo_core.controller.run.pending_trial import PendingTrial
from hpo_core.controller.run.running_job import RunningJob
from hpo_core.controller.run.targets import Target
from hpo_core.plugin import (
    BaseStrategy,
    Capability,
    Decision,
    Finished,
    Job,
    Outcome,
    Resume,
    Start,
    Status,
)


class Recorder(BaseStrategy):
    """Starts x = 1, 2, 3, …, keeps what it is told, and decides the same on every report.

    Args:
        decision: What it answers.
        iterations: How far it trains its trials; None for as far as the study lets them.
    """

    capabilities = frozenset({Capability.STOPPING, Capability.INTEGERS})

    def __init__(self, decision=Decision.CONTINUE, iterations=None):
        self._decision = decision
        self._iterations = iterations
        self.told = []

    def ask(self, trial_id, /):
        return Start(Configuration(x=trial_id), self._iterations)

    def tell(self, report, /):
        self.told.append(report)
        return self._decision

    def heard(self, metric="loss"):
        """Return the iteration and the value of each report of a metric."""
        return [(one.iteration, one.metrics[metric]) for one in self.told if metric in one.metrics]


def only_trial(study):
    (trial,) = study.run().trials
    return trial


def reported(lab):
    """Return the iterations and the metrics of all running reports, as they are stored."""
    return lab.rows("SELECT iteration, metrics FROM log WHERE kind = 'running' ORDER BY seq")


def steps(configuration):
    """Counts optimizer steps."""
    for step in (100, 200):
        hpo_core.report(step, loss=1.0 / step)


def every_fourth(configuration):
    """Trains on every epoch, and validates on every fourth."""
    for epoch in range(1, 13):
        hpo_core.report(epoch, train=1.0 / epoch)
        if epoch % 4 == 0:
            hpo_core.report(epoch, loss=configuration["x"] + 1.0 / epoch)


def one_late(configuration):
    """Trains to its target, and reports the objective one iteration later."""
    for epoch in range(1, 10):
        hpo_core.report(epoch, train=1.0)
    hpo_core.report(10, loss=float(configuration["x"]))


# -- what counts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("job", "heard"),
    [
        (steps, [(9, 1 / 100)]),
        (every_fourth, [(4, 1 + 1 / 4), (8, 1 + 1 / 8), (9, 1 + 1 / 12)]),
        (one_late, [(9, 1.0)]),
    ],
)
def test_the_first_value_at_or_beyond_the_target_is_the_target_s(lab, job, heard):
    strategy = Recorder()
    study = lab.study(job, strategy=strategy, max_iterations=9, budget=1)
    trial = only_trial(study)
    assert trial.state is TrialState.COMPLETED
    assert strategy.heard() == heard
    assert trial.value == heard[-1][1]
    assert study.usage.iterations == 9, "budgets count up to the target"


def test_iterations_are_stored_as_they_were_reported(lab):
    study = lab.study(steps, max_iterations=9, budget=1)
    assert only_trial(study).iteration == 100
    assert reported(lab) == [(100, '{"loss":0.01}')]
    assert load_study(lab.store, "s").replay(strategy=Recorder()).is_as_stored


def test_each_metric_has_its_own_first_value_until_the_job_ends(lab):
    """Here it is asked to end when it reports its loss again, and reports `size` on its way out."""
    job = lab.sh("""
        say() { echo "{\\"iteration\\": $1, \\"$2\\": $3}" > /dev/fd/$HPO_REPORT_FD; }
        trap 'say 12 size 7; exit 1' TERM
        say 9 loss 5; say 10 loss 4; say 10 speed 3; say 11 speed 2
        sleep 60 & wait
    """)
    trial = only_trial(lab.study(job, max_iterations=9, budget=1))
    assert (trial.state, trial.value) == (TrialState.COMPLETED, 5.0)
    assert trial.metrics == {"loss": 5.0, "speed": 3.0, "size": 7.0}
    assert trial.reason == "ended by its limit of 9 iterations"


def test_a_job_beyond_the_maximum_is_warned_of_once_in_a_run(lab, caplog):
    lab.study(steps, max_iterations=9, budget=3).run()
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "job 1.1 reported iteration 100, but max_iterations is 9" in warning.getMessage()
    assert "optimizer steps" in warning.getMessage()


def test_job_beyond_a_lower_target_gives_no_warning(lab, caplog):
    strategy = Recorder(iterations=3)
    study = lab.study(every_fourth, strategy=strategy, max_iterations=12, budget=1)
    assert only_trial(study).value == 1 + 1 / 4
    assert strategy.heard() == [(3, 1 + 1 / 4)]
    assert caplog.records == []


# -- decisions at the target ----------------------------------------------------------------


@pytest.mark.parametrize("decision", [Decision.STOP, Decision.PAUSE])
def test_a_job_at_its_trial_s_last_target_is_completed_whatever_the_decision(lab, decision):
    def trains(configuration):
        hpo_core.report(9, loss=1.0)

    trial = only_trial(lab.study(trains, strategy=Recorder(decision), max_iterations=9, budget=1))
    assert (trial.state, trial.reason) == (TrialState.COMPLETED, "")


@pytest.mark.parametrize(
    ("decision", "state"),
    [(Decision.STOP, TrialState.STOPPED), (Decision.PAUSE, TrialState.PAUSED)],
)
def test_a_decision_at_a_lower_rung_stays(lab, decision, state):
    def trains(configuration):
        for iteration in range(1, 10):
            hpo_core.report(iteration, loss=1.0)

    strategy = Recorder(decision, iterations=3)
    strategy.capabilities = frozenset(Capability)
    study = lab.study(trains, strategy=strategy, min_iterations=3, max_iterations=9, budget=1)
    assert only_trial(study).state is state


# -- strategies with rungs ------------------------------------------------------------------

EARLY_STOPPING = {
    "asha": ("asha", {}),
    "asha stopping": ("asha", {"type": "stopping"}),
    "hyperband": ("asha:hyperband", {}),
    "sha": ("asha:sha", {}),
    "bohb": ("bohb", {}),
    "median": ("optuna:tpe", {"pruner": "median"}),
    "Optuna's asha": ("optuna:tpe", {"pruner": "asha"}),
    "Optuna's hyperband": ("optuna:tpe", {"pruner": "hyperband"}),
}


@pytest.fixture(params=EARLY_STOPPING)
def early_stopping(request):
    name, options = EARLY_STOPPING[request.param]
    return hpo_core.config.PluginChoice(name, options)


@pytest.mark.parametrize("job", [steps, every_fourth, one_late])
def test_no_trial_fails_of_a_job_that_counts_as_it_can(lab, early_stopping, job):
    config = lab.config(job, name="early", max_iterations=9, budget=30, workers=4)
    config = msgspec.structs.replace(config, strategy=early_stopping)
    optimizer = hpo_core.HyperParameterOptimizer(config, store=lab.store, function=job)
    lab.opened.append(optimizer)
    result = optimizer.run()
    assert {trial.state for trial in result.trials} <= {
        TrialState.COMPLETED,
        TrialState.PAUSED,
        TrialState.STOPPED,
    }
    assert result.usage.iterations <= 9 * len(result.trials)
    assert load_study(lab.store, "early").replay().is_as_stored


def test_a_resumed_trial_counts_on_from_the_target_that_it_had_reached(lab):
    class Once(Recorder):
        capabilities = frozenset(Capability)

        def ask(self, trial_id, /):
            if self.told and self.told[-1].iteration == 6:
                return hpo_core.plugin.Exhausted()
            return Resume(1, 6) if self.told else Start(Configuration(x=1), 2)

        def tell(self, report, /):
            super().tell(report)
            is_first = report.is_final and report.iteration == 2
            return Decision.PAUSE if is_first else Decision.CONTINUE

    def by_fours(configuration, job: JobInfo):
        for epoch in (4, 8):
            hpo_core.report(epoch, loss=1.0 / epoch)

    strategy = Once()
    study = lab.study(by_fours, strategy=strategy, max_iterations=9)
    result = study.run()
    assert result.state is StudyState.FINISHED
    assert result.usage.iterations == 6
    assert strategy.heard() == [(2, 1 / 4), (4, 1 / 4), (6, 1 / 8)]


DIES = """
import os, signal, sys
from hpo_core import HyperParameterOptimizer
from hpo_core.plugin import JobReported
from hpo_core.config import from_json

class Dies:
    left = int(sys.argv[3])

    def observe(self, event, /):
        self.left -= isinstance(event, JobReported)  # it is recorded by now
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)

HyperParameterOptimizer(from_json(sys.argv[1]), store=sys.argv[2], observers=[Dies()]).run()
"""


def test_adopting_controller_continues_from_the_recorded_values(lab):
    """Without knowing what had a value at the target, it would count the second one."""
    job = lab.sh("report 5 100; until [ -e go ]; do sleep 0.02; done; report 4 200")
    given = {"strategy": "random", "max_iterations": 9, "budget": 1}
    config = to_json(lab.config(job, **given))
    died = subprocess.run([sys.executable, "-c", DIES, config, lab.store, "1"], timeout=30)
    assert died.returncode == -signal.SIGKILL
    (lab.folder / "go").touch()
    study = lab.study(job, **given)
    trial = only_trial(study)
    assert (trial.state, trial.value, trial.iteration) == (TrialState.COMPLETED, 5.0, 100)
    assert study.usage.iterations == 9
    assert lab.rows("SELECT attempt, state FROM job") == [(1, "completed")]
    assert load_study(lab.store, "s").replay().is_as_stored


def left_by_a_dead_controller(lab, job, given, reports=1):
    """Run a study until a number of reports are recorded; then kill its controller."""
    config = to_json(lab.config(job, **given))
    command = [sys.executable, "-c", DIES, config, lab.store, str(reports)]
    assert subprocess.run(command, timeout=30).returncode == -signal.SIGKILL


def test_report_is_told_once_after_a_crash_behind_a_report_without_metrics(lab):
    """Those that count nothing are not recorded: the number of the others is too small then."""
    job = lab.sh(
        "report 3 9; report 5 30; "
        """echo '{"iteration": 4, "memory": 7}' > /dev/fd/$HPO_REPORT_FD; """
        "until [ -e go ]; do sleep 0.02; done; report 5 30; "
        """echo '{"iteration": 9, "memory": 8}' > /dev/fd/$HPO_REPORT_FD"""
    )
    given = {"strategy": "random", "max_iterations": 9, "budget": 1}
    given["constraints"] = (Constraint("memory", 9),)
    left_by_a_dead_controller(lab, job, given, reports=2)
    (lab.folder / "go").touch()
    trial = only_trial(lab.study(job, **given))
    assert (trial.state, trial.value) == (TrialState.COMPLETED, 3.0)
    told = lab.rows("SELECT iteration, metrics FROM log WHERE kind = 'running'")
    assert told == [(9, '{"loss":3.0}'), (4, '{"memory":7.0}'), (9, '{"memory":8.0}')]
    assert load_study(lab.store, "s").replay().is_as_stored


@pytest.mark.parametrize(("decision", "state"), [("stop", "stopped"), ("pause", "paused")])
def test_a_decision_that_was_recorded_and_not_carried_out_is_carried_out_on_adoption(
    lab, decision, state
):
    job = lab.sh("report 5 3; exec sleep 60")
    given = {"strategy": "random", "max_iterations": 9, "grace": 0, "budget": 1}
    left_by_a_dead_controller(lab, job, given)
    lab.change(f"UPDATE log SET decision = '{decision}'")  # as if it had died before it acted
    lab.study(job, **given).run()
    assert lab.rows("SELECT attempt, state, reason FROM job") == [
        (1, state, f"{state} by the strategy")
    ]


# -- time limits ----------------------------------------------------------------------------


def test_a_job_that_its_time_limit_ends_is_completed_with_what_it_reported(lab):
    job = lab.sh("report 5 3; exec sleep 60")
    trial = only_trial(lab.study(job, max_iterations=9, time_limit=0.3, grace=0, budget=1))
    assert (trial.state, trial.value) == (TrialState.COMPLETED, 5.0)
    assert trial.reason == (
        "ran longer than its limit of 0.3 s; what it reported up to iteration 3 counts"
    )
    assert lab.rows("SELECT state FROM job") == [("completed",)]


def test_on_time_limit_fail_times_it_out(lab):
    job = lab.sh("report 5 3; exec sleep 60")
    study = lab.study(job, time_limit=0.3, grace=0, on_time_limit="fail", budget=1)
    assert only_trial(study).state is TrialState.FAILED
    assert lab.rows("SELECT state, reason FROM job") == [
        ("timed_out", "ran longer than its limit of 0.3 s")
    ]


def test_the_silence_limit_always_times_out(lab):
    job = lab.sh("report 5 3; exec sleep 60")
    assert only_trial(lab.study(job, silence_limit=0.3, grace=0, budget=1)).state is (
        TrialState.FAILED
    )
    assert lab.rows("SELECT state FROM job") == [("timed_out",)]


@pytest.mark.parametrize(
    ("iterations", "compares", "told"),
    [
        (None, False, Status.COMPLETED),
        (9, False, Status.STOPPED),
        (None, True, Status.STOPPED),
    ],
)
def test_a_strategy_that_compares_at_targets_is_told_that_a_trial_stopped_short(
    lab, iterations, compares, told
):
    strategy = Recorder(iterations=iterations)
    strategy.compares_targets = compares
    study = lab.study(
        lab.sh("report 5 3; exec sleep 60"),
        strategy=strategy, max_iterations=9, time_limit=0.3, grace=0, budget=1,
    )  # fmt: skip
    trial = only_trial(study)
    assert trial.state is TrialState.COMPLETED
    last = strategy.told[-1]
    assert (last.status, last.iteration, last.losses) == (told, 3, (5.0,))
    assert load_study(lab.store, "s").replay(strategy=Recorder(iterations=iterations)).is_as_stored


@pytest.mark.parametrize(
    ("outcome", "setting", "reports", "state"),
    [
        (Outcome.TIMED_OUT, "complete", True, JobState.COMPLETED),
        (Outcome.TIMED_OUT, "complete", False, JobState.TIMED_OUT),
        (Outcome.TIMED_OUT, "fail", True, JobState.TIMED_OUT),
        (Outcome.SILENT, "complete", True, JobState.TIMED_OUT),
    ],
)
def test_a_limit_that_the_backend_enforces_ends_a_job_like_the_controller_s(
    outcome, setting, reports, state
):
    objectives = (hpo_core.Objective("loss", "minimize"),)
    trial = PendingTrial(1, Configuration(x=1), attempt=1, target=9, losses=(None,))
    job = Job(id="1.1", trial_id=1, name="j", configuration=trial.configuration, iterations=9)
    target = Target(9, most=9, wanted={"loss"}, is_final=True)
    flight = RunningJob(job, trial, 0.0, target)
    if reports:
        flight.count(objectives, 3, {"loss": 5.0})
    finished = Finished("1.1", 1.0, outcome, "ran longer than its limit of 1 s")
    found, reason, losses = flight.verdict(finished, objectives, (), setting)
    assert found is state
    assert reason.startswith("ran longer than its limit of 1 s")
    assert losses == ((5.0,) if state is JobState.COMPLETED else None)


def test_asha_never_promotes_a_trial_that_ended_before_its_rung(lab):
    """x = 1 is by far the best at its first iteration, where its time limit ends it."""
    job = lab.sh("""
        [ $1 = 1 ] && { report 0 1; exec sleep 60; }
        i=0; while [ $i -lt $HPO_ITERATIONS ]; do i=$((i+1)); report $1 $i; done
    """)
    strategy = hpo_core.config.PluginChoice("asha", {"eta": 2, "searcher": "grid"})
    config = lab.config(
        job, min_iterations=2, max_iterations=4, time_limit=0.5, grace=0, workers=2,
        space=hpo_core.SearchSpace((hpo_core.Int("x", 1, 4),)),
    )  # fmt: skip
    config = msgspec.structs.replace(config, strategy=strategy)
    optimizer = hpo_core.HyperParameterOptimizer(config, store=lab.store)
    lab.opened.append(optimizer)
    result = optimizer.run()
    first = next(trial for trial in result.trials if trial.configuration["x"] == 1)
    assert (first.state, first.value) == (TrialState.COMPLETED, 0.0)
    assert lab.rows("SELECT count(*) FROM job WHERE trial = ?", first.trial_id) == [(1,)]
    assert lab.rows("SELECT count(*) FROM log WHERE kind = 'resume'") != [(0,)]
    assert load_study(lab.store, "s").replay().is_as_stored


def test_bohb_does_not_learn_what_ended_before_the_target_as_a_result_there(lab):
    """An enqueued configuration has no target of bohb's own."""
    job = lab.sh("report 0 1; [ $1 = 1 ] && exec sleep 60; report 1 2")
    choice = hpo_core.config.PluginChoice("bohb:hyperband", {"resume": False, "eta": 2})
    config = lab.config(
        job, max_iterations=2, time_limit=0.5, grace=0, budget=3,
        space=hpo_core.SearchSpace((hpo_core.Int("x", 1, 9),)),
    )  # fmt: skip
    config = msgspec.structs.replace(config, strategy=choice, enqueue=({"x": 1},))
    optimizer = hpo_core.HyperParameterOptimizer(config, store=lab.store)
    lab.opened.append(optimizer)
    optimizer.run()
    assert lab.rows("SELECT state, iteration FROM job WHERE trial = 1") == [("completed", 1)]
    query = "SELECT kind, iteration FROM log WHERE trial = 1 ORDER BY seq"
    assert lab.rows(query)[-1] == ("stopped", 1)
    assert load_study(lab.store, "s").replay().is_as_stored
