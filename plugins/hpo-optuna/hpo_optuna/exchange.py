"""Studies in Optuna's own storages: written for Optuna and its dashboard, read for a warm start."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from hpo_core import TrialState as State
from hpo_core.plugin import (
    Categorical,
    Constant,
    ExchangedStudy,
    ExchangedTrial,
    Float,
    HpoError,
    Int,
    SearchSpace,
    Value,
    same_value,
)
from hpo_optuna.axes import check, distribution_of
from hpo_optuna.samplers import quiet

_STATES = {
    State.COMPLETED: TrialState.COMPLETE,
    State.STOPPED: TrialState.PRUNED,
    State.FAILED: TrialState.FAIL,
    State.RUNNING: TrialState.RUNNING,
    State.PAUSED: TrialState.RUNNING,
}
_READ = {
    TrialState.COMPLETE: State.COMPLETED,
    TrialState.PRUNED: State.STOPPED,
    TrialState.FAIL: State.FAILED,
}
_METRIC = "metric."  # before the name of a metric, among a trial's user attributes
_CONSTRAINT = "constraints:"  # before the name of a constraint, among Optuna's own attributes


# -- out ------------------------------------------------------------------------------------


def write_study(study: ExchangedStudy, url: str) -> None:
    """Write a study into one of Optuna's storages.

    A trial that has not ended is running there; when that is not known, a trial began or ended
    now. Metrics that are finite are user attributes, ``metric.NAME``.

    Args:
        study: The study.
        url: The storage, such as ``"sqlite:///f.db"``; it is made if it is not there.

    Raises:
        InvalidInput: If Optuna can't hold the space.
        HpoError: If the storage has a study of that name, or can't be opened.
    """
    check(study.space)
    shown = {name: _distribution(study.space.by_name[name]) for name in study.space.names}
    now = datetime.datetime.now()
    with quiet():
        try:
            written = optuna.create_study(
                storage=_storage(url), study_name=study.name, directions=list(study.directions)
            )
        except optuna.exceptions.DuplicatedStudyError:
            raise HpoError(
                f"{url} has a study {study.name!r} already; take another file, or delete it there"
            ) from None
        if study.metrics is not None:
            written.set_metric_names(list(study.metrics))
        for trial in study.trials:
            written.add_trial(_written(study, trial, shown, now))


def _written(
    study: ExchangedStudy,
    trial: ExchangedTrial,
    shown: Mapping[str, BaseDistribution],
    now: datetime.datetime,
) -> FrozenTrial:
    state = _STATES[trial.state]
    if state is TrialState.COMPLETE and trial.values is None:
        state = TrialState.FAIL
    has_values = state in (TrialState.COMPLETE, TrialState.PRUNED)
    params = {name: trial.configuration[name] for name in shown if name in trial.configuration}
    return FrozenTrial(
        number=-1,  # the storage's to give, as the next one
        trial_id=-1,
        state=state,
        value=None,
        values=trial.values if has_values else None,
        datetime_start=_moment(trial.began, now),
        datetime_complete=_moment(trial.ended, now) if state.is_finished() else None,
        params={name: _choice(shown[name], value) for name, value in params.items()},
        distributions={name: shown[name] for name in params},
        user_attrs={
            "trial_id": trial.number,
            "name": trial.name,
            **({"reason": trial.reason} if trial.reason else {}),
            **{
                f"{_METRIC}{name}": value
                for name, value in trial.metrics.items()
                if math.isfinite(value)
            },
        },
        system_attrs={
            f"{_CONSTRAINT}{each.metric}": trial.metrics[each.metric] - each.bound
            for each in study.constraints
            if math.isfinite(trial.metrics.get(each.metric, math.nan))
        },
        intermediate_values=dict(trial.intermediate),
    )


def _moment(time: float | None, now: datetime.datetime) -> datetime.datetime:
    return now if time is None else datetime.datetime.fromtimestamp(time)


def _distribution(axis: Float | Int | Categorical | Constant) -> BaseDistribution:
    match axis:
        case Constant():
            value: Any = repr(axis.value) if axis.has_structure else axis.value
            return CategoricalDistribution([value])
        case Categorical():
            choices: Any = axis.choices
            # to Optuna 1, 1.0 and True are one choice, and it has no lists and tables
            if axis.has_structure or len(set(choices)) < len(choices):
                return CategoricalDistribution([repr(choice) for choice in choices])
            return CategoricalDistribution(choices)
        case _:
            return distribution_of(axis)


def _choice(distribution: BaseDistribution, value: Value) -> Value:
    """Return a value as its distribution has it: choices that Optuna takes for one as texts."""
    if isinstance(distribution, CategoricalDistribution) and not any(
        same_value(value, choice) for choice in distribution.choices
    ):
        return repr(value)
    return value


# -- in -------------------------------------------------------------------------------------


def read_study(url: str, name: str | None, space: SearchSpace) -> ExchangedStudy:
    """Read a study from one of Optuna's storages.

    A value that is off a Float's step by rounding alone is taken as the exact one, a choice that
    was written as a text as what it stands for; constants need not be there.

    Args:
        url: The storage, such as ``"sqlite:///f.db"``; it must be there.
        name: The study; None for the only one.
        space: The space of the study that takes the trials.

    Raises:
        HpoError: If the storage can't be opened, has no such study, or several and none is named.
    """
    with quiet():
        storage = _storage(url, create=False)
        known = sorted(each.study_name for each in storage.get_all_studies())
        if name is None and len(known) == 1:
            name = known[0]
        if name is None and known:
            raise HpoError(f"{url} has several studies; say which with --of: {', '.join(known)}")
        if name not in known:
            asked = "no study" if name is None else f"no study {name!r}"
            raise HpoError(f"{url} has {asked}; it has: {', '.join(known) or 'none'}")
        study = optuna.load_study(study_name=name, storage=storage)
        return ExchangedStudy(
            name=study.study_name,
            directions=tuple(
                "minimize" if each.name == "MINIMIZE" else "maximize" for each in study.directions
            ),
            metrics=None if study.metric_names is None else tuple(study.metric_names),
            trials=tuple(_read(trial, space) for trial in study.get_trials(deepcopy=False)),
            space=space,
        )


def _read(trial: FrozenTrial, space: SearchSpace) -> ExchangedTrial:
    constants = {
        name: axis.value for name, axis in space.by_name.items() if isinstance(axis, Constant)
    }
    given = {name: _own(space, name, value) for name, value in trial.params.items()}
    missing = {
        name: value
        for name, value in constants.items()
        if name not in given and not space.conditions[name]
    }
    state = _READ.get(trial.state, State.RUNNING)
    has_values = state is not State.FAILED and trial.values is not None
    return ExchangedTrial(
        number=trial.number,
        configuration=missing | given,
        state=state,
        values=tuple(trial.values) if has_values else None,
        intermediate=dict(trial.intermediate_values),
        metrics={
            key.removeprefix(_METRIC): float(value)
            for key, value in trial.user_attrs.items()
            if key.startswith(_METRIC) and isinstance(value, int | float)
        },
        began=None if trial.datetime_start is None else trial.datetime_start.timestamp(),
        ended=None if trial.datetime_complete is None else trial.datetime_complete.timestamp(),
        name=str(trial.user_attrs.get("name", "")),
    )


def _own(space: SearchSpace, name: str, value: Value) -> Value:
    axis = space.by_name.get(name)
    match axis:
        case Float(step=float()) if isinstance(value, float) and math.isfinite(value):
            place = min(max(axis.index(value), 0), (axis.size or 1) - 1)
            exact = axis.at(place)
            return exact if math.isclose(exact, value, rel_tol=1e-9, abs_tol=1e-12) else value
        case Categorical() if isinstance(value, str) and axis.wrong(value):
            return next((each for each in axis.choices if repr(each) == value), value)
        case _:
            return value


def _storage(url: str, *, create: bool = True) -> optuna.storages.BaseStorage:
    path = url.removeprefix("sqlite:///")
    if not create and path != url and not Path(path.partition("?")[0]).exists():
        raise HpoError(f"there is no file {path}; an Optuna storage is given as sqlite:///FILE")
    try:
        storage = optuna.storages.get_storage(url)
    except Exception as error:  # of SQLAlchemy, and of whichever database it is
        raise HpoError(
            f"the storage {url!r} can't be opened: {error}; give one such as sqlite:///FILE"
        ) from error
    assert isinstance(storage, optuna.storages.BaseStorage)
    return storage
