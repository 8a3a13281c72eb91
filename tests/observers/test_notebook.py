"""The output below a notebook's cell while a study runs there."""

from __future__ import annotations

from hpo_core import Float, Study
from hpo_core.observers.notebook import NotebookProgress


def test_a_bar_the_counts_and_the_best_are_shown_at_the_end() -> None:
    shown: list[dict[str, str]] = []
    study = Study(
        function=lambda configuration: configuration["x"],
        parameters=[Float("x", 0.0, 1.0)],
        objective="loss",
        direction="minimize",
        budget={"jobs": 5},
        backend="inline",
        seed=1,
        name="small",
        observers=[NotebookProgress(shown.append)],
    )
    study.run()
    first, last = shown[0]["text/plain"].splitlines(), shown[-1]["text/plain"].splitlines()
    assert first[0] == "small: random, 1 worker"
    assert first[1].startswith("[" + " " * 30 + "]   0%")
    assert last[1].startswith("[" + "#" * 30 + "] 100%")
    assert "5 done, 0 running, 0 failed; left: 0 jobs" in last[1]
    assert last[2].startswith(f"best: loss {study.best.value:.6g} (small-{study.best.trial_id})")
    assert '<progress max="1" value="1.0000"></progress>' in shown[-1]["text/html"]
    assert "<b>small: random, 1 worker</b>" in shown[-1]["text/html"]


def test_what_a_study_reports_is_text_in_html_and_no_markup() -> None:
    shown: list[dict[str, str]] = []
    study = Study(
        function=lambda configuration: {"<b>loss": configuration["x"]},
        parameters=[Float("x", 0.0, 1.0)],
        objective="<b>loss",
        direction="minimize",
        budget={"jobs": 1},
        backend="inline",
        observers=[NotebookProgress(shown.append)],
    )
    study.run()
    assert "&lt;b&gt;loss" in shown[-1]["text/html"]
    assert "<b>loss" not in shown[-1]["text/html"]
    for each in (study, study.result, study.best):
        html = each._repr_html_()
        assert "<th>&lt;b&gt;loss</th>" in html
        assert "<b>loss" not in html
        assert "<script" not in html


def test_what_happens_in_quick_succession_is_shown_once() -> None:
    shown: list[dict[str, str]] = []
    study = Study(
        function=lambda configuration: configuration["x"],
        parameters=[Float("x", 0.0, 1.0)],
        objective="loss",
        direction="minimize",
        budget={"jobs": 50},
        backend="inline",
        observers=[NotebookProgress(shown.append, clock=lambda: 7.0)],
    )
    study.run()
    assert len(shown) == 2  # the beginning and the end
