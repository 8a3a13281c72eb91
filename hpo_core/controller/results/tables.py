"""Trials, jobs and reports as pandas tables whose columns keep the types of the values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hpo_core.model.constraint import Constraint
from hpo_core.model.errors import HpoError
from hpo_core.model.objective import Objective
from hpo_core.model.parameters import Categorical, Constant, Float, Int, Parameter, ParameterSet
from hpo_core.model.space import SearchSpace

if TYPE_CHECKING:
    import pandas

    from hpo_core.controller.results.curves import Point
    from hpo_core.controller.results.trial_result import TrialResult
    from hpo_core.model.values import Configuration
    from hpo_core.store.records import JobRecord


def trials_frame(
    trials: Sequence[TrialResult],
    space: SearchSpace,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint] = (),
) -> pandas.DataFrame:
    """Return a row for each trial, with a column for each declared metric at least."""
    wanted, metrics = declared(objectives), declared(objectives, constraints)
    columns = {
        "trial_id": _column([trial.trial_id for trial in trials], int),
        "name": _column([trial.name for trial in trials], str),
        "state": _column([trial.state.value for trial in trials], str),
    }
    if constraints:
        columns["feasible"] = _column([trial.is_feasible for trial in trials], bool)
    columns |= {
        "iteration": _column([trial.iteration for trial in trials], int),
        "seconds": _column([trial.seconds for trial in trials], float),
        "reason": _column([trial.reason for trial in trials], str),
        **_numbers("value", [trial.values for trial in trials], wanted),
        **_metrics([trial.metrics for trial in trials], metrics),
        **_parameters([trial.configuration for trial in trials], space),
    }
    return _pandas().DataFrame(columns)


def jobs_frame(
    jobs: Sequence[JobRecord],
    configurations: Mapping[str, Configuration],
    space: SearchSpace,
    metrics: Iterable[str],
) -> pandas.DataFrame:
    """Return a row for each job, with a column for each of these metrics at least."""
    return _pandas().DataFrame(
        {
            "job": _column([job.id for job in jobs], str),
            "trial_id": _column([job.trial_id for job in jobs], int),
            "attempt": _column([job.attempt for job in jobs], int),
            "name": _column([job.name for job in jobs], str),
            "state": _column([job.state.value for job in jobs], str),
            "cause": _column([job.cause and job.cause.value for job in jobs], str),
            "target": _column([job.target for job in jobs], int),
            "queued": _column([job.queued for job in jobs], float),
            "started": _column([job.started for job in jobs], float),
            "ended": _column([job.ended for job in jobs], float),
            "seconds": _column([job.seconds for job in jobs], float),
            "iteration": _column([job.iteration for job in jobs], int),
            "iterations": _column([job.iterations for job in jobs], int),
            "reason": _column([job.reason for job in jobs], str),
            **_metrics([job.metrics for job in jobs], metrics),
            **_parameters([configurations[job.id] for job in jobs], space),
        }
    )


def reports_frame(reports: Sequence[Point], metrics: Iterable[str]) -> pandas.DataFrame:
    """Return a row for each report, with a column for each of these metrics at least."""
    return _pandas().DataFrame(
        {
            "trial_id": _column([report.trial_id for report in reports], int),
            "job": _column([report.job for report in reports], str),
            "iteration": _column([report.iteration for report in reports], int),
            "seconds": _column([report.seconds for report in reports], float),
            **_metrics([report.metrics for report in reports], metrics),
        }
    )


def declared(objectives: Sequence[Objective], constraints: Sequence[Constraint] = ()) -> list[str]:
    """Return the metrics that a study declares."""
    return [*(one.metric for one in objectives), *(one.metric for one in constraints)]


# -- columns --------------------------------------------------------------------------------


def _metrics(rows: Sequence[Mapping[str, float]], wanted: Iterable[str]) -> dict[str, Any]:
    return dict(sorted(_numbers("metric", rows, wanted).items()))


def _numbers(
    prefix: str, rows: Sequence[Mapping[str, float]], wanted: Iterable[str]
) -> dict[str, Any]:
    names = dict.fromkeys([*wanted, *(name for row in rows for name in row)])
    return {f"{prefix}.{name}": _column([row.get(name) for row in rows], float) for name in names}


def _parameters(rows: Sequence[Configuration], space: SearchSpace) -> dict[str, Any]:
    kinds = {name: kind for axis in space.parameters for name, kind in _kinds(axis)}
    return {
        f"param.{name}": _column([row.get(name) for row in rows], kinds[name])
        for name in space.names
    }


def _kinds(axis: Parameter) -> Iterator[tuple[str, type]]:
    """Yield the type of each parameter of an axis; ``object`` for mixed types."""
    match axis:
        case Float():
            yield axis.name, float
        case Int():
            yield axis.name, int
        case Categorical():
            yield axis.name, _common(map(type, axis.choices))
        case Constant():
            yield axis.name, type(axis.value)
        case ParameterSet():
            for name in axis.names:
                yield name, _common(type(values[name]) for values in axis.combinations)


def _common(kinds: Any) -> type:
    found = set(kinds)
    return found.pop() if len(found) == 1 else object


_PLAIN = {int: "int64", float: "float64", bool: "bool", str: "string"}
_WITH_MISSING = {**_PLAIN, int: "Int64", bool: "boolean"}


def _column(values: Collection[Any], kind: type) -> Any:
    """Return a column of the values' type; a nullable one if values are missing."""
    series = _pandas().Series
    types = _WITH_MISSING if kind is not float and None in values else _PLAIN
    try:
        return series(values, dtype=types.get(kind, "object"))
    except OverflowError:  # of integers beyond 64 bits
        return series(values, dtype="object")


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise HpoError("tables need pandas: pip install 'hpo-core[pandas]'") from error
    return pandas
