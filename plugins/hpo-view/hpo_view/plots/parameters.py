"""The objective against parameters: one by one, and as one line for each trial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hpo_core import Objective, Study
from hpo_view import theme
from hpo_view.data import DrawnTrial, StudyData, direction, read, value
from hpo_view.scales import Scale
from hpo_view.text import counted, label

SLICE, PARALLEL = "Slice", "Parallel coordinates"
_COLUMNS = 3
_MOST_TICKS = 20


def slice(
    study: Study | StudyData, *, params: Sequence[str] | None = None, objective: str | None = None
) -> go.Figure:
    """Draw the objective against each parameter in its own panel; later trials are brighter.

    Args:
        study: The study.
        params: Which parameters; None for all that vary.
        objective: The metric of the objective; None for the first one.
    """
    data = read(study)
    wanted = data.objective(objective)
    names = data.parameters(params)
    trials = [*data.counted, *data.unfinished]
    if not trials or not names:
        return theme.empty(SLICE, "No trial has a value yet.")
    columns = min(len(names), _COLUMNS)
    rows = math.ceil(len(names) / columns)
    partly = [n for n in names if any(n not in trial.configuration for trial in trials)]
    said = (
        f"{label(wanted.metric)} of {counted(len(data.counted), 'completed trial')} by the value "
        "of each parameter."
        + (f" Open circles: {len(data.unfinished):,} not completed." if data.unfinished else "")
        + (
            f" Of {', '.join(map(label, partly))} only trials in which it is active are drawn."
            if partly
            else ""
        )
    )
    drawn = theme.figure(SLICE, said, height=140 + 260 * rows)
    drawn = make_subplots(
        rows=rows,
        cols=columns,
        shared_yaxes=True,
        horizontal_spacing=0.04,
        vertical_spacing=0.3 / rows if rows > 1 else 0,
        figure=drawn,
    )
    many = len(trials) * len(names)
    for place, name in enumerate(names):
        row, column = place // columns + 1, place % columns + 1
        scale = Scale(data.space, name)
        _draw_slice(drawn, data, scale, wanted, many, row, column)
        drawn.update_xaxes(scale.layout(), row=row, col=column)
        if column == 1:
            drawn.update_yaxes(title=direction(wanted), row=row, col=1)
    for name, (members, symbol) in _groups(data).items():
        if members:  # an entry of the legend, in a colour outside the scale
            drawn.add_scatter(
                x=[None],
                y=[None],
                mode="markers",
                name=name,
                marker={"color": theme.GREY, "symbol": symbol},
            )
    last = data.trials[-1].trial_id
    return drawn.update_layout(
        coloraxis={
            "colorscale": theme.SCALE,
            "cmin": 1,
            "cmax": max(last, 2),
            "colorbar": {"title": "trial", "thickness": 12},
        },
        legend={"y": 1.0},
    )


def _groups(data: StudyData) -> dict[str, tuple[list[DrawnTrial], str]]:
    """Return the trials of each kind, with its symbol."""
    return {
        "completed": (data.feasible, "circle"),
        "infeasible": ([trial for trial in data.counted if not trial.is_feasible], "x-thin-open"),
        "not completed": (data.unfinished, "circle-open"),
    }


def _draw_slice(
    drawn: go.Figure,
    data: StudyData,
    scale: Scale,
    objective: Objective,
    many: int,
    row: int,
    column: int,
) -> None:
    for name, (members, symbol) in _groups(data).items():
        trials = [trial for trial in members if scale.holds(trial.configuration)]
        if not trials:
            continue
        drawn.add_trace(
            theme.points(
                many,
                x=[scale.shown(trial.configuration) for trial in trials],
                y=[value(trial, objective) for trial in trials],
                mode="markers",
                name=name,
                showlegend=False,
                marker={
                    "color": [trial.trial_id for trial in trials],
                    "coloraxis": "coloraxis",
                    "size": 6,
                    "symbol": symbol,
                },
                hovertemplate=f"trial %{{marker.color}}<br>{scale.title} %{{x}}: %{{y:.6g}}",
            ),
            row=row,
            col=column,
        )


def parallel_coordinate(
    study: Study | StudyData, *, params: Sequence[str] | None = None, objective: str | None = None
) -> go.Figure:
    """Draw each completed trial as a line through its parameters and its objective.

    An inactive parameter of a trial is at ``inactive``, below its values.

    Args:
        study: The study.
        params: Which parameters; None for all that vary.
        objective: The metric of the objective; None for the first one.
    """
    data = read(study)
    wanted = data.objective(objective)
    names = data.parameters(params)
    trials = data.counted
    if not trials or not names:
        return theme.empty(PARALLEL, "No trial is completed yet.")
    values = [value(trial, wanted) for trial in trials]
    said = (
        f"{counted(len(trials), 'completed trial')}, a line each; the best are "
        f"{'blue' if wanted.direction == 'minimize' else 'yellow'}. Drag along an axis to select."
    )
    drawn = theme.figure(PARALLEL, said, height=460)
    drawn.add_parcoords(
        line={
            "color": theme.array(values),
            "colorscale": theme.SCALE,
            "showscale": True,
            "colorbar": {"title": {"text": label(wanted.metric, 20)}, "thickness": 12},
        },
        dimensions=[
            {"label": label(wanted.metric, 20), "values": theme.array(values)},
            *(_dimension(Scale(data.space, name), trials) for name in names),
        ],
        labelangle=-20,
    )
    return drawn.update_layout(margin={"t": 130, "l": 80, "r": 30, "b": 30})


def _dimension(scale: Scale, trials: Sequence[DrawnTrial]) -> dict[str, Any]:
    """Return an axis of the plot: on the parameter's scale, with values at its ticks."""
    positions = [
        scale.position(trial.configuration) if scale.holds(trial.configuration) else None
        for trial in trials
    ]
    known = [position for position in positions if position is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    ticks = _ticks(scale, low, high)
    below = low - max((high - low) * 0.12, 0.5 if not scale.is_numeric else 1e-9)
    if len(known) < len(positions):
        ticks = {below: "inactive", **ticks}
        low = below
    axis: dict[str, Any] = {
        "label": label(scale.name, 20),
        "values": theme.array([below if each is None else each for each in positions]),
        "tickvals": list(ticks),
        "ticktext": list(ticks.values()),
    }
    if low < high:
        axis["range"] = [low, high]
    return axis


def _ticks(scale: Scale, low: float, high: float) -> dict[float, str]:
    if not scale.is_numeric:
        every = math.ceil(len(scale.labels) / _MOST_TICKS)
        return {float(p): text for p, text in enumerate(scale.labels) if p % every == 0}
    steps = [low + (high - low) * part / 4 for part in range(5)] if high > low else [low]
    return {step: f"{10**step if scale.is_log else step:.3g}" for step in steps}
