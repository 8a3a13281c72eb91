"""Studies in Optuna's own storages: written for Optuna and its dashboard, read for a warm start.

`write_study` takes a `Result`, and beside it what a `Result` does not hold: the intermediate
reports, and when trials began and ended. `read_study` returns plain trials, and `fitting` sorts
them into those that a space takes and those that it does not, with the reasons.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from hpo_core import (
    Categorical,
    Configuration,
    Constant,
    Fault,
    Float,
    HpoError,
    Int,
    InvalidInput,
    Result,
    SearchSpace,
    Value,
)
from hpo_core import TrialState as State
from hpo_optuna.axes import check, distribution_of
from hpo_optuna.samplers import quiet

_STATES = {
    State.COMPLETED: TrialState.COMPLETE,
    State.STOPPED: TrialState.PRUNED,
    State.FAILED: TrialState.FAIL,
    State.RUNNING: TrialState.RUNNING,
    State.PAUSED: TrialState.RUNNING,
}


class OptunaTrial(msgspec.Struct, frozen=True, kw_only=True):
    """A trial as it was read.

    Attributes:
        number: Its number in Optuna.
        configuration: Its parameters' values.
        state: COMPLETED, STOPPED (pruned), FAILED or RUNNING (waiting ones too).
        values: The objectives' values; None if it has none.
        intermediate: The reported values, by step.
        seconds: How long it ran, or None.
    """

    number: int
    configuration: Mapping[str, Value]
    state: State
    values: tuple[float, ...] | None
    intermediate: Mapping[int, float] = {}
    seconds: float | None = None


class OptunaStudy(msgspec.Struct, frozen=True, kw_only=True):
    """A study as it was read.

    Attributes:
        name: Its name.
        directions: ``"minimize"`` or ``"maximize"`` for each objective.
        metrics: The objectives' names; None if they were given none.
        trials: Its trials, in order.
    """

    name: str
    directions: tuple[str, ...]
    metrics: tuple[str, ...] | None
    trials: tuple[OptunaTrial, ...]


# -- out ------------------------------------------------------------------------------------


def write_study(
    result: Result,
    url: str,
    *,
    name: str | None = None,
    reports: Mapping[int, Mapping[int, float]] | None = None,
    times: Mapping[int, tuple[float | None, float | None]] | None = None,
) -> str:
    """Write a study into one of Optuna's storages.

    Args:
        result: The study.
        url: The storage, such as ``"sqlite:///f.db"``; it is made if it is not there.
        name: The name it gets there; by default its own.
        reports: For each trial the objective's value at each iteration (one objective alone).
        times: For each trial when it began and ended, in seconds since the epoch. A trial
            without them ends now, and began as long ago as it ran.

    Returns:
        The name.

    Raises:
        InvalidInput: If Optuna can't hold the space.
        HpoError: If the storage has a study of that name, or can't be opened.
    """
    check(result.space)
    name = name or result.name
    with quiet():
        storage = _storage(url)
        try:
            study = optuna.create_study(
                storage=storage,
                study_name=name,
                directions=[each.direction for each in result.objectives],
            )
        except optuna.exceptions.DuplicatedStudyError:
            raise HpoError(
                f"{url} has a study {name!r} already; take another name or another file"
            ) from None
        study.set_metric_names([each.metric for each in result.objectives])
        shown = _shown(result.space)
        now = datetime.datetime.now()
        for trial in result.trials:
            written = _written(trial, shown, now, (reports or {}).get(trial.trial_id, {}))
            began, ended = (times or {}).get(trial.trial_id, (None, None))
            if began is not None:
                written.datetime_start = datetime.datetime.fromtimestamp(began)
            if ended is not None and written.state.is_finished():
                written.datetime_complete = datetime.datetime.fromtimestamp(ended)
            study.add_trial(written)
    return name


def _written(
    trial: Any, shown: Mapping[str, BaseDistribution], now: datetime.datetime, reports: Any
) -> FrozenTrial:
    state = _STATES[trial.state]
    values = list(trial.values.values()) or None
    if state is TrialState.COMPLETE and values is None:
        state = TrialState.FAIL
    params = {name: trial.configuration[name] for name in shown if name in trial.configuration}
    began = now - datetime.timedelta(seconds=trial.seconds)
    return FrozenTrial(
        number=-1,  # the storage's to give, as the next one
        trial_id=-1,
        state=state,
        value=None,
        values=values if state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
        datetime_start=began,
        datetime_complete=now if state.is_finished() else None,
        params={name: _choice(shown[name], value) for name, value in params.items()},
        distributions={name: shown[name] for name in params},
        user_attrs={
            "trial_id": trial.trial_id,
            "name": trial.name,
            **({"reason": trial.reason} if trial.reason else {}),
            **{f"metric.{key}": value for key, value in trial.metrics.items() if _finite(value)},
        },
        system_attrs={},
        intermediate_values=dict(reports),
    )


def _shown(space: SearchSpace) -> dict[str, BaseDistribution]:
    """Return a distribution for each name of a configuration, a set's members included."""
    return {name: _distribution(space.by_name[name]) for name in space.names}


def _distribution(axis: Float | Int | Categorical | Constant) -> BaseDistribution:
    match axis:
        case Constant():
            return CategoricalDistribution([axis.value])
        case Categorical(choices=choices):
            if len(set(choices)) < len(choices):  # to Optuna 1, 1.0 and True are one choice
                return CategoricalDistribution([repr(choice) for choice in choices])
            return CategoricalDistribution(choices)
        case _:
            return distribution_of(axis)


def _choice(distribution: BaseDistribution, value: Value) -> Value:
    """Return a value as its distribution has it: choices that Optuna takes for one as texts."""
    if isinstance(distribution, CategoricalDistribution) and not any(
        type(value) is type(choice) and value == choice for choice in distribution.choices
    ):
        return repr(value)
    return value


def _finite(value: float) -> bool:
    return math.isfinite(value)


# -- in -------------------------------------------------------------------------------------


def read_study(url: str, name: str) -> OptunaStudy:
    """Read a study from one of Optuna's storages.

    Args:
        url: The storage, such as ``"sqlite:///f.db"``; it must be there.
        name: The study.

    Raises:
        HpoError: If the storage can't be opened, or has no such study.
    """
    with quiet():
        storage = _storage(url, create=False)
        known = sorted(each.study_name for each in storage.get_all_studies())
        if name not in known:
            raise HpoError(f"{url} has no study {name!r}; it has: {', '.join(known) or 'none'}")
        study = optuna.load_study(study_name=name, storage=storage)
        return OptunaStudy(
            name=name,
            directions=tuple(each.name.lower() for each in study.directions),
            metrics=None if study.metric_names is None else tuple(study.metric_names),
            trials=tuple(_read(trial) for trial in study.get_trials(deepcopy=False)),
        )


def _read(trial: FrozenTrial) -> OptunaTrial:
    states = {optuna_state: state for state, optuna_state in reversed(_STATES.items())}
    duration = trial.duration
    return OptunaTrial(
        number=trial.number,
        configuration=dict(trial.params),
        state=states.get(trial.state, State.RUNNING),
        values=None if trial.values is None else tuple(trial.values),
        intermediate=dict(trial.intermediate_values),
        seconds=None if duration is None else duration.total_seconds(),
    )


def fitting(
    space: SearchSpace, trials: Iterable[OptunaTrial]
) -> tuple[list[tuple[Configuration, OptunaTrial]], list[tuple[OptunaTrial, Sequence[Fault]]]]:
    """Sort trials into those that a space takes, and those that it does not.

    Floats with a step are taken as the nearest exact value if they are off by rounding alone,
    constants and choices that were written as texts as what they stand for.

    Returns:
        The trials that fit, each with its configuration; and the others, each with its faults.
    """
    fit: list[tuple[Configuration, OptunaTrial]] = []
    misfit: list[tuple[OptunaTrial, Sequence[Fault]]] = []
    for trial in trials:
        try:
            values = {name: _own(space, name, each) for name, each in trial.configuration.items()}
            fit.append((space.configuration(values), trial))
        except InvalidInput as error:
            misfit.append((trial, error.faults))
    return fit, misfit


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
        raise HpoError(f"the storage {url!r} can't be opened: {error}") from error
    assert isinstance(storage, optuna.storages.BaseStorage)
    return storage
