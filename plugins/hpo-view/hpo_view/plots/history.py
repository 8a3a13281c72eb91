"""The objective over the trials of a study, and the distribution of its values."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hpo_core import Objective, Study, TrialState
from hpo_view import theme
from hpo_view.data import DrawnTrial, StudyData, direction, read, running_best, value
from hpo_view.text import counted, label, number

HISTORY, EDF = "Optimization history", "Distribution of the objective"


def optimization_history(
    study: Study | StudyData, *others: Study | StudyData, objective: str | None = None
) -> go.Figure:
    """Draw the value of each completed trial, and a line for the best value so far.

    Args:
        study: The study.
        *others: Studies to draw beside it; they need the same objective.
        objective: The metric of one objective; None for all of them, one below another.
    """
    several = [read(each) for each in (study, *others)]
    first = several[0]
    wanted = first.objectives if objective is None else [first.objective(objective)]
    if not any(each.counted or each.unfinished for each in several):
        return theme.empty(HISTORY, "No trial has a value yet.")
    said = " ".join(filter(None, (_best(data, wanted) for data in several)))
    drawn = theme.figure(HISTORY, said, height=140 + 280 * len(wanted))
    drawn = make_subplots(rows=len(wanted), shared_xaxes=True, vertical_spacing=0.06, figure=drawn)
    for row, each in enumerate(wanted, start=1):
        for place, data in enumerate(several):
            prefix = f"{label(data.name)}: " if others else ""
            _draw(drawn, row, data, data.objective(each.metric), place, prefix)
        drawn.update_yaxes(title=direction(each), row=row)
    return drawn.update_xaxes(title="trial", row=len(wanted))


def _draw(
    drawn: go.Figure, row: int, data: StudyData, objective: Objective, place: int, prefix: str
) -> None:
    colour = theme.COLOURS[place % len(theme.COLOURS)]
    groups = {
        "not completed": (data.unfinished, theme.GREY, "circle-open"),
        "completed": (data.feasible, colour, "circle"),
        "infeasible": (
            [trial for trial in data.counted if not trial.is_feasible],
            theme.GREY,
            "x-thin-open",
        ),
    }
    for name, (trials, shade, symbol) in groups.items():
        if trials:
            drawn.add_trace(
                theme.points(
                    len(data.trials),
                    x=[trial.trial_id for trial in trials],
                    y=[value(trial, objective) for trial in trials],
                    mode="markers",
                    name=f"{prefix}{name}",
                    marker={"color": shade, "size": 6, "symbol": symbol, "opacity": 0.7},
                    hovertemplate="trial %{x}: %{y:.6g}",
                    showlegend=row == 1,
                ),
                row=row,
                col=1,
            )
    if data.feasible:
        losses = [objective.loss(value(trial, objective)) for trial in data.feasible]
        best = [objective.loss(loss) for loss in running_best(losses)]
        ids = [trial.trial_id for trial in data.feasible]
        steps = [i for i in range(len(best)) if i in (0, len(best) - 1) or best[i] != best[i - 1]]
        drawn.add_scatter(
            x=[ids[step] for step in steps],
            y=[best[step] for step in steps],
            mode="lines",
            name=f"{prefix}incumbent",
            line={"color": theme.VERMILLION if not prefix else colour, "shape": "hv", "width": 2},
            hovertemplate="best up to trial %{x}: %{y:.6g}",
            showlegend=row == 1,
            row=row,
            col=1,
        )


def _best(data: StudyData, objectives: Sequence[Objective]) -> str:
    if not data.feasible:
        none = f"No completed trial of {label(data.name)} keeps the constraints."
        return none if data.counted else f"No trial of {label(data.name)} is completed yet."
    said = []
    for objective in (data.objective(each.metric) for each in objectives):
        found = min(data.feasible, key=lambda each: objective.loss(value(each, objective)))
        at = f"{label(objective.metric)} {number(value(found, objective))}"
        said.append(f"{at} (trial {found.trial_id})")
    of = counted(len(data.counted), "completed trial")
    failed = sum(trial.state is TrialState.FAILED for trial in data.trials)
    left_out = len(data.counted) - len(data.feasible)
    more = f", {left_out:,} of them infeasible" if left_out else ""
    more += f"; {failed:,} failed" if failed else ""
    open_ones = len(data.unfinished)
    more += f"; {open_ones:,} more are not completed, with values as they stand" * bool(open_ones)
    return f"{label(data.name)}: best {', '.join(said)} of {of}{more}."


def edf(
    study: Study | StudyData, *others: Study | StudyData, objective: str | None = None
) -> go.Figure:
    """Draw the empirical distribution function: the share of trials that reach a value.

    Args:
        study: The study.
        *others: Studies to compare with it; they need the same objective.
        objective: The metric of the objective; None for the first one.
    """
    several = [read(each) for each in (study, *others)]
    wanted = several[0].objective(objective)
    drawn = theme.figure(
        EDF,
        f"The share of completed, feasible trials whose {label(wanted.metric)} is a value or "
        f"{'less' if wanted.direction == 'minimize' else 'more'}; a better study's line is higher.",
    )
    for place, data in enumerate(several):
        _add_edf(drawn, data.feasible, data.objective(wanted.metric), data.name, place)
    if not drawn.data:
        return theme.empty(EDF, "No completed trial keeps the constraints yet.")
    drawn.update_yaxes(title="share of trials", range=[0, 1.02])
    return drawn.update_xaxes(title=direction(wanted))


def _add_edf(
    drawn: go.Figure, trials: Sequence[DrawnTrial], objective: Objective, name: str, place: int
) -> None:
    if not trials:
        return
    values = sorted(
        (value(trial, objective) for trial in trials), key=lambda value: objective.loss(value)
    )
    steps = theme.sampled(range(len(values)), theme.MANY)
    drawn.add_scatter(
        x=[values[0], *(values[step] for step in steps)],
        y=[0.0, *((step + 1) / len(values) for step in steps)],
        mode="lines",
        name=label(name),
        line={
            "shape": "hv",
            "color": theme.COLOURS[place % len(theme.COLOURS)],
            "dash": ("solid", "dash", "dot", "dashdot")[place % 4],
        },
        hovertemplate="%{y:.1%} reach %{x:.6g}",
        showlegend=True,
    )
