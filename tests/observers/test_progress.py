"""Progress messages of a running study: their text, and when they are written."""

from __future__ import annotations

import io
import math
import sys
import threading

import msgspec
import pytest
from rich.console import Console

from hpo_core import Float, Study
from hpo_core.observers.live import Screen
from hpo_core.observers.progress import PlainProgress
from hpo_core.observers.sparkline import Curve
from hpo_core.observers.study_progress import StudyProgress
from hpo_core.plugin import (
    Budget,
    Configuration,
    FinishedJob,
    Job,
    JobFinished,
    JobReported,
    JobStarted,
    JobState,
    Objective,
    Progress,
    StudyEnded,
    StudyStarted,
    StudyState,
    Usage,
)

JOB = Job(id="1.1", trial_id=1, name="first", configuration=Configuration(x=1), iterations=9)


def progress(**numbers: float) -> Progress:
    counts = {name: int(numbers.pop(name, 0)) for name in ("running", "completed", "failed")}
    others = {name: int(numbers.pop(name, 0)) for name in ("stopped", "paused")}
    return Progress(**counts, **others, usage=Usage(**numbers))  # type: ignore[arg-type]


def started(budget: Budget | None = None, **changes: object) -> StudyStarted:
    fields = {
        "name": "digits",
        "objectives": (Objective("accuracy", "maximize"),),
        "budget": Budget(jobs=10) if budget is None else budget,
        "workers": 2,
        "strategy": "random",
        "time": 100.0,
        "progress": progress(),
    }
    return StudyStarted(**{**fields, **changes})  # type: ignore[arg-type]


def finished(
    state: JobState = JobState.COMPLETED, *, reason: str = "", best: bool = False, **used: float
) -> JobFinished:
    job = FinishedJob(
        job=JOB,
        state=state,
        reason=reason,
        seconds=1.0,
        iteration=9,
        losses=(-0.9,) if state is JobState.COMPLETED else None,
        values={"accuracy": 0.9} if state is JobState.COMPLETED else {},
        is_best=best,
    )
    return JobFinished(finished=job, time=110.0, progress=progress(**used))


# -- the words ------------------------------------------------------------------------------


def test_the_counts_are_done_running_stopped_and_failed() -> None:
    known = StudyProgress(started(progress=progress(completed=3, running=2, failed=1)))
    assert known.counts() == "3 done, 2 running, 1 failed"
    known = StudyProgress(started(progress=progress(completed=3, stopped=4)))
    assert known.counts() == "3 done, 0 running, 4 stopped early, 0 failed"
    known = StudyProgress(started(progress=progress(running=1, paused=5)))
    assert known.counts() == "0 done, 1 running, 5 paused, 0 failed"


def test_remaining_amount_of_each_limit_is_printed() -> None:
    budget = Budget(jobs=10, iterations=100, compute_time=3600, wall_time=600)
    known = StudyProgress(started(budget, progress=progress(jobs=4, iterations=30, running=2)))
    assert known.left(100.0) == (
        "left: 6 jobs, 70 iterations, 1h00m of compute time, 10m00s of time"
    )
    assert known.left(130.0).endswith("59m00s of compute time, 9m30s of time"), "two jobs run"


def test_a_study_without_a_budget_says_when_it_ends() -> None:
    said = StudyProgress(started(Budget())).left(100.0)
    assert said == "no budget: the study runs until the strategy is exhausted"
    assert StudyProgress(started(Budget())).share(100.0) is None


def test_the_share_is_that_of_the_limit_that_is_nearest() -> None:
    known = StudyProgress(
        started(Budget(jobs=10, wall_time=100), progress=progress(jobs=2, wall_time=10))
    )
    assert known.share(100.0) == 0.2
    assert known.share(150.0) == pytest.approx(0.6)
    assert known.share(900.0) == 1.0


def test_displayed_time_advances_while_jobs_report() -> None:
    known = StudyProgress(started(Budget(wall_time=600)))
    known.take_in(JobStarted(job=JOB, time=100.0, progress=progress(running=1)))
    known.take_in(JobReported(job=JOB, time=140.0, iteration=3, metrics={}))
    assert known.elapsed(142.0) == "42s"
    assert known.left(142.0) == "left: 9m18s of time"


def test_a_study_that_is_carried_on_shows_its_best_so_far_as_the_metric_is() -> None:
    assert StudyProgress(started(best=(-0.9,))).best == "accuracy 0.9"


def test_only_a_better_job_changes_the_best() -> None:
    known = StudyProgress(started())
    known.take_in(finished(best=True))
    assert known.best == "accuracy 0.9 (first)"
    known.take_in(finished(JobState.FAILED, reason="exit status 1"))
    assert known.best == "accuracy 0.9 (first)"


def test_what_runs_is_known_with_its_iteration_until_it_ends() -> None:
    known = StudyProgress(started())
    known.take_in(JobStarted(job=JOB, time=100.0, progress=progress(running=1)))
    known.take_in(JobReported(job=JOB, time=101.0, iteration=3, metrics={"accuracy": 0.5}))
    running = known.running["1.1"]
    assert (running.job, running.iteration, running.value) == (JOB, 3, 0.5)
    known.take_in(finished())
    assert known.running == {}


def test_control_characters_of_names_and_reasons_are_shown_as_escapes() -> None:
    known = StudyProgress(started())
    event = finished(JobState.FAILED, reason="\x1b[2Jboom\nat line 3")
    assert known.finished(event.finished) == r"first failed: \x1b[2Jboom"


def test_time_left_is_estimated_at_the_pace_of_this_session() -> None:
    earlier = progress(jobs=2, wall_time=1000.0)
    known = StudyProgress(started(Budget(jobs=10), progress=earlier))
    assert known.seconds_left(100.0) is None
    known.take_in(finished(jobs=4, wall_time=1010.0))
    assert known.seconds_left(110.0) == pytest.approx(30.0)  # 2 jobs in 10 s, 6 are left
    assert StudyProgress(started(Budget())).seconds_left(100.0) is None


def test_utilisation_is_the_busy_share_of_the_workers_in_this_session() -> None:
    known = StudyProgress(started())
    assert known.utilisation(100.0) is None
    known.take_in(JobStarted(job=JOB, time=100.0, progress=progress(running=1)))
    known.take_in(finished(running=0))  # at 110
    assert known.utilisation(110.0) == pytest.approx(0.5)  # one of two workers
    assert known.utilisation(120.0) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([3.0], "▁"),
        ([0.0, 1.0, 0.5], "▁█▅"),
        ([math.nan, 2.0, math.inf, 1.0], "█▁"),
        (list(range(100_000)), "▁▂▃▄▅▆▇█"),
    ],
)
def test_curve_is_drawn_from_its_first_to_its_last_value(values: list[float], drawn: str) -> None:
    curve = Curve()
    for value in values:
        curve.add(value)
    assert curve.drawn(8) == drawn
    assert curve.drawn(0) == ""
    assert curve.drawn(8, plain=True).isascii()


# -- the screen -----------------------------------------------------------------------------


def shown(known: StudyProgress, now: float, width: int, encoding: str = "utf-8") -> list[str]:
    """Return the lines of the live display in a window of a width."""
    console = Console(width=width, file=io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    with console.capture() as capture:
        console.print(Screen(known, now))
    return [line.rstrip() for line in capture.get().splitlines()]


def busy_study() -> StudyProgress:
    """Return a study with a best trial, a failure and ten running jobs."""
    known = StudyProgress(started(Budget(jobs=20, wall_time=100)))
    known.take_in(finished(best=True, completed=1, jobs=1, wall_time=10.0))
    known.take_in(
        finished(JobState.FAILED, reason="exit 1", completed=1, failed=1, jobs=2, wall_time=10.0)
    )
    for number in range(2, 12):
        job = msgspec.structs.replace(JOB, id=f"{number}.1", trial_id=number, name=f"job-{number}")
        now = progress(running=number - 1, completed=1, failed=1, jobs=number + 1, wall_time=10.0)
        known.take_in(JobStarted(job=job, time=110.0, progress=now))
        for iteration, accuracy in enumerate((0.1, 0.4, 0.8), 1):
            metrics = {"accuracy": accuracy}
            known.take_in(JobReported(job=job, time=115.0, iteration=iteration, metrics=metrics))
    return known


def test_screen_shows_budget_jobs_best_and_failures() -> None:
    lines = shown(busy_study(), 120.0, 80)
    assert lines[0] == "digits: random, 2 workers"
    assert lines[1].startswith("jobs      ━━━")
    assert lines[1].endswith(" 12 of 20")
    assert lines[2].startswith("wall time ━━━")
    assert lines[2].endswith(" 20s of 1m40s")
    assert lines[3] == "20s, about 1m20s left"
    assert lines[4] == "1 done, 10 running, 1 failed; 2 workers 100% busy"
    assert lines[5] == "best: accuracy 0.9 (first), 10s ago"
    assert lines[6] == "  job-2 ▁▄█ 0.8, iteration 3 of 9"
    assert lines[-2:] == ["  and 2 more", "first failed: exit 1"]


@pytest.mark.parametrize("width", [20, 40, 59, 80, 200])
def test_screen_fits_any_window(width: int) -> None:
    lines = shown(busy_study(), 120.0, width)
    assert len(lines) == 16
    assert max(map(len, lines)) <= width


def test_screen_of_an_ascii_terminal_is_ascii() -> None:
    assert "\n".join(shown(busy_study(), 120.0, 80, "ascii")).isascii()


# -- plain lines ----------------------------------------------------------------------------


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_lines_tell_the_beginning_each_best_each_failure_and_the_end(stream: io.StringIO) -> None:
    plain = PlainProgress(stream, clock=lambda: 0.0)
    plain.observe(started())
    plain.observe(finished(best=True, completed=1, jobs=1))
    plain.observe(finished(completed=2, jobs=2))
    plain.observe(finished(JobState.FAILED, reason="exit status 1", completed=2, failed=1, jobs=3))
    plain.observe(finished(JobState.TIMED_OUT, reason="too long", completed=2, failed=2, jobs=4))
    end = progress(completed=2, failed=2, jobs=4, wall_time=12.0)
    plain.observe(
        StudyEnded(
            name="digits", state=StudyState.FINISHED, reason="done", time=112.0, progress=end
        )
    )
    assert stream.getvalue().splitlines() == [
        "digits: random, 2 workers; left: 10 jobs",
        "first completed: accuracy 0.9  (the best so far); 1 done, 0 running, 0 failed; "
        "left: 9 jobs",
        "first failed: exit status 1; 2 done, 0 running, 1 failed; left: 7 jobs",
        "first timed_out: too long; 2 done, 0 running, 2 failed; left: 6 jobs",
        "2 done, 0 running, 2 failed in 12s",
    ]


def test_an_unremarkable_job_is_a_line_only_now_and_then(stream: io.StringIO) -> None:
    now = [0.0]
    plain = PlainProgress(stream, clock=lambda: now[0])
    plain.observe(started())
    for second in range(10):
        now[0] = float(second)
        plain.observe(finished())
    assert len(stream.getvalue().splitlines()) == 1 + 4  # at 2, 4, 6 and 8 seconds


def test_before_a_trial_is_completed_the_best_that_was_reported_is_named_with_its_iteration() -> (
    None
):
    known = StudyProgress(started())
    assert known.best_so_far() == "best: none yet"
    for iteration, accuracy in ((1, 0.5), (3, 0.8), (4, 0.6)):
        metrics = {"accuracy": accuracy}
        known.take_in(JobReported(job=JOB, time=101.0, iteration=iteration, metrics=metrics))
    said = "best so far: accuracy 0.8 at iteration 3 (first), which is not completed"
    assert known.best_so_far() == said
    known.take_in(finished(best=True))
    assert known.best_so_far() == "best: accuracy 0.9 (first)"


def test_what_a_failed_job_had_reported_is_not_the_best_so_far() -> None:
    known = StudyProgress(started())
    known.take_in(JobReported(job=JOB, time=101.0, iteration=1, metrics={"accuracy": 0.5}))
    known.take_in(finished(JobState.FAILED, reason="exit status 1"))
    assert known.best_so_far() == "best: none yet"


class Terminal(io.StringIO):
    """A text that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_live_display_ends_with_a_run_that_is_broken_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its thread would go on, and the terminal stay without a cursor."""

    def break_off(_: object) -> None:
        raise KeyboardInterrupt  # as the third Ctrl-C does

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    study = Study(
        function=lambda configuration: 1.0,
        parameters=[Float("x", 0.0, 1.0)],
        objective="loss",
        direction="minimize",
        budget={"jobs": 2},
        backend="inline",
    )
    before = set(threading.enumerate())
    with study, pytest.raises(KeyboardInterrupt):
        study.run(progress=True, on_job_finished=break_off)
    text = terminal.getvalue()
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l") > -1
    for thread in set(threading.enumerate()) - before:
        thread.join()
