"""The controller's contract with backends: it records, then acts, and handles their faults."""

import importlib
import sys
import textwrap

import pytest

from hpo_core import Budget, Configuration, HpoError, StudyState, TrialState
from hpo_core.errors import StudyFailed
from hpo_core.plugin import BaseStrategy, Decision, Start

PLUGIN = """
import queue
from hpo_core import *
from hpo_core.plugin import *

made = []
left = {}  # what a cluster would run on when the controller is gone

class Scripted:
    "Runs jobs of three iterations, one event in each call of `events`."

    def __init__(self, context):
        self.context = context
        self.queue = []
        self.calls = 0
        self.closed = 0
        self.woken = 0
        self.on_submit = self.on_cancel = self.on_events = lambda *_: None
        made.append(self)
        hook(self)

    def submit(self, job):
        self.on_submit(job)
        now = self.context.clock.now()
        x = job.configuration["x"]
        self.queue.append(Started(job.id, now, {"place": x}))
        self.queue += [Reported(job.id, now, i, {"loss": x / i}) for i in (1, 2, 3)]
        self.queue.append(Finished(job.id, now, Outcome.COMPLETED))

    def cancel(self, job_id, *, grace):
        self.on_cancel(job_id, grace)
        now = self.context.clock.now()
        if any(event.job_id == job_id for event in self.queue):
            self.queue = [event for event in self.queue if event.job_id != job_id]
            self.queue.append(Finished(job_id, now, Outcome.CANCELLED))

    def events(self, timeout):
        self.calls += 1
        return self.on_events() or [self.queue.pop(0)]

    def wake(self):
        assert not self.closed
        self.woken += 1

    def adopt(self, jobs):
        self.queue += [event for job in jobs for event in left.pop(job.id, [])]
        return [job.id for job in jobs if any(e.job_id == job.id for e in self.queue)]

    def close(self):
        self.closed += 1

def hook(backend):
    "To be replaced by a test."

@hookimpl
def hpo_backends():
    def build(context, options):
        return Scripted(context)
    return [BackendSpec(name="scripted", summary="for a test", build=build)]
"""


@pytest.fixture
def plugin(lab, monkeypatch):
    """An installed distribution with its own backend; the module of it."""
    (lab.folder / "scripted_backend.py").write_text(textwrap.dedent(PLUGIN))
    info = lab.folder / "scripted-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: scripted\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hpo_core]\nscripted = scripted_backend\n")
    monkeypatch.syspath_prepend(lab.folder)
    monkeypatch.delitem(sys.modules, "scripted_backend", raising=False)
    return importlib.import_module("scripted_backend")


def study(lab, **changes):
    return lab.study("nowhere:nothing", backend="scripted", **changes)


# -- record, then act -----------------------------------------------------------------------


def test_a_job_is_committed_before_it_is_submitted(lab, plugin):
    seen = []

    def look(job):
        seen.append(lab.rows("SELECT state FROM job WHERE trial = ?", job.trial_id))
        seen.append(lab.rows("SELECT state FROM trial WHERE id = ?", job.trial_id))

    plugin.hook = lambda backend: setattr(backend, "on_submit", look)
    study(lab, workers=3, budget=5).run()
    assert seen == [[("queued",)], [("running",)]] * 5


def test_a_free_worker_gets_a_job_while_the_reports_of_another_one_come_late(lab, plugin):
    """A job that reports faster than its strategy can be told leaves a backlog for long."""
    submitted, calls = [], []

    def flood(backend):
        queue, backend.queue = backend.queue, []
        old = backend.context.clock.now() - 10
        calls.append(len(submitted))
        if len(calls) == 1:  # trial 2 is the one that reports for ever
            backend.rest = [event for event in queue if event.job_id == "2.1"][-1:]
            first = [event for event in queue if event.job_id != "2.1"]
            return [*first, plugin.Reported("2.1", old, 1, {"loss": 1.0})]
        if len(submitted) < 3:
            assert len(calls) < 100, "the free worker gets no job"
            return [plugin.Reported("2.1", old, len(calls), {"loss": 1.0})]
        rest, backend.rest = backend.rest, []
        return [*rest, *queue]

    def hook(backend):
        backend.on_submit = submitted.append
        backend.on_events = lambda: flood(backend)

    plugin.hook = hook
    result = study(lab, workers=2, budget=3).run()
    assert len(result.trials) == 3


class Stops(BaseStrategy):
    def ask(self, trial_id, /):
        return Start(Configuration(x=trial_id))

    def tell(self, report, /):
        return Decision.STOP if report.iteration == 2 else Decision.CONTINUE


def test_a_report_and_its_decision_are_committed_before_the_decision_is_carried_out(lab, plugin):
    seen = []

    def look(job_id, grace):
        seen.append(
            lab.rows("SELECT trial, iteration, decision FROM log WHERE decision IS NOT NULL")[-1]
        )

    plugin.hook = lambda backend: setattr(backend, "on_cancel", look)
    result = study(lab, strategy=Stops(), budget=2).run()
    assert seen == [(1, 2, "stop"), (2, 2, "stop")]
    assert [trial.state for trial in result.trials] == [TrialState.STOPPED] * 2


def test_a_finished_job_is_committed_before_the_next_one_is_submitted(lab, plugin):
    seen = []

    def look(job):
        query = "SELECT count(*) FROM job WHERE state = 'completed' AND metrics IS NOT NULL"
        seen.append(lab.rows(query)[0][0])

    plugin.hook = lambda backend: setattr(backend, "on_submit", look)
    study(lab, budget=4).run()
    assert seen == [0, 1, 2, 3]


def test_there_is_one_commit_a_turn_however_much_happens_in_it(lab, plugin):
    """A turn for the beginning, one for each call of `events`, and one for the end."""
    statements = []
    optimizer = study(lab, workers=4, budget=8)
    optimizer._store.connection.set_trace_callback(statements.append)
    optimizer.run()
    commits = statements.count("COMMIT")
    assert commits == plugin.made[0].calls + 2
    assert commits == statements.count("BEGIN IMMEDIATE")
    assert plugin.made[0].calls == 8 * 5


def test_all_events_of_one_call_are_one_commit(lab, plugin):
    plugin.hook = all_at_once
    statements = []
    optimizer = study(lab, workers=4, budget=8)
    optimizer._store.connection.set_trace_callback(statements.append)
    assert optimizer.run().usage.iterations == 24
    assert statements.count("COMMIT") == 1 + 2 + 1


def all_at_once(backend):
    """Have all that has happened returned by one call."""

    def events():
        taken, backend.queue = backend.queue, []
        return taken

    backend.on_events = events


def test_what_the_strategy_has_stopped_is_stopped_though_it_has_just_ended(lab, plugin):
    """Whether a job was quick enough to end before its SIGTERM must not matter."""
    plugin.hook = all_at_once
    result = study(lab, strategy=Stops(), budget=2).run()
    assert [(t.state, t.iteration) for t in result.trials] == [(TrialState.STOPPED, 2)] * 2


def test_what_has_ended_well_is_completed_though_the_budget_ends_at_that_very_moment(lab, plugin):
    plugin.hook = all_at_once
    result = study(lab, workers=2, budget=Budget(iterations=4)).run()
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETED] * 2
    assert result.usage.iterations == 4


def test_no_more_jobs_are_under_way_than_workers(lab, plugin):
    under_way = []
    plugin.hook = lambda backend: setattr(
        backend, "on_submit", lambda job: under_way.append(len({e.job_id for e in backend.queue}))
    )
    study(lab, workers=3, budget=9).run()
    assert max(under_way) == 2, "besides the one that is submitted"


# -- what a backend is told -----------------------------------------------------------------


def test_it_is_closed_once_and_nothing_is_called_after_it(lab, plugin):
    optimizer = study(lab, budget=1)
    optimizer.run()
    optimizer.stop()
    optimizer.set_time_limit(3)
    optimizer.enqueue({"x": 1})
    optimizer.close()
    (backend,) = plugin.made
    assert backend.closed == 1


def test_the_grace_period_is_passed_on(lab, plugin):
    grace = []
    plugin.hook = lambda backend: setattr(
        backend, "on_cancel", lambda job_id, seconds: grace.append(seconds)
    )
    study(lab, strategy=Stops(), budget=1, grace=2.5).run()
    assert grace == [2.5]


# -- what a backend does --------------------------------------------------------------------


@pytest.mark.parametrize("method", ["on_submit", "on_events"])
def test_a_backend_that_raises_ends_the_study_as_failed_with_the_cause(lab, plugin, method):
    error = ZeroDivisionError("by zero")

    def breaks(*_):
        raise error

    plugin.hook = lambda backend: setattr(backend, method, breaks)
    optimizer = study(lab, workers=2)
    with pytest.raises(StudyFailed, match="by zero"):
        optimizer.run()
    assert isinstance(optimizer.error, HpoError)
    assert optimizer.error.__cause__ is error
    assert str(optimizer.error) == "the controller failed: ZeroDivisionError: by zero"
    assert (optimizer.state, optimizer.running_jobs) == (StudyState.FAILED, [])
    assert plugin.made[0].closed == 1


def test_a_backend_that_cannot_be_closed_lets_the_study_go_all_the_same(lab, plugin):
    class Unclosable(plugin.Scripted):
        def close(self):
            raise ZeroDivisionError("by zero")

    plugin.Scripted = Unclosable
    first = study(lab, budget=1)
    with pytest.raises(StudyFailed, match="by zero"):
        first.run()
    assert not first.is_running


def test_a_job_that_the_machine_loses_runs_again_and_does_not_count(lab, plugin):
    lost = []

    def loses(backend):
        def events():
            if backend.queue[0].job_id == "2.1" and not lost:
                lost.append(backend.queue)
                backend.queue = []
                now = backend.context.clock.now()
                return [plugin.Finished("2.1", now, plugin.Outcome.LOST, "node 7 is down")]
            return None

        backend.on_events = events

    plugin.hook = loses
    result = study(lab, budget=3).run()
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETED] * 3
    assert result.usage.jobs == 3
    assert lab.rows("SELECT attempt, state, reason FROM job WHERE trial = 2") == [
        (1, "lost", "node 7 is down"),
        (2, "completed", ""),
    ]


def test_the_late_result_of_a_job_that_was_given_up_counts_once(lab, plugin):
    """A machine that was thought to be gone comes back while the job runs elsewhere."""
    given_up = []

    def loses(backend):
        def events():
            now = backend.context.clock.now()
            if backend.queue[0].job_id == "1.1" and not given_up:
                given_up.extend(backend.queue)
                backend.queue = []
                return [plugin.Finished("1.1", now, plugin.Outcome.LOST, "no heartbeat")]
            if given_up and backend.queue[0].job_id == "1.2":
                late, given_up[1:] = given_up[1:], []
                return [*late, backend.queue.pop(0)]
            return None

        backend.on_events = events

    plugin.hook = loses
    finals = []
    result = study(lab, budget=Budget(jobs=2, iterations=100)).run(on_job_finished=finals.append)
    assert (result.usage.jobs, result.usage.iterations) == (2, 6)
    assert [finished.job.id for finished in finals] == ["1.1", "1.2", "2.1"]
    told = "SELECT trial, attempt FROM log WHERE kind = 'completed'"
    assert lab.rows(told) == [(1, 2), (2, 1)]
    assert lab.rows("SELECT state FROM job WHERE trial = 1") == [("lost",), ("completed",)]


def test_a_job_that_is_lost_again_and_again_has_failed(lab, plugin):
    def loses(backend):
        def events():
            job_id = backend.queue[0].job_id
            if job_id.startswith("1."):
                backend.queue = []
                now = backend.context.clock.now()
                return [plugin.Finished(job_id, now, plugin.Outcome.LOST, "node 7 is down")]
            return None

        backend.on_events = events

    plugin.hook = loses
    result = study(lab, budget=2).run()
    assert [trial.state for trial in result.trials] == [TrialState.FAILED, TrialState.COMPLETED]
    assert result.trials[0].reason == (
        "lost 10 times in a row, which suggests that the job is the cause: node 7 is down"
    )
    assert lab.rows("SELECT count(*) FROM job WHERE trial = 1 AND state = 'lost'") == [(9,)]
    assert result.usage.jobs == 2


def test_late_words_of_a_job_that_has_ended_change_nothing(lab, plugin):
    said = []

    def repeats(backend):
        def events():
            event = backend.queue.pop(0)
            said.append(event)
            return [event, *said]

        backend.on_events = events

    plugin.hook = repeats
    result = study(lab, budget=2).run()
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETED] * 2
    assert (result.usage.jobs, result.usage.iterations) == (2, 6)


def test_jobs_that_outlive_their_controller_are_taken_over(lab, plugin):
    """The first controller dies in the middle of a job; a cluster would carry the job on."""

    def dies(backend):
        def events():
            if backend.calls == 3:
                plugin.left["1.1"] = list(backend.queue)
                raise KeyboardInterrupt
            return None

        backend.on_events = events

    plugin.hook = dies
    budget = Budget(jobs=3, iterations=100)
    first = study(lab, budget=budget)
    with pytest.raises(KeyboardInterrupt):
        first.run()
    first.close()
    assert lab.rows("SELECT state, handle FROM job") == [("running", '{"place":1}')]

    plugin.hook = lambda backend: None
    second = study(lab, budget=budget)
    seen = []
    result = second.run(on_job_finished=lambda job: seen.append(second.usage.iterations))
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETED] * 3
    assert lab.rows("SELECT trial, attempt, state, iterations FROM job") == [
        (1, 1, "completed", 3),
        (2, 1, "completed", 3),
        (3, 1, "completed", 3),
    ]
    assert seen == [3, 6, 9]
    assert result.usage.jobs == 3


def test_the_time_for_which_a_controller_was_away_uses_up_no_budget_of_compute_time(lab, plugin):
    """The job ended a second after it had started, and its end is read a hundred seconds later."""

    def dies(backend):
        def events():
            if backend.calls == 2:
                raise KeyboardInterrupt
            return None

        backend.on_events = events

    plugin.hook = dies
    budget = Budget(jobs=2, compute_time=50)
    first = study(lab, budget=budget)
    with pytest.raises(KeyboardInterrupt):
        first.run()
    first.close()
    lab.change("UPDATE job SET started = started - 100, queued = queued - 100")
    [(started,)] = lab.rows("SELECT started FROM job")
    plugin.left["1.1"] = [
        plugin.Reported("1.1", started + 0.5, 1, {"loss": 1.0}),
        plugin.Finished("1.1", started + 1.0, plugin.Outcome.COMPLETED, ran=1.0),
    ]
    plugin.hook = lambda backend: None
    result = study(lab, budget=budget).run()
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETED] * 2
    assert result.usage.compute_time == pytest.approx(1.0, abs=0.2)
    assert "2 jobs" in result.reason
