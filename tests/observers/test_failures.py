"""Similar failures are shown on one line with their count."""

from __future__ import annotations

import pytest

from hpo_core.observers.failures import Failures
from hpo_core.plugin import Configuration, FinishedJob, Job, JobState


def failed(trial: int, reason: str, state: JobState = JobState.FAILED) -> FinishedJob:
    name = f"{trial}.1"
    job = Job(id=name, trial_id=trial, name=f"small-{trial}", configuration=Configuration(x=trial))
    return FinishedJob(
        job=job, state=state, reason=reason, seconds=1.0, iteration=None, losses=None, values={}
    )


def lines(*reasons: str, most: int = 4) -> list[str]:
    failures = Failures()
    for trial, reason in enumerate(reasons, 1):
        failures.add(failed(trial, reason))
    return failures.lines(most)


def test_one_failure_is_told_with_its_job() -> None:
    assert lines("exit status 3: oh no") == ["small-1 failed: exit status 3: oh no"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("exit status 1: no file", "exit status 1: no file"),
        ("KeyError at 0x7f12ab", "KeyError at 0x7f99ff"),
        ("loss was 1.5e-07 at step 12", "loss was 0.25 at step 3"),
        ("ValueError: x\n\nTraceback 1", "ValueError: x\n\nTraceback 2"),
    ],
)
def test_failures_that_differ_only_in_numbers_are_of_one_kind(first: str, second: str) -> None:
    (line,) = lines(first, second)
    shown = second.partition("\n")[0]
    assert line == f"2 failed, the latest small-2: {shown}"


def test_another_exit_status_is_another_kind() -> None:
    assert len(lines("exit status 1", "exit status 2", "exit status 1")) == 2


def test_the_latest_kinds_have_lines_and_the_others_a_count() -> None:
    told = lines("a", "b", "b", "c", "d", most=2)
    assert told == [
        "3 jobs failed for 2 other reasons",
        "small-4 failed: c",
        "small-5 failed: d",
    ]


def test_control_characters_are_shown_as_escapes() -> None:
    assert lines("\x1b[2Jboom") == [r"small-1 failed: \x1b[2Jboom"]
