"""The importance of parameters: PED-ANOVA, computed by Optuna."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from hpo_core import Categorical, Constant, Float, Int, Objective, Study
from hpo_view import theme
from hpo_view.data import DrawnTrial, StudyData, read, value
from hpo_view.scales import Scale
from hpo_view.text import counted, label

TITLE = "Parameter importances"
_MOST = 3000
"""Maximum number of trials: adding more to Optuna takes seconds."""
_LEAST = 10
"""Minimum number of trials: the best tenth of fewer is a single trial."""


def param_importances(
    study: Study | StudyData, *, params: Sequence[str] | None = None, objective: str | None = None
) -> go.Figure:
    """Draw how much each parameter matters for being among the best tenth of the trials.

    The method is PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023, arXiv 2304.10255), computed
    by Optuna; with conditional parameters its conditional form (arXiv 2601.20800). The
    importances add up to 1.

    Args:
        study: The study.
        params: Which parameters; None for all that vary.
        objective: The metric of the objective; None for the first one.
    """
    data = read(study)
    wanted = data.objective(objective)
    title = f"{TITLE} for {label(wanted.metric)}" if len(data.objectives) > 1 else TITLE
    names = data.parameters(params)
    if len(data.counted) < _LEAST:
        return theme.empty(title, f"This takes {_LEAST} completed trials or more.")
    found = importances(data, names, wanted)
    if not found:
        return theme.empty(title, "No parameter has two values among the completed trials.")
    ranked = sorted(found, key=lambda name: found[name])
    most = ranked[-1]
    many = min(len(data.counted), _MOST)
    said = (
        f"{label(most)} mattered most ({found[most]:.0%}). Method: PED-ANOVA by Optuna "
        f"{_optuna().__version__}, on {counted(many, 'completed trial')}: how "
        "differently the best tenth of them is distributed."
        + (f" They are an even choice of {len(data.counted):,}." * (many < len(data.counted)))
    )
    drawn = theme.figure(title, said, height=130 + 28 * len(ranked))
    drawn.add_bar(
        x=[found[name] for name in ranked],
        y=[label(name, 30) for name in ranked],
        text=[f"{found[name]:.1%}" for name in ranked],
        textposition="outside",
        cliponaxis=False,
        orientation="h",
        marker={"color": theme.BLUE},
        hovertemplate="%{y}: %{x:.2%}",
    )
    drawn.update_xaxes(
        title="importance (PED-ANOVA)", tickformat=".0%", range=[0, 1.2 * found[most]]
    )
    return drawn.update_yaxes(type="category")


def importances(data: StudyData, names: Sequence[str], objective: Objective) -> dict[str, float]:
    """Return the share of each parameter, except for those with a single value."""
    scales = {name: Scale(data.space, name) for name in names}
    varying = [name for name in names if _varies(data.counted, scales[name])]
    if not varying:
        return {}
    optuna = _optuna()
    kinds = {name: _distribution(data, scales[name]) for name in varying}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("optuna").setLevel(logging.WARNING)
        stored = optuna.create_study(direction="minimize")
        stored.add_trials(
            [
                optuna.trial.create_trial(
                    params={n: v for n in varying if (v := _value(trial, scales[n])) is not None},
                    distributions={
                        n: kinds[n] for n in varying if scales[n].holds(trial.configuration)
                    },
                    value=objective.loss(value(trial, objective)),
                )
                for trial in theme.sampled(data.counted, _MOST)
            ]
        )
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        found: dict[str, float] = optuna.importance.get_param_importances(
            stored, evaluator=evaluator, params=varying
        )
    return found


def _varies(trials: Sequence[DrawnTrial], scale: Scale) -> bool:
    values = {scale.shown(t.configuration) for t in trials if scale.holds(t.configuration)}
    return len(values) > 1


def _value(trial: DrawnTrial, scale: Scale) -> Any:
    """Return a value for Optuna: the label of a choice; None if inactive."""
    if not scale.holds(trial.configuration):
        return None
    return trial.configuration[scale.name] if scale.is_numeric else scale.shown(trial.configuration)


def _distribution(data: StudyData, scale: Scale) -> Any:
    """Return Optuna's distribution of a parameter, including values from before a change."""
    kinds = _optuna().distributions
    match data.space.by_name[scale.name]:
        case Int(low=low, high=high, log=log):
            return kinds.IntDistribution(low, high, log=log)
        case Float(low=low, high=high, log=log):
            return kinds.FloatDistribution(low, high, log=log)
        case Categorical() | Constant():
            return kinds.CategoricalDistribution(scale.labels)


def _optuna() -> Any:
    return importlib.import_module("optuna")
