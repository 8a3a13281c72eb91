"""The tables of a study: a row for each trial, job or report, with documented columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hpo_core.controller.results.table import Column, Table
from hpo_core.model.constraint import Constraint
from hpo_core.model.objective import Objective
from hpo_core.model.parameters import Categorical, Constant, Float, Int, Parameter, ParameterSet
from hpo_core.model.space import SearchSpace

if TYPE_CHECKING:
    from hpo_core.controller.results.curves import Point
    from hpo_core.controller.results.trial_result import TrialResult
    from hpo_core.model.values import Configuration
    from hpo_core.store.records import JobRecord

TABLES = ("trials", "jobs", "reports")
"""The names of the tables."""


def trials_table(
    trials: Sequence[TrialResult],
    space: SearchSpace,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint] = (),
) -> Table:
    """Return a row for each trial, with a column for each declared metric at least."""
    feasible = [Column("feasible", bool, [trial.is_feasible for trial in trials])]
    return Table(
        [
            Column("trial_id", int, [trial.trial_id for trial in trials]),
            Column("name", str, [trial.name for trial in trials]),
            Column("state", str, [trial.state.value for trial in trials]),
            *(feasible if constraints else ()),
            Column("iteration", int, [trial.iteration for trial in trials]),
            Column("seconds", float, [trial.seconds for trial in trials]),
            Column("reason", str, [trial.reason for trial in trials]),
            *_numbers("value", [trial.values for trial in trials], declared(objectives)),
            *_metrics([trial.metrics for trial in trials], declared(objectives, constraints)),
            *_parameters([trial.configuration for trial in trials], space),
        ]
    )


def jobs_table(
    jobs: Sequence[JobRecord],
    configurations: Mapping[str, Configuration],
    space: SearchSpace,
    metrics: Iterable[str],
    tags: Sequence[tuple[str, ...]] | None = None,
) -> Table:
    """Return a row for each job, with a column for each of these metrics at least.

    Args:
        jobs: The jobs.
        configurations: The configuration of each job, by its id.
        space: The search space.
        metrics: The metrics.
        tags: The tags of each job; None for no column.
    """
    ids = [job.id for job in jobs]
    return Table(
        [
            Column("job", str, ids),
            Column("trial_id", int, [job.trial_id for job in jobs]),
            Column("attempt", int, [job.attempt for job in jobs]),
            Column("name", str, [job.name for job in jobs]),
            *(() if tags is None else [Column("tags", tuple, tags)]),
            Column("state", str, [job.state.value for job in jobs]),
            Column("cause", str, [job.cause and job.cause.value for job in jobs]),
            Column("target", int, [job.target for job in jobs]),
            Column("queued", float, [job.queued for job in jobs]),
            Column("started", float, [job.started for job in jobs]),
            Column("ended", float, [job.ended for job in jobs]),
            Column("seconds", float, [job.seconds for job in jobs]),
            Column("iteration", int, [job.iteration for job in jobs]),
            Column("iterations", int, [job.iterations for job in jobs]),
            Column("reason", str, [job.reason for job in jobs]),
            *_metrics([job.metrics for job in jobs], metrics),
            *_parameters([configurations[each] for each in ids], space),
        ]
    )


def reports_table(reports: Sequence[Point], metrics: Iterable[str]) -> Table:
    """Return a row for each report, with a column for each of these metrics at least."""
    return Table(
        [
            Column("trial_id", int, [report.trial_id for report in reports]),
            Column("job", str, [report.job for report in reports]),
            Column("iteration", int, [report.iteration for report in reports]),
            Column("seconds", float, [report.seconds for report in reports]),
            *_metrics([report.metrics for report in reports], metrics),
        ]
    )


def declared(objectives: Sequence[Objective], constraints: Sequence[Constraint] = ()) -> list[str]:
    """Return the metrics that a study declares."""
    return [*(one.metric for one in objectives), *(one.metric for one in constraints)]


# -- columns --------------------------------------------------------------------------------


def _metrics(rows: Sequence[Mapping[str, float]], wanted: Iterable[str]) -> list[Column]:
    return sorted(_numbers("metric", rows, wanted), key=lambda column: column.name)


def _numbers(
    prefix: str, rows: Sequence[Mapping[str, float]], wanted: Iterable[str]
) -> list[Column]:
    names = dict.fromkeys([*wanted, *(name for row in rows for name in row)])
    return [Column(f"{prefix}.{name}", float, [row.get(name) for row in rows]) for name in names]


def _parameters(rows: Sequence[Configuration], space: SearchSpace) -> list[Column]:
    kinds = {name: kind for axis in space.parameters for name, kind in _kinds(axis)}
    return [
        Column(f"param.{name}", kinds[name], [row.get(name) for row in rows])
        for name in space.names
    ]


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


def _common(kinds: Iterable[type]) -> type:
    found = {kind for kind in kinds if kind is not type(None)}  # None is a missing value
    return found.pop() if len(found) == 1 else object
