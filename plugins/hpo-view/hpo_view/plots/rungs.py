"""Rungs and brackets: the number of trials that reached each rung, and their values there."""

from __future__ import annotations

from collections import defaultdict

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hpo_core import Study
from hpo_view import theme
from hpo_view.data import StudyData, direction, read
from hpo_view.plots.levels import bracket, rung_levels
from hpo_view.text import counted

TITLE = "Rungs and brackets"


def rungs(study: Study | StudyData) -> go.Figure:
    """Draw the number of trials that reached each rung, by bracket, and their values there.

    A bracket is identified by the target of the first jobs of its trials.

    Args:
        study: The study.
    """
    data = read(study)
    levels = rung_levels(data)
    if not levels:
        return theme.empty(TITLE, "No trial was paused or stopped early: there are no rungs.")
    objective = data.objectives[0]
    reached, values = _reached(data, levels)
    brackets = _brackets(data, levels)
    counts = {level: len(trials) for level, trials in reached.items()}
    said = "; ".join(f"{counted(many, 'trial')} at {level}" for level, many in counts.items())
    drawn = theme.figure(
        TITLE, f"{counted(len(set(brackets.values())), 'bracket')}. Reached: {said}.", height=560
    )
    drawn = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.06, figure=drawn)
    names = [str(level) for level in levels]
    for place, begin in enumerate(sorted(set(brackets.values()))):
        colour = theme.COLOURS[place % len(theme.COLOURS)]
        name = f"bracket from {begin}"
        mine = {level: [t for t in reached[level] if brackets[t] == begin] for level in levels}
        drawn.add_bar(
            x=names,
            y=[len(mine[level]) for level in levels],
            text=[len(mine[level]) or "" for level in levels],
            name=name,
            legendgroup=name,
            marker={"color": colour},
            hovertemplate="%{y} trials reached %{x}",
            row=1,
            col=1,
        )
        found = [(str(r), t, values[r, t]) for r in levels for t in mine[r] if (r, t) in values]
        drawn.add_trace(
            theme.points(
                len(found),
                x=[level for level, _, _ in found],
                y=[value for _, _, value in found],
                customdata=[trial for _, trial, _ in found],
                mode="markers",
                name=name,
                legendgroup=name,
                showlegend=False,
                marker={
                    "color": colour,
                    "symbol": theme.SYMBOLS[place % len(theme.SYMBOLS)],
                    "size": 7,
                    "opacity": 0.7,
                },
                hovertemplate="trial %{customdata} at %{x}: %{y:.6g}",
            ),
            row=2,
            col=1,
        )
    drawn.update_layout(barmode="stack")
    drawn.update_xaxes(type="category", categoryorder="array", categoryarray=names)
    drawn.update_xaxes(title="rung (iteration)", row=2)
    drawn.update_yaxes(title="trials", row=1)
    return drawn.update_yaxes(title=direction(objective), row=2)


def _reached(
    data: StudyData, levels: list[int]
) -> tuple[dict[int, list[int]], dict[tuple[int, int], float]]:
    """Return the trials that reached each level, with their values there."""
    metric = data.objectives[0].metric
    reached = {
        level: [t.trial_id for t in data.trials if t.iteration is not None and t.iteration >= level]
        for level in levels
    }
    curves: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for point in data.curves:
        if point.iteration is not None and metric in point.metrics:
            curves[point.trial_id].append((point.iteration, point.metrics[metric]))
    values = {}
    for level, trials in reached.items():
        for trial in trials:
            until = [value for iteration, value in curves[trial] if iteration <= level]
            if until and until[-1] == until[-1]:
                values[level, trial] = until[-1]
    return reached, values


def _brackets(data: StudyData, levels: list[int]) -> dict[int, int]:
    """Return the level at which each trial's bracket begins."""
    first = bracket(data)
    known = {trial.trial_id: first.get(trial.trial_id) for trial in data.trials}
    is_told = len({target for target in known.values() if target is not None}) > 1
    return {
        trial: target if is_told and target is not None else levels[0]
        for trial, target in known.items()
    }
