"""Select jobs by their state, their tags and comparisons of their numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from hpo_core.controller.results.tables import declared
from hpo_core.model.comparison import Comparison, comparison
from hpo_core.model.errors import Fault, InvalidInput, nearest
from hpo_core.model.text import some
from hpo_core.model.values import Configuration, Value
from hpo_core.store.records import JobRecord
from hpo_core.study.view import StudyView

FIELDS = ("trial_id", "attempt", "target", "iteration", "seconds")
"""The fields of a job that comparisons may name, besides parameters and metrics."""


class JobFilter(msgspec.Struct, frozen=True, kw_only=True):
    """A selection of jobs. A job is selected if all of it applies.

    Attributes:
        states: Its state is one of these; empty for any state.
        tags: It has each of these tags.
        where: Each of these comparisons holds, such as ``"lr < 0.01"``. A name is that of a
            parameter, of a metric (its last value) or one of `FIELDS`; a boolean is 1 or 0. A job
            without the value is not selected.
    """

    states: Collection[str] = ()
    tags: Collection[str] = ()
    where: Sequence[str] = ()

    def select(self, study: StudyView, jobs: Sequence[JobRecord]) -> list[JobRecord]:
        """Return those of a study's jobs that are selected.

        Raises:
            InvalidInput: With all faults of the comparisons.
        """
        compared, faults = self._comparisons()
        if compared:
            faults += _misnamed(compared, study, jobs)
        if faults:
            raise InvalidInput(faults)
        configurations = study.configurations() if compared else {}
        tags = study.tags(jobs) if self.tags else [()] * len(jobs)
        return [
            job
            for job, given in zip(jobs, tags, strict=True)
            if (not self.states or job.state.value in self.states)
            and set(self.tags) <= set(given)
            and all(_holds(each, job, configurations[job.id]) for each in compared)
        ]

    def _comparisons(self) -> tuple[list[Comparison], list[Fault]]:
        found, faults = [], []
        for text in self.where:
            try:
                found.append(comparison(text))
            except ValueError as error:
                faults.append(Fault("--where", str(error)))
        return found, faults


def _misnamed(
    compared: Sequence[Comparison], study: StudyView, jobs: Sequence[JobRecord]
) -> Iterator[Fault]:
    """Yield the names that have no numbers in any job."""
    config = study.config
    metrics = declared(config.objectives, config.constraints)
    known = dict.fromkeys(
        [*config.space.names, *metrics, *(m for job in jobs for m in job.metrics)]
    )
    names = dict.fromkeys(name for each in compared for name in each.coefficients)
    texts = {
        name
        for given in study.configurations().values()
        for name in names
        if isinstance(given.get(name), str)
    }
    for name in names:
        if name in texts:
            yield Fault("--where", f"{name!r} has texts as values; only numbers are compared")
        elif name not in known and name not in FIELDS:
            hint = nearest(name, [*known, *FIELDS])
            message = f"no parameter, metric or field is named {name!r}{hint}"
            yield Fault("--where", f"{message}; there are {some([*known, *FIELDS])}")


def _holds(compared: Comparison, job: JobRecord, configuration: Configuration) -> bool:
    values: dict[str, float] = {}
    for name in compared.coefficients:
        value = _value(name, job, configuration)
        if not isinstance(value, int | float):
            return False
        values[name] = value
    return compared.holds(values)


def _value(name: str, job: JobRecord, configuration: Mapping[str, Value]) -> Value:
    if name in configuration:
        return configuration[name]
    if name in job.metrics:
        return job.metrics[name]
    found: Value = getattr(job, name) if name in FIELDS else None
    return found
