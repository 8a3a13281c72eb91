"""The diagrams of the documentation name the states that there are, and no others."""

from __future__ import annotations

import enum
import re
from pathlib import Path

import pytest

from hpo_core import JobState, StudyState, TrialState

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


def test_a_trial_and_a_study_come_to_each_other_state_from_running() -> None:
    for of in ("trial", "study"):
        ends = {end for start, end in arrows(of) if start == "running"}
        assert ends == {state.value for state in ENUMS[of]} - {"running", "created"}


@pytest.mark.parametrize("page", ["docs/words.md", "docs/rungs-and-brackets.md"])
def test_diagrams_of_states_and_rungs_are_drawn_with_mermaid(page: str) -> None:
    assert "```mermaid\n" in (ROOT / page).read_text(encoding="utf-8")
