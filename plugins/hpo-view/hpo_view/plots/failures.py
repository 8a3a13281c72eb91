"""Failures by cause: failures that differ only in numbers have one cause."""

from __future__ import annotations

import re
from collections import defaultdict

import plotly.graph_objects as go

from hpo_core import JobState, Study
from hpo_view import theme
from hpo_view.data import DrawnJob, StudyData, read
from hpo_view.text import counted, label, printable

TITLE = "Failures by cause"
_MOST = 15
_VARIES = re.compile(r"(exit status \d+)|0x[0-9a-fA-F]+|\d+(?:[.,:]\d+)*(?:e[+-]?\d+)?")
_FAILED = (JobState.FAILED, JobState.TIMED_OUT, JobState.LOST)


def failures(study: Study | StudyData) -> go.Figure:
    """Draw the number of jobs that failed, timed out or were lost, by cause.

    Args:
        study: The study.
    """
    data = read(study)
    causes = by_cause(data)
    if not causes:
        return theme.empty(TITLE, "No job has failed.")
    shown = list(causes)[:_MOST]
    many = sum(map(len, causes.values()))
    said = (
        f"{counted(many, 'job')} failed, timed out or was lost for {counted(len(causes), 'cause')}."
        + theme.said(len(shown), len(causes), "causes").replace(", evenly spread", "")
    )
    drawn = theme.figure(TITLE, said, height=150 + 34 * len(shown))
    states = {JobState.FAILED: theme.VERMILLION, JobState.TIMED_OUT: theme.ORANGE}
    for state in _FAILED:
        mine = [cause for cause in reversed(shown) if causes[cause][0].state is state]
        if mine:
            drawn.add_bar(
                x=[len(causes[cause]) for cause in mine],
                y=[label(cause, 60) for cause in mine],
                customdata=[label(causes[cause][-1].id) for cause in mine],
                text=[len(causes[cause]) for cause in mine],
                orientation="h",
                name=state.value.replace("_", " "),
                marker={"color": states.get(state, theme.GREY)},
                hovertemplate="%{x} jobs, the latest %{customdata}",
                showlegend=True,
            )
    drawn.update_layout(barmode="stack")
    return drawn.update_xaxes(title="jobs").update_yaxes(type="category")


def by_cause(data: StudyData) -> dict[str, list[DrawnJob]]:
    """Return the jobs that failed by cause, the most frequent first."""
    found: dict[str, list[DrawnJob]] = defaultdict(list)
    for job in data.jobs:
        if job.state in _FAILED:
            first = printable(job.reason.partition("\n")[0]) or job.state.value
            kind = _VARIES.sub(lambda hit: hit[1] or "#", first)
            found[f"{job.state.value.replace('_', ' ')}: {kind}"].append(job)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))
