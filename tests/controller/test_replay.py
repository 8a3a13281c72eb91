"""`replay` repeats every suggestion and decision of a stored study, and compares."""

import pytest

import hpo_core
from hpo_core import Budget, Categorical, Configuration, Float, Int, SearchSpace, load_study
from hpo_core.controller.stored.audit import Difference
from hpo_core.errors import StudyFailed, UnknownStudy
from hpo_core.plugin import BaseStrategy, Decision, Resume, Start, Wait

SPACE = SearchSpace(
    (Float("lr", 1e-4, 1.0, log=True), Int("n", 1, 9), Categorical("k", ("a", "b")))
)


def bowl(configuration):
    hpo_core.report(1, loss=configuration["n"] + configuration["lr"])
    hpo_core.report(2, loss=configuration["n"] - configuration["lr"])


class Halving(BaseStrategy):
    """Starts trials to iteration 1; of each four that have ended there the best goes on to 2."""

    def __init__(self, first=1):
        self._first = first
        self._losses = {}
        self._count = 0

    def ask(self, trial_id, /):
        self._count += 1
        if len(self._losses) == 4:
            best = min(self._losses, key=self._losses.get)
            self._losses = {}
            return Resume(best, iterations=2, notes={"count": self._count})
        return Start(Configuration(x=self._first + trial_id), iterations=1, notes=self._count)

    def tell(self, report, /):
        if report.is_final and report.iteration == 1:
            self._losses[report.trial_id] = report.losses
            return Decision.PAUSE
        return Decision.CONTINUE


def trains(configuration, job):
    hpo_core.report(job.iterations, loss=configuration["x"])


# -- as stored ------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["random", "optuna:tpe"])
def test_a_run_with_four_workers_comes_out_as_stored(lab, strategy):
    study = lab.study(bowl, strategy=strategy, space=SPACE, workers=4, budget=20)
    study.run()
    replayed = load_study(lab.store, "s").replay()
    assert replayed.is_as_stored
    assert (replayed.suggestions, replayed.decisions) == (20, 60)
    assert replayed.events == 80
    assert not replayed.is_running


def test_resumptions_and_the_strategys_pauses_come_out_as_stored(lab):
    study = lab.study(trains, strategy=Halving(), max_iterations=2, workers=3, budget=25)
    study.run()
    replayed = load_study(lab.store, "s").replay(strategy=Halving())
    assert replayed.is_as_stored
    assert lab.rows("SELECT count(*) FROM log WHERE suggestion IS NOT NULL") == [(4,)]
    assert replayed.suggestions == 25


@pytest.mark.parametrize("strategy", ["random", "optuna:tpe"])
def test_so_do_a_resumed_an_extended_and_an_enqueued_part(lab, strategy):
    changes = {"strategy": strategy, "space": SPACE}
    study = lab.study(bowl, **changes, workers=4, budget=12)
    study.enqueue({"lr": 0.5, "n": 3, "k": "b"})
    study.run(on_job_finished=lambda job: job.job.trial_id == 5 and study.stop())
    study.close()
    study = lab.study(bowl, **changes, workers=2, budget=12)
    study.run()
    study.close()
    hpo_core.load_study(lab.store, "s").extend(Budget(jobs=20))
    study = lab.study(bowl, **changes, workers=2, budget=20)
    study.enqueue({"lr": 0.25, "n": 4, "k": "a"})
    study.run()
    replayed = load_study(lab.store, "s").replay()
    assert replayed.is_as_stored
    assert replayed.adopted == 2
    assert replayed.suggestions == 18


def test_a_study_that_is_running_is_replayed_as_far_as_it_is_stored(lab):
    seen = []

    def look(job):
        if job.job.trial_id == 3:
            seen.append(load_study(lab.store, "s").replay())

    lab.study(bowl, strategy="random", space=SPACE, budget=6).run(on_job_finished=look)
    (replayed,) = seen
    assert replayed.is_running
    assert replayed.is_as_stored
    assert replayed.suggestions in (3, 4)


def test_a_new_study_has_nothing_to_differ(lab):
    lab.study(bowl, strategy="random", space=SPACE)
    assert load_study(lab.store, "s").replay().is_as_stored


class Breaks(Halving):
    def tell(self, report, /):
        super().tell(report)
        if report.trial_id == 2:
            raise RuntimeError("no idea")
        return Decision.STOP


def test_what_a_strategy_that_had_raised_did_not_decide_is_not_compared(lab):
    with pytest.raises(StudyFailed, match="no idea"):
        lab.study(trains, strategy=Breaks(), max_iterations=2, workers=4, budget=9).run()
    undecided = "SELECT count(*) FROM log WHERE decision IS NULL"
    assert lab.rows(undecided)[0][0] >= 1
    assert load_study(lab.store, "s").replay(strategy=Breaks()).is_as_stored


def test_strategy_of_a_failed_study_is_told_of_jobs_that_ended_meanwhile(lab):
    def fails_first(configuration, job):
        if configuration["x"] == 2:
            raise RuntimeError("no luck")
        trains(configuration, job)

    study = lab.study(
        fails_first, strategy=Halving(), max_iterations=2, workers=4, budget=9, max_failures=0
    )
    with pytest.raises(StudyFailed):
        study.run()
    assert lab.rows("SELECT count(*) FROM log WHERE decision IS NULL") == [(0,)]
    assert load_study(lab.store, "s").replay(strategy=Halving()).is_as_stored


def test_an_audit_changes_nothing(lab):
    lab.study(bowl, strategy="random", space=SPACE, budget=6).run()
    before = [lab.rows(f"SELECT * FROM {table}") for table in ("study", "trial", "log", "job")]
    load_study(lab.store, "s").replay()
    after = [lab.rows(f"SELECT * FROM {table}") for table in ("study", "trial", "log", "job")]
    assert after == before


# -- otherwise ------------------------------------------------------------------------------


def difference(lab, strategy):
    replayed = load_study(lab.store, "s").replay(strategy=strategy)
    assert not replayed.is_as_stored
    return replayed.difference


class AnotherPoint(Halving):
    def ask(self, trial_id, /):
        answer = super().ask(trial_id)
        return Start(Configuration(x=99), iterations=1) if trial_id == 3 else answer


class AnotherTarget(Halving):
    def ask(self, trial_id, /):
        answer = super().ask(trial_id)
        return answer if isinstance(answer, Start) else Resume(answer.trial_id, iterations=1)


class WaitsInstead(Halving):
    def ask(self, trial_id, /):
        return Wait() if trial_id == 2 else super().ask(trial_id)


class StopsInstead(Halving):
    def tell(self, report, /):
        super().tell(report)
        return Decision.STOP


class Raises(Halving):
    def ask(self, trial_id, /):
        if trial_id == 4:
            raise KeyError("x")
        return super().ask(trial_id)


@pytest.mark.parametrize(
    ("strategy", "trial_id", "stored", "now"),
    [
        (
            AnotherPoint(),
            3,
            Start(Configuration(x=4), iterations=1),
            Start(Configuration(x=99), iterations=1),
        ),
        (AnotherTarget(), 5, Resume(1, iterations=2), Resume(1, iterations=1)),
        (WaitsInstead(), 2, Start(Configuration(x=3), iterations=1), Wait()),
        (StopsInstead(), 1, Decision.CONTINUE, Decision.STOP),
        (
            Raises(),
            4,
            Start(Configuration(x=5), iterations=1),
            "the strategy 'instance of test_replay.Halving' raised KeyError in ask: 'x'",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_first_event_that_comes_out_otherwise_is_named_with_both(
    lab, strategy, trial_id, stored, now
):
    study = lab.study(trains, strategy=Halving(), max_iterations=2, budget=12)
    study.run()
    found = difference(lab, strategy)
    assert isinstance(found, Difference)
    assert found.trial_id == trial_id
    assert found.stored == stored
    if isinstance(now, str):
        assert "raised KeyError in ask: 'x'" in found.now
    else:
        assert found.now == now


class Picks(BaseStrategy):
    def __init__(self, value):
        self._value = value

    def ask(self, trial_id, /):
        return Start(Configuration(x=self._value), notes={"of": type(self._value).__name__})


def test_a_value_of_another_type_is_another_suggestion(lab):
    space = SearchSpace((Categorical("x", (1, 1.0)),))
    lab.study(lambda configuration: 0.0, strategy=Picks(1), space=space, budget=1).run()
    found = difference(lab, Picks(1.0))
    assert type(found.stored.configuration["x"]) is int
    assert type(found.now.configuration["x"]) is float


class NotesOtherwise(Halving):
    def ask(self, trial_id, /):
        answer = super().ask(trial_id)
        return hpo_core.controller.stored.audit._without_notes(answer)


def test_notes_are_not_compared(lab):
    lab.study(trains, strategy=Halving(), max_iterations=2, budget=12).run()
    assert load_study(lab.store, "s").replay(strategy=NotesOtherwise()).is_as_stored


def test_missing_study_is_reported(lab):
    lab.study(bowl, strategy="random", space=SPACE)
    with pytest.raises(UnknownStudy, match="has no study 't'"):
        load_study(lab.store, "t").replay()
