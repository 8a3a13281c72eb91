"""Short jobs of a strategy that learns nothing from results are sent ahead of their turn."""

import pytest

from hpo_core import Budget, Configuration, TrialState
from hpo_core.plugin import Asked, BaseStrategy, Capability, Start, Told

QUICK = ["sh", "-c", "echo '{{\"loss\": {x}}}' >&3"]
SLOW = ["sh", "-c", "sleep 0.26; echo '{{\"loss\": {x}}}' >&3"]


class Numbered(BaseStrategy):
    """Suggests x = 1, 2, 3, …; its capabilities are given."""

    def __init__(self, *capabilities):
        self.capabilities = frozenset({Capability.INTEGERS, *capabilities})

    def ask(self, trial_id, /):
        return Start(Configuration(x=trial_id))


def most_ahead(optimizer):
    """Return the most trials that were suggested, and had not ended, at any moment."""
    store = optimizer._store
    open_trials, most = 0, 0
    for event in store.history(store.study(optimizer.name).id):
        match event:
            case Asked():
                open_trials += 1
            case Told(report) if report.is_final:
                open_trials -= 1
        most = max(most, open_trials)
    return most


def run(optimizer):
    optimizer.start()
    optimizer.wait()
    assert optimizer.error is None
    return optimizer


@pytest.mark.parametrize(
    ("capabilities", "budget", "ahead"),
    [
        ({Capability.INDEPENDENT}, Budget(jobs=30), True),
        ({Capability.INDEPENDENT, Capability.STOPPING}, Budget(trials=30), True),
        (set(), Budget(jobs=30), False),
        ({Capability.INDEPENDENT, Capability.RESUMING}, Budget(jobs=30), False),
        ({Capability.INDEPENDENT}, Budget(jobs=30, compute_time=60.0), False),
        ({Capability.INDEPENDENT}, Budget(jobs=30, wall_time=60.0), False),
        ({Capability.INDEPENDENT}, Budget(jobs=30, iterations=1_000), False),
    ],
)
def test_only_what_neither_results_nor_a_limit_can_change_is_sent_ahead(
    lab, capabilities, budget, ahead
):
    study = run(lab.study(QUICK, strategy=Numbered(*capabilities), budget=budget))
    assert len(study.result().trials) == 30
    assert (most_ahead(study) > 1) is ahead


def test_long_jobs_are_not_sent_ahead_so_that_what_is_enqueued_comes_next(lab):
    asked = []

    class Watched(Numbered):
        def ask(self, trial_id, /):
            asked.append(trial_id)
            return super().ask(trial_id)

    study = lab.study(SLOW, strategy=Watched(Capability.INDEPENDENT), budget=3)
    at_an_end = []
    study.start(on_job_finished=lambda job: at_an_end.append(len(asked)))
    study.wait()
    assert at_an_end == [2, 3, 3]


@pytest.mark.parametrize("count", ["launched", "completed"])
def test_the_budget_is_kept_to_the_job(lab, count):
    budget = Budget(jobs=11, count=count)
    strategy = Numbered(Capability.INDEPENDENT)
    study = run(lab.study(QUICK, strategy=strategy, budget=budget, workers=3))
    assert lab.rows("SELECT count(*), sum(state = 'completed') FROM job") == [(11, 11)]
    assert len(study.result().trials) == 11


def test_a_job_that_never_began_is_simply_begun_when_the_study_is_resumed(lab):
    stopped = lab.study(QUICK, strategy="random", budget=40, workers=2)
    finished = []

    def stop(job):
        finished.append(job)
        if len(finished) == 7:
            stopped.request_stop("for a test")

    stopped.start(on_job_finished=stop)
    stopped.wait()
    stopped.close()
    assert lab.rows("SELECT count(*) FROM job WHERE state IN ('queued', 'running')") == [(0,)]
    waited = lab.rows("SELECT count(*) FROM job WHERE state = 'lost' AND started IS NULL")[0][0]
    assert waited > 0
    resumed = run(lab.study(QUICK, strategy="random", budget=40, workers=2))
    states = [(trial.trial_id, trial.state) for trial in resumed.result().trials]
    assert sorted(states) == [(number, TrialState.COMPLETED) for number in range(1, 41)]
    assert resumed.usage.jobs == 40
    again = run(lab.study(QUICK, strategy="random", budget=40, store=lab.folder / "other.db"))
    assert configurations(again) == configurations(resumed)


def configurations(study):
    return {trial.trial_id: trial.configuration for trial in study.result().trials}
