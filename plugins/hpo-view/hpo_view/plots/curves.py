"""Learning curves, with the points where trials were stopped or paused."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import plotly.graph_objects as go

from hpo_core import Objective, Study, TrialState
from hpo_view import theme
from hpo_view.data import StudyData, direction, read
from hpo_view.plots.levels import rung_levels
from hpo_view.text import label

TITLE = "Intermediate values"
MOST = 300
"""Maximum number of curves that can be distinguished."""

_ENDS = {
    TrialState.STOPPED: ("stopped early", theme.VERMILLION, "x"),
    TrialState.PAUSED: ("paused", theme.ORANGE, "square"),
    TrialState.COMPLETED: ("completed", theme.GREEN, "circle"),
    TrialState.FAILED: ("failed", theme.PURPLE, "triangle-down"),
    TrialState.RUNNING: ("running", theme.BLUE, "star"),
}


def intermediate_values(
    study: Study | StudyData, *, metric: str | None = None, most: int = MOST
) -> go.Figure:
    """Draw a curve for each trial, with a mark where it ended, and a line at each rung.

    Args:
        study: The study.
        metric: One of the reported metrics; None for that of the first objective.
        most: Maximum number of curves: those of the best trials, and an even selection of the
            others.
    """
    data = read(study)
    objective = data.objectives[0] if metric is None else _of(data, metric)
    curves = _curves(data, objective.metric)
    if not curves:
        why = f"No trial has reported {label(objective.metric)} with an iteration yet."
        return theme.empty(TITLE, why)
    chosen = _chosen(curves, objective, most)
    rungs = rung_levels(data)
    pruned = sum(trial.state is TrialState.STOPPED for trial in data.trials)
    said = (
        f"{label(objective.metric)} by iteration. {pruned:,} of {len(data.trials):,} trials were "
        "stopped early."
        + (f" Dashed lines: rungs at {', '.join(map(str, rungs))}." if rungs else "")
        + (
            f" {len(chosen):,} of {len(curves):,} curves are drawn: those of the best trials, and "
            "an even choice of the others."
            if len(chosen) < len(curves)
            else ""
        )
    )
    drawn = theme.figure(TITLE, said, height=480)
    for state, (name, colour, symbol) in _ENDS.items():
        ids = [trial for trial in chosen if data.by_id[trial].state is state]
        if ids:
            _draw(drawn, {trial: curves[trial] for trial in ids}, name, colour, symbol)
    for rung in rungs:
        drawn.add_vline(x=rung, line={"dash": "dash", "width": 1, "color": theme.GREY})
    drawn.update_xaxes(title="iteration")
    return drawn.update_yaxes(title=direction(objective))


Curve = list[tuple[int, float]]


def _of(data: StudyData, metric: str) -> Objective:
    named = [each for each in data.objectives if each.metric == metric]
    return named[0] if named else Objective(metric, "minimize")


def _curves(data: StudyData, metric: str) -> dict[int, Curve]:
    found: dict[int, Curve] = defaultdict(list)
    for point in data.curves:
        value = point.metrics.get(metric)
        if point.iteration is not None and value is not None and point.trial_id in data.by_id:
            found[point.trial_id].append((point.iteration, value))
    return dict(found)


def _chosen(curves: dict[int, Curve], objective: Objective, most: int) -> list[int]:
    """Return the trials to draw; a third of them are the best ones."""
    if len(curves) <= most:
        return list(curves)

    def last(trial: int) -> float:
        finite = [value for _, value in curves[trial] if math.isfinite(value)]
        return objective.loss(finite[-1]) if finite else math.inf

    ranked = sorted(curves, key=last)
    best = ranked[: most // 3]
    return sorted([*best, *theme.sampled(sorted(ranked[len(best) :]), most - len(best))])


def _draw(drawn: go.Figure, curves: dict[int, Curve], name: str, colour: str, symbol: str) -> None:
    """Draw curves as one trace, with a gap between two curves."""
    xs: list[Any] = []
    ys: list[Any] = []
    ids: list[Any] = []
    for trial, curve in curves.items():
        xs += [*(iteration for iteration, _ in curve), None]
        ys += [*(value if math.isfinite(value) else None for _, value in curve), None]
        ids += [trial] * (len(curve) + 1)
    drawn.add_trace(
        theme.points(
            len(xs),
            x=xs,
            y=ys,
            customdata=ids,
            mode="lines",
            name=name,
            legendgroup=name,
            line={"color": colour, "width": 1},
            opacity=0.55,
            hovertemplate="trial %{customdata}, iteration %{x}: %{y:.6g}",
            showlegend=False,
        )
    )
    ends = {trial: finite[-1] for trial, curve in curves.items() if (finite := _finite(curve))}
    drawn.add_scatter(
        x=[iteration for iteration, _ in ends.values()],
        y=[value for _, value in ends.values()],
        customdata=list(ends),
        mode="markers",
        name=name,
        legendgroup=name,
        marker={"color": colour, "symbol": symbol, "size": 8},
        hovertemplate=f"trial %{{customdata}} {name} at iteration %{{x}}: %{{y:.6g}}",
    )


def _finite(curve: Curve) -> Curve:
    return [point for point in curve if math.isfinite(point[1])]
