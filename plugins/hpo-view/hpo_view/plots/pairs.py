"""The objective over pairs of parameters, as a surface and as ranks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hpo_core import Objective, Study
from hpo_view import theme
from hpo_view.data import DrawnTrial, StudyData, direction, read, value
from hpo_view.scales import Scale
from hpo_view.text import counted, label

CONTOUR, RANK = "Contour", "Rank"
_MOST = 4
"""Maximum number of parameters whose pairs are drawn by default."""
_CELLS = 40
_RANKED = 2000
_SUPPORT = 1500
"""Maximum number of trials from which a surface is computed."""

Draw = Callable[[go.Figure, Sequence[DrawnTrial], Scale, Scale, int, int], None]


def contour(
    study: Study | StudyData, *, params: Sequence[str] | None = None, objective: str | None = None
) -> go.Figure:
    """Draw the objective as a surface over each pair of parameters.

    Between trials the surface is interpolated by inverse distance weighting, on the parameters'
    scales. With a categorical parameter each cell has the mean of its trials.

    Args:
        study: The study.
        params: Which parameters; None for the first four that vary.
        objective: The metric of the objective; None for the first one.
    """
    data = read(study)
    wanted = data.objective(objective)

    def draw(
        drawn: go.Figure, trials: Sequence[DrawnTrial], x: Scale, y: Scale, row: int, column: int
    ) -> None:
        surface = _surface if x.is_numeric and y.is_numeric else _cells
        trace = surface(theme.sampled(trials, _SUPPORT), x, y, wanted)
        if trace is not None:
            drawn.add_trace(trace, row=row, col=column)
        shown = theme.sampled(trials, 500)
        drawn.add_scatter(
            x=[x.shown(trial.configuration) for trial in shown],
            y=[y.shown(trial.configuration) for trial in shown],
            customdata=[[trial.trial_id, value(trial, wanted)] for trial in shown],
            mode="markers",
            marker={"color": "#111", "size": 4, "line": {"color": "#fff", "width": 1}},
            showlegend=False,
            hovertemplate="trial %{customdata[0]}: %{customdata[1]:.6g}",
            row=row,
            col=column,
        )

    def said(trials: Sequence[DrawnTrial]) -> str:
        return (
            f"{label(wanted.metric)} over pairs of parameters. Between trials it is interpolated "
            "by inverse distance weighting."
            + theme.said(min(len(trials), 500), len(trials), "trials")
        )

    drawn = _grid(data, params, CONTOUR, said, draw)
    colours = _colours(direction(wanted), wanted, data.counted)
    return drawn.update_layout(coloraxis=colours, coloraxis2={**colours, "showscale": False})


def rank(
    study: Study | StudyData, *, params: Sequence[str] | None = None, objective: str | None = None
) -> go.Figure:
    """Draw trials over each pair of parameters, coloured by the rank of their objective.

    Args:
        study: The study.
        params: Which parameters; None for the first four that vary.
        objective: The metric of the objective; None for the first one.
    """
    data = read(study)
    wanted = data.objective(objective)
    order = sorted(data.counted, key=lambda trial: wanted.loss(value(trial, wanted)))
    share = {trial.trial_id: place / max(len(order) - 1, 1) for place, trial in enumerate(order)}

    def draw(
        drawn: go.Figure, trials: Sequence[DrawnTrial], x: Scale, y: Scale, row: int, column: int
    ) -> None:
        trials = theme.sampled(trials, _RANKED)
        drawn.add_trace(
            theme.points(
                len(trials),
                x=[x.shown(trial.configuration) for trial in trials],
                y=[y.shown(trial.configuration) for trial in trials],
                customdata=[[trial.trial_id, value(trial, wanted)] for trial in trials],
                mode="markers",
                marker={
                    "color": [share[trial.trial_id] for trial in trials],
                    "coloraxis": "coloraxis",
                    "size": 6,
                },
                showlegend=False,
                hovertemplate="trial %{customdata[0]}: %{customdata[1]:.6g}",
            ),
            row=row,
            col=column,
        )

    def said(trials: Sequence[DrawnTrial]) -> str:
        return (
            f"{counted(len(trials), 'completed trial')}, coloured by the rank of "
            f"{label(wanted.metric)}: 0% is the best."
            + theme.said(min(len(trials), _RANKED), len(trials), "trials")
        )

    drawn = _grid(data, params, RANK, said, draw)
    colours = {
        "colorscale": theme.SCALE,
        "cmin": 0,
        "cmax": 1,
        "colorbar": {"title": "rank", "tickformat": ".0%", "thickness": 12},
    }
    return drawn.update_layout(coloraxis=colours)


def _grid(
    data: StudyData,
    params: Sequence[str] | None,
    title: str,
    said: Callable[[Sequence[DrawnTrial]], str],
    draw: Draw,
) -> go.Figure:
    """Return a figure with a panel for each pair of parameters."""
    names = data.parameters(params, _MOST)
    if not data.counted:
        return theme.empty(title, "No trial is completed yet.")
    if len(names) < 2:
        return theme.empty(title, "This takes two parameters that vary.")
    size = len(names) - 1
    left_out = len(data.parameters(None)) - len(names) if params is None else 0
    more = (
        f" Of {len(names) + left_out} parameters these are the first {len(names)}; params=[…] "
        "draws others."
        if left_out
        else ""
    )
    drawn = theme.figure(title, said(data.counted) + more, height=460 if size == 1 else 240 * size)
    drawn = make_subplots(
        rows=size,
        cols=size,
        shared_xaxes=True,
        shared_yaxes=True,
        horizontal_spacing=0.03,
        vertical_spacing=0.03,
        figure=drawn,
    )
    scales = {name: Scale(data.space, name) for name in names}
    for one, other in combinations(range(len(names)), 2):
        x, y = scales[names[one]], scales[names[other]]
        row, column = other, one + 1
        both = [
            trial
            for trial in data.counted
            if x.holds(trial.configuration) and y.holds(trial.configuration)
        ]
        if both:
            draw(drawn, both, x, y, row, column)
        drawn.update_xaxes({**x.layout(), "title": ""}, row=row, col=column)
        drawn.update_yaxes({**y.layout(), "title": ""}, row=row, col=column)
        if row == size:
            drawn.update_xaxes(title=x.title, row=row, col=column)
        if column == 1:
            drawn.update_yaxes(title=y.title, row=row, col=column)
    for row in range(1, size + 1):
        for column in range(row + 1, size + 1):
            drawn.update_xaxes(visible=False, row=row, col=column)
            drawn.update_yaxes(visible=False, row=row, col=column)
    return drawn


def _colours(title: str, objective: Objective, trials: Sequence[DrawnTrial]) -> dict[str, Any]:
    """Return a colour axis from the best value to the worse quartile, against outliers."""
    bounds: dict[str, Any] = {}
    if trials:
        values = [value(trial, objective) for trial in trials]
        low, high = np.percentile(
            values, [0, 90] if objective.direction == "minimize" else [10, 100]
        )
        if low < high:
            bounds = {"cmin": float(low), "cmax": float(high)}
    return {
        "colorscale": theme.SCALE,
        "reversescale": objective.direction == "minimize",
        "colorbar": {"title": {"text": title, "side": "right"}, "thickness": 12},
        **bounds,
    }


def _surface(trials: Sequence[DrawnTrial], x: Scale, y: Scale, objective: Objective) -> Any:
    """Return contours of values interpolated between the trials."""
    xs = np.array([x.position(trial.configuration) for trial in trials])
    ys = np.array([y.position(trial.configuration) for trial in trials])
    zs = np.array([value(trial, objective) for trial in trials])
    if len(trials) < 3 or _is_flat(x, trials) or _is_flat(y, trials):
        return None
    across, up = (np.linspace(each.min(), each.max(), _CELLS) for each in (xs, ys))
    width, height = across[-1] - across[0], up[-1] - up[0]
    grid = np.empty((_CELLS, _CELLS))
    for place, level in enumerate(up):
        far = ((across[:, None] - xs) / width) ** 2 + ((level - ys) / height) ** 2
        weights = 1 / (far + 1e-4) ** 2
        grid[place] = weights @ zs / weights.sum(axis=1)
    return go.Contour(
        x=10**across if x.is_log else across,
        y=10**up if y.is_log else up,
        z=grid,
        coloraxis="coloraxis",
        line={"width": 0.5},
        hoverinfo="skip",
    )


def _is_flat(scale: Scale, trials: Sequence[DrawnTrial]) -> bool:
    return len({scale.position(trial.configuration) for trial in trials}) < 2


def _cells(trials: Sequence[DrawnTrial], x: Scale, y: Scale, objective: Objective) -> Any:
    """Return the mean value in each cell, for parameters without distances (choices)."""
    if any(scale.is_numeric and _is_flat(scale, trials) for scale in (x, y)):
        return None
    found: dict[tuple[Any, Any], list[float]] = defaultdict(list)
    bins = {scale.name: _bins(scale, trials) for scale in (x, y)}
    for trial in trials:
        cell = tuple(bins[scale.name](trial) for scale in (x, y))
        found[cell[0], cell[1]].append(value(trial, objective))
    columns = _sorted(x, {cell[0] for cell in found})
    rows = _sorted(y, {cell[1] for cell in found})
    grid = [
        [
            float(np.mean(found[column, row])) if (column, row) in found else None
            for column in columns
        ]
        for row in rows
    ]
    return go.Heatmap(x=columns, y=rows, z=grid, coloraxis="coloraxis2", hoverinfo="skip")


def _sorted(scale: Scale, cells: set[Any]) -> list[Any]:
    return sorted(cells) if scale.is_numeric else scale.labels


def _bins(scale: Scale, trials: Sequence[DrawnTrial]) -> Callable[[DrawnTrial], Any]:
    if not scale.is_numeric:
        return lambda trial: scale.shown(trial.configuration)
    positions = [scale.position(trial.configuration) for trial in trials]
    edges = np.linspace(min(positions), max(positions), 11)
    middles = (edges[:-1] + edges[1:]) / 2

    def middle(trial: DrawnTrial) -> float:
        place = np.searchsorted(edges, scale.position(trial.configuration), side="right") - 1
        found = float(middles[min(max(int(place), 0), len(middles) - 1)])
        return 10.0**found if scale.is_log else found

    return middle
