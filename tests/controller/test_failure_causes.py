"""A failed job has a cause, which the strategy is told and `hpo jobs` shows."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from hpo_core.plugin import BaseStrategy, Configuration, FailureCause, Start, Told


class Listening(BaseStrategy):
    """Suggests the same all the time, and notes the causes that it is told."""

    def __init__(self):
        self.causes = []
        self.restored = []

    def ask(self, trial_id, /):
        return Start(Configuration(x=5))

    def tell(self, report, /):
        if report.is_final:
            self.causes.append(report.cause)
        else:
            assert report.cause is None
        return super().tell(report)

    def restore(self, history, saved, /):
        told = [one.report for one in history if isinstance(one, Told)]
        self.restored = [report.cause for report in told if report.is_final]
        super().restore(history, saved)


def causes_of(lab, job, **changes):
    strategy = Listening()
    settings = {"budget": 1, "max_failures_at_start": 0, "reads_configuration": True, **changes}
    lab.study(job, strategy=strategy, **settings).run()
    return strategy.causes


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ("exit 3", FailureCause.ERROR),
        ("kill -9 $$", FailureCause.KILLED),
        ("sh -c 'kill -9 $$'; exit $?", FailureCause.KILLED),
        ("echo 'MemoryError' >&2; exit 1", FailureCause.OUT_OF_MEMORY),
        ("exec sleep 60", FailureCause.TIMED_OUT),
    ],
)
def test_a_command_that_fails_tells_its_cause_by_its_exit_and_its_last_words(lab, script, cause):
    assert causes_of(lab, lab.sh(script), time_limit=0.3, grace=0) == [cause]
    assert lab.rows("SELECT cause FROM job") == [(cause.value,)]


def memory_runs_out(configuration):
    raise MemoryError


def divides_by_zero(configuration):
    return 1 / 0


def diverges(configuration):
    return float("nan")


def works(configuration):
    return 0.5


@pytest.mark.parametrize(
    ("function", "cause"),
    [
        (memory_runs_out, FailureCause.OUT_OF_MEMORY),
        (divides_by_zero, FailureCause.ERROR),
        (diverges, FailureCause.DIVERGED),
        (works, None),
    ],
)
def test_a_function_that_fails_tells_its_cause_by_its_exception_or_its_value(lab, function, cause):
    assert causes_of(lab, function, reads_configuration=False) == [cause]


def interrupted(lab):
    """Run a study whose jobs diverge, and interrupt it after its first job."""
    study = lab.study(diverges, strategy=Listening(), budget=2, max_failures_at_start=0)
    study.run(on_job_finished=lambda job: study.stop())
    study.close()


def resumed(lab):
    strategy = Listening()
    lab.study(diverges, strategy=strategy, budget=2, max_failures_at_start=0).run()
    return strategy


def test_restored_strategy_gets_the_causes_again(lab):
    interrupted(lab)
    assert resumed(lab).restored == [FailureCause.DIVERGED]


def test_what_an_earlier_version_stored_has_no_cause(lab):
    interrupted(lab)
    with closing(sqlite3.connect(lab.store)) as connection, connection:
        connection.execute("UPDATE job SET cause = NULL")
        connection.execute("UPDATE log SET cause = NULL")
    assert resumed(lab).restored == [None]
