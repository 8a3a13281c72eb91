"""The state diagrams in the documentation contain exactly the existing states.

Trials and jobs of real studies follow their arrows.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hpo_core import (
    Configuration,
    Float,
    JobInfo,
    JobState,
    StudyState,
    TrialState,
    load_study,
    optimize,
    report,
)
from hpo_core.plugin import JobFinished, JobReported, JobStarted, StudyEvent

ROOT = Path(__file__).parents[1]
WORDS = (ROOT / "docs/words.md").read_text(encoding="utf-8")
ENUMS: dict[str, type[enum.Enum]] = {"trial": TrialState, "job": JobState, "study": StudyState}


def arrows(of: str) -> set[tuple[str, str]]:
    """Return the arrows of the diagram that comes after **A trial**, say."""
    drawn = WORDS.partition(f"**A {of}**")[2].partition("```mermaid\n")[2].partition("```")[0]
    assert drawn.startswith("stateDiagram-v2")
    return set(re.findall(r"^ +(\S+) --> (\w+)", drawn, re.MULTILINE))


@pytest.mark.parametrize("of", ENUMS)
def test_a_diagram_has_each_state_and_no_other(of: str) -> None:
    named = {state for arrow in arrows(of) for state in arrow} - {"[*]"}
    assert named == {state.value for state in ENUMS[of]}


def test_a_job_leaves_the_states_that_are_not_final_and_no_others() -> None:
    left = {start for start, _ in arrows("job")} - {"[*]"}
    assert left == {state.value for state in JobState if not state.is_final}
    ends = {end for start, end in arrows("job") if start == "running"}
    assert ends == {state.value for state in JobState if state.is_final}


def test_trials_and_studies_reach_every_state_from_running() -> None:
    for of in ("trial", "study"):
        ends = {end for start, end in arrows(of) if start == "running"}
        assert ends == {state.value for state in ENUMS[of]} - {"running", "created"}


def train(configuration: Configuration, job: JobInfo) -> None:
    for iteration in range(1, (job.iterations or 1) + 1):
        if configuration["x"] > 0.8 and iteration > 1:
            raise ValueError("too large")
        report(iteration, loss=configuration["x"] / iteration)


class Watching:
    """Notes from which state to which each trial and job of a stored study goes."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._states: dict[tuple[str, int | str], str] = {}
        self.seen: dict[str, set[tuple[str, str]]] = {"trial": set(), "job": set()}

    def observe(self, event: StudyEvent, /) -> None:
        is_first = isinstance(event, JobReported) and event.iteration == 1
        if is_first or isinstance(event, JobStarted | JobFinished):
            study = load_study(self._store, "study")
            self._note("trial", {trial.trial_id: trial.state.value for trial in study.trials})
            self._note("job", {job.id: job.state.value for job in study.jobs})

    def _note(self, of: str, states: Mapping[Any, str]) -> None:
        for name, state in states.items():
            before = self._states.get((of, name), "[*]")
            if state != before:
                self.seen[of].add((before, state))
            self._states[of, name] = state


@pytest.mark.parametrize(
    ("strategy", "options", "shows"),
    [
        ("asha:pbt", {"population_size": 4, "quantile_fraction": 0.25}, ("paused", "running")),
        ("asha", {"type": "stopping"}, ("running", "stopped")),
    ],
    ids=["pbt", "stopping"],
)
def test_trials_and_jobs_go_where_an_arrow_leads(
    strategy: str, options: dict[str, Any], shows: tuple[str, str], tmp_path: Path
) -> None:
    watching = Watching(tmp_path / "hpo.db")
    optimize(
        train,
        [Float("x", 0.0, 1.0)],
        objective="loss",
        direction="minimize",
        budget={"jobs": 10},
        strategy=strategy,
        options=options,
        backend="inline",
        store=tmp_path / "hpo.db",
        seed=1,
        max_iterations=9,
        max_failures_at_start=0,
        observers=[watching],
    )
    assert shows in watching.seen["trial"]
    for of, seen in watching.seen.items():
        assert seen <= arrows(of)
