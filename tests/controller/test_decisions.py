"""Decisions of a strategy about running and paused trials are carried out: STOP, PAUSE, Resume."""

import json
from pathlib import Path

import pytest

import hpo_core.plugin
from hpo_core import Budget, Configuration, JobInfo, StudyState, TrialState
from hpo_core.plugin import BaseStrategy, Decision, JobFinished, Resume, Start, Status, Wait


class Halving(BaseStrategy):
    """Successive halving: 9 trials to iteration 1, the best 3 of them to 3, the best one to 9.

    Args:
        pauses: Whether it pauses trials at a rung, or takes completed ones up again.
    """

    rungs = ((9, 1), (3, 3), (1, 9))

    def __init__(self, pauses=True):
        self._pauses = pauses
        self._rung = 0
        self._to_run = [None] * 9
        self._results = {}
        self.told = []

    def ask(self, trial_id, /):
        if not self._to_run:
            return Wait() if self._rung < len(self.rungs) else hpo_core.plugin.Exhausted()
        target = self.rungs[self._rung][1]
        chosen = self._to_run.pop()
        if chosen is None:
            return Start(Configuration(x=trial_id), iterations=target, notes={"rung": 0})
        return Resume(chosen, iterations=target, notes={"rung": self._rung})

    def tell(self, report, /):
        if not report.is_final:
            return Decision.CONTINUE
        self.told.append((report.trial_id, report.job_id, report.iteration))
        self._results[report.trial_id] = report.losses
        is_last = self._rung == len(self.rungs) - 1
        if len(self._results) == self.rungs[self._rung][0]:
            ranked = sorted(self._results, key=self._results.get)
            self._rung += 1
            if not is_last:
                self._to_run = ranked[: self.rungs[self._rung][0]]
            self._results = {}
        return Decision.PAUSE if self._pauses and not is_last else Decision.CONTINUE


def trains_from_checkpoint(configuration, job: JobInfo):
    """Does one unit of work an iteration, and never again what its checkpoint has."""
    checkpoint = Path(job.checkpoint_dir) / "state.json"
    done = json.loads(checkpoint.read_text()) if checkpoint.exists() else []
    for iteration in range(len(done) + 1, job.iterations + 1):
        done.append(iteration)
        checkpoint.write_text(json.dumps(done))
        hpo_core.report(iteration, loss=abs(configuration["x"] - 4) + 1 / iteration)


@pytest.mark.parametrize("pauses", [True, False])
def test_successive_halving_promotes_the_best_from_their_checkpoints(lab, pauses):
    study = lab.study(trains_from_checkpoint, strategy=Halving(pauses), max_iterations=9)
    result = study.run()
    assert result.state is StudyState.FINISHED
    assert (result.best.trial_id, result.best.iteration) == (4, 9)
    reached = {trial.trial_id: trial.iteration for trial in result.trials}
    assert reached == {1: 1, 2: 1, 3: 3, 4: 9, 5: 3, 6: 1, 7: 1, 8: 1, 9: 1}
    assert result.usage.iterations == 9 * 1 + 3 * 2 + 6, "no iteration is done or counted twice"
    assert (result.usage.trials, result.usage.jobs) == (9, 13)
    left = TrialState.PAUSED if pauses else TrialState.COMPLETED
    assert {t.state for t in result.trials if t.trial_id != 4} == {left}
    jobs = lab.rows("SELECT attempt, target, iteration FROM job WHERE trial = 4 ORDER BY attempt")
    assert jobs == [(1, 1, 1), (2, 3, 3), (3, 9, 9)]


def lower_is_better(configuration, job: JobInfo):
    hpo_core.report(job.iterations, loss=float(configuration["x"]))


class Promoting(BaseStrategy):
    """Starts trials to iteration 1, and whenever three have ended there, promotes the best to 3.

    Args:
        listens: Whether it can be told that there are no more trials.
    """

    def __init__(self, listens):
        self._waiting = {}
        self._running = 0
        self._may_start = True
        if listens:
            self.no_more_trials = self._stop_starting

    def _stop_starting(self):
        self._may_start = False

    def ask(self, trial_id, /):
        if len(self._waiting) >= 3:
            best = min(self._waiting, key=self._waiting.get)
            self._waiting = {}
            self._running += 1
            return Resume(best, iterations=3)
        if not self._may_start:
            return Wait() if self._running else hpo_core.plugin.Exhausted()
        self._running += 1
        return Start(Configuration(x=trial_id), iterations=1)

    def tell(self, report, /):
        if not report.is_final:
            return Decision.CONTINUE
        self._running -= 1
        if report.iteration == 1:
            self._waiting[report.trial_id] = report.losses
            return Decision.PAUSE
        return Decision.CONTINUE


@pytest.mark.parametrize(("listens", "promoted"), [(True, [1, 4]), (False, [1])])
def test_a_strategy_told_that_there_are_no_more_trials_still_promotes(lab, listens, promoted):
    study = lab.study(
        lower_is_better,
        strategy=Promoting(listens),
        max_iterations=3,
        workers=4,
        budget=Budget(trials=6),
    )
    result = study.run()
    assert [trial.trial_id for trial in result.trials if trial.iteration == 3] == promoted
    assert len(result.trials) == 6
    assert result.reason == "all 6 trials of its budget have run"


def test_paused_trials_are_counted_until_they_are_carried_on(lab, listener):
    lab.study(
        lower_is_better, strategy=Promoting(True), max_iterations=3, workers=1,
        budget=Budget(trials=6), observers=[listener],
    ).run()  # fmt: skip
    ended = listener.of(JobFinished)
    assert [event.progress.paused for event in ended] == [1, 2, 3, 2, 3, 4, 5, 4]
    again = lab.study(
        lower_is_better, strategy=Promoting(True), max_iterations=3, workers=1,
        budget=Budget(trials=6), observers=[listener],
    )  # fmt: skip
    assert again.state is StudyState.FINISHED
    assert lab.rows("SELECT count(*) FROM trial WHERE state = 'paused'") == [(4,)]


def test_it_promotes_alike_on_worker_processes(lab):
    source = Path(__file__).read_text()
    body = source[source.index("def trains_from") : source.index("@pytest.mark")]
    head = "import json\nfrom pathlib import Path\nimport hpo_core\nfrom hpo_core import JobInfo\n"
    function = lab.module(head + body.replace("trains_from_checkpoint", "fit"))
    study = lab.study(function, strategy=Halving(), workers=3, max_iterations=9)
    result = study.run()
    assert (result.best.trial_id, result.best.iteration) == (4, 9)
    assert result.usage.iterations == 21


def test_a_trial_that_is_completed_twice_counts_once(lab):
    study = lab.study(
        trains_from_checkpoint,
        strategy=Halving(pauses=False),
        max_iterations=9,
        budget=Budget(jobs=10, count="completed"),
    )
    counts = []
    result = study.run(on_job_finished=lambda job: counts.append(study.usage.jobs))
    assert result.reason == "the strategy has nothing more to try"
    assert (result.usage.jobs, max(counts)) == (9, 9)


@pytest.mark.parametrize("cut", range(1, 13))
def test_promotions_go_on_after_a_restart_at_any_job(lab, cut):
    first = Halving()
    study = lab.study(trains_from_checkpoint, strategy=first, max_iterations=9, budget=100)
    count = []

    def stop(finished):
        count.append(finished)
        if len(count) == cut:
            study.stop()

    study.run(on_job_finished=stop)
    assert study.state is StudyState.INTERRUPTED
    study.close()
    second = Halving()
    result = lab.study(trains_from_checkpoint, strategy=second, max_iterations=9, budget=100).run()
    assert (result.best.trial_id, result.best.iteration) == (4, 9)
    assert result.usage.iterations == 21
    assert len(second.told) == 13, "what the first was told, and the rest"
    assert second.told[: len(first.told)] == first.told


class FailsOnPromotion:
    """Trains from its checkpoint; trial 4's promotion to iteration 3 fails at first."""

    __name__ = "work"

    def __init__(self):
        self.failed = False

    def __call__(self, configuration, job: JobInfo):
        if job.id == "4.2" and not self.failed:
            self.failed = True
            hpo_core.report(2, loss=-99.0)
            raise RuntimeError("no luck")
        trains_from_checkpoint(configuration, job)


@pytest.mark.parametrize("is_restarted", [False, True])
def test_retried_promotion_continues_from_the_earlier_result(lab, is_restarted):
    """What the failed job said is forgotten, and what the trial had before it is not."""
    work = FailsOnPromotion()
    settings = {
        "max_iterations": 9,
        "retries": 1,
        "objectives": (hpo_core.Objective("loss", "minimize", "best"),),
    }
    study = lab.study(work, strategy=Halving(), **settings)
    if is_restarted:
        study.run(on_job_finished=lambda job: job.job.id == "4.2" and study.stop())
        study.close()
        study = lab.study(work, strategy=Halving(), **settings)
    result = study.run()
    assert result.best.trial_id == 4
    assert result.best.value == pytest.approx(1 / 9)
    assert result.usage.iterations == 21 + 1, "the failed job's own is counted too"
    query = "SELECT state, iterations FROM job WHERE trial = 4 AND state != 'lost'"
    assert lab.rows(query) == [("completed", 1), ("failed", 1), ("completed", 2), ("completed", 6)]


class StopsBad(BaseStrategy):
    """Stops what is worse than 10 at iteration 3."""

    def __init__(self, decision=Decision.STOP):
        self.decision = decision
        self.told = []

    def ask(self, trial_id, /):
        return Start(Configuration(x=trial_id * 6))

    def tell(self, report, /):
        self.told.append(report)
        bad = report.status is Status.RUNNING and report.iteration >= 3 and report.losses[0] > 10
        return self.decision if bad else Decision.CONTINUE


LONG = """
import hpo_core.plugin

def fit(configuration):
    try:
        for iteration in range(1, 8):
            hpo_core.report(iteration, loss=configuration["x"])
    finally:
        with open(f"ended-{configuration['x']}", "w") as file:
            file.write(str(iteration))
"""


def test_a_stopped_function_ends_at_that_very_report_and_cleans_up(lab):
    strategy = StopsBad()
    result = lab.study(lab.module(LONG), strategy=strategy, workers=2, budget=4).run()
    states = [(trial.state.value, trial.iteration) for trial in result.trials]
    assert states == [("completed", 7), ("stopped", 3), ("stopped", 3), ("stopped", 3)]
    assert (lab.folder / "ended-12").read_text() == "3"
    assert result.trials[1].reason == "stopped by the strategy"
    finals = {r.trial_id: r.status for r in strategy.told if r.is_final}
    assert finals == {
        1: Status.COMPLETED, 2: Status.STOPPED, 3: Status.STOPPED, 4: Status.STOPPED,
    }  # fmt: skip
    assert result.usage.iterations == 7 + 3 * 3


def test_a_stopped_command_gets_sigterm_and_what_it_says_after_that_counts_no_more(lab):
    job = lab.sh("""
        trap 'report 0 9; touch terminated; exit 0' TERM
        report $1 3
        if [ $1 -gt 10 ]; then while :; do sleep 0.05; done; fi
    """)
    strategy = StopsBad()
    result = lab.study(job, strategy=strategy, budget=2).run()
    assert [trial.state.value for trial in result.trials] == ["completed", "stopped"]
    assert (result.trials[1].iteration, result.trials[1].losses) == (3, (12.0,))
    assert (lab.folder / "terminated").exists()


def test_a_paused_trial_stays_paused_if_nothing_resumes_it(lab):
    strategy = StopsBad(Decision.PAUSE)
    result = lab.study(lab.module(LONG), strategy=strategy, budget=2).run()
    assert [trial.state.value for trial in result.trials] == ["completed", "paused"]
    assert strategy.told[-1].status is Status.PAUSED


def test_each_trial_gets_exactly_one_final_report_whatever_becomes_of_it(lab):
    job = lab.sh("""
        case $(($1 % 4)) in
            0) report 1 1; exit 1;; 2) report 99 3; exec sleep 60;; *) report 1 1;;
        esac
    """)
    strategy = StopsBad()
    lab.study(job, strategy=strategy, workers=3, retries=1, grace=0, budget=30).run()
    finals = [report.trial_id for report in strategy.told if report.is_final]
    assert sorted(finals) == list(range(1, max(finals) + 1))
    assert len(finals) == lab.rows("SELECT count(*) FROM trial")[0][0]


def test_a_strategy_sees_losses_lower_is_better_and_failures_without_any(lab):
    strategy = StopsBad()

    def train(configuration):
        if configuration["x"] == 6:
            hpo_core.report(1, loss=2.0)
            raise RuntimeError("no luck")
        return 5.0

    objectives = (hpo_core.Objective("loss", "maximize"),)
    lab.study(train, strategy=strategy, objectives=objectives, budget=2).run()
    assert [(r.trial_id, r.status.value, r.losses) for r in strategy.told] == [
        (1, "running", (-2.0,)),
        (1, "failed", None),
        (2, "completed", (-5.0,)),
    ]
