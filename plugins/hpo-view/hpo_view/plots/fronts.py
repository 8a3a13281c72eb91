"""Several objectives: the Pareto front, and the growth of the hypervolume that it dominates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from hpo_core import Study
from hpo_core.plugin import pareto_front as front_of
from hpo_view import theme
from hpo_view.data import DrawnTrial, StudyData, direction, read, value
from hpo_view.hypervolume import Hypervolume
from hpo_view.text import counted, label, number

PARETO, VOLUME = "Pareto front", "Hypervolume history"
_SEVERAL = "This takes a study with several objectives."


def pareto_front(study: Study | StudyData, *, objectives: Sequence[str] | None = None) -> go.Figure:
    """Draw the completed trials by two or three objectives, with the Pareto front marked.

    Args:
        study: The study.
        objectives: The metrics of two or three objectives, for the axes; None for the first ones.
            The front is that of all objectives of the study.
    """
    data = read(study)
    if len(data.objectives) < 2:
        return theme.empty(PARETO, _SEVERAL)
    axes = [data.objective(metric) for metric in objectives or ()] or list(data.objectives[:3])
    if not data.counted:
        return theme.empty(PARETO, "No trial is completed yet.")
    on_front = {trial.trial_id for trial in front(data.feasible)}
    groups: dict[str, tuple[list[DrawnTrial], dict[str, Any]]] = {
        "dominated": (
            [trial for trial in data.feasible if trial.trial_id not in on_front],
            {"color": theme.SKY, "size": 6, "symbol": "circle", "opacity": 0.6},
        ),
        "infeasible": (
            [trial for trial in data.counted if not trial.is_feasible],
            {"color": theme.GREY, "size": 6, "symbol": "x", "opacity": 0.6},
        ),
        "Pareto front": (
            front(data.feasible),
            {"color": theme.VERMILLION, "size": 9, "symbol": "diamond"},
        ),
    }
    more = f", drawn by the first 3 of {len(data.objectives)}" if len(data.objectives) > 3 else ""
    drawn = theme.figure(
        PARETO,
        f"{len(on_front):,} of {counted(len(data.counted), 'completed trial')} are not dominated "
        f"in all {len(data.objectives)} objectives{more if objectives is None else ''}.",
        height=560 if len(axes) == 3 else 460,
    )
    for name, (trials, marker) in groups.items():
        if not trials:
            continue
        places = [[value(trial, axis) for trial in trials] for axis in axes]
        trace: dict[str, Any] = {
            "customdata": [trial.trial_id for trial in trials],
            "name": name,
            "mode": "markers",
            "marker": marker,
        }
        if len(axes) == 3:
            trace["marker"] = {**marker, "size": marker["size"] / 2}
            drawn.add_scatter3d(
                x=places[0],
                y=places[1],
                z=places[2],
                hovertemplate="trial %{customdata}: %{x:.6g}, %{y:.6g}, %{z:.6g}",
                **trace,
            )
        else:
            hover = "trial %{customdata}: %{x:.6g}, %{y:.6g}"
            drawn.add_trace(
                theme.points(
                    len(data.counted), x=places[0], y=places[1], hovertemplate=hover, **trace
                )
            )
    titles = [direction(axis) for axis in axes]
    if len(axes) == 3:
        return drawn.update_scenes(
            xaxis={"title": {"text": titles[0]}},
            yaxis={"title": {"text": titles[1]}},
            zaxis={"title": {"text": titles[2]}},
        )
    return drawn.update_xaxes(title=titles[0]).update_yaxes(title=titles[1])


def hypervolume_history(
    study: Study | StudyData,
    *others: Study | StudyData,
    reference_point: Sequence[float] | None = None,
) -> go.Figure:
    """Draw the growth of the hypervolume that feasible trials dominate.

    Args:
        study: The study.
        *others: Studies to compare with it, with the same objectives.
        reference_point: A value for each objective, worse than all values that count; None for the
            worst values of all completed, feasible trials.
    """
    several = [read(each) for each in (study, *others)]
    first = several[0]
    if len(first.objectives) < 2:
        return theme.empty(VOLUME, _SEVERAL)
    losses = [trial.losses or () for data in several for trial in data.feasible]
    if not losses:
        return theme.empty(VOLUME, "No completed trial keeps the constraints yet.")
    if reference_point is None:
        worst = [max(column) for column in zip(*losses, strict=True)]
    else:
        pairs = zip(first.objectives, reference_point, strict=True)
        worst = [objective.loss(given) for objective, given in pairs]
    at = [
        f"{label(objective.metric)} {number(objective.loss(loss))}"
        for objective, loss in zip(first.objectives, worst, strict=True)
    ]
    drawn = theme.figure(VOLUME, "")
    grown = []
    for place, data in enumerate(several):
        volume = Hypervolume(worst)
        volumes = [volume.add(trial.losses or ()) for trial in data.feasible]
        if volumes:
            grown.append(f"{label(data.name)}: {number(volumes[-1])}.")
        drawn.add_scatter(
            x=[trial.trial_id for trial in data.feasible],
            y=volumes,
            mode="lines",
            line={"shape": "hv", "color": theme.COLOURS[place % len(theme.COLOURS)]},
            name=label(data.name),
            hovertemplate="trial %{x}: %{y:.6g}",
            showlegend=True,
        )
    drawn.update_layout(meta={"caption": f"{' '.join(grown)} Reference point: {', '.join(at)}."})
    return drawn.update_xaxes(title="trial").update_yaxes(title="hypervolume (higher is better)")


def front(trials: Sequence[DrawnTrial]) -> list[DrawnTrial]:
    """Return the trials that no other trial dominates."""
    return [trials[place] for place in front_of([trial.losses or () for trial in trials])]
