"""The placeholders allowed in the command, the environment variables and the job names."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from hpo_core.model.choices import Categorical, Constant, ParameterSet
from hpo_core.model.errors import Fault
from hpo_core.model.job import Job
from hpo_core.model.parameters import Parameter
from hpo_core.model.templates import PLACEHOLDER_VALUES, Known, misfits, template, wrong
from hpo_core.model.values import Value

JOB_NAME_VALUES: Mapping[str, Value] = {"name": "study", "trial_id": 1, "job_id": "1.1"}
"""The placeholders of job names besides the parameters, each with an example value."""

MACHINE_VALUES: Mapping[str, Value] = {"gpu": "0", "worker": 0}
"""The placeholders of commands and variables that some backends fill in, with example values. A
parameter with such a name takes its place, as in studies that are older than these placeholders."""

_MEANINGS = {"name": "the study's name", "trial_id": "the trial's number", "job_id": "the job's id"}


class Texts:
    """The texts of a study that have placeholders, each with its key.

    Args:
        command: The job's command; None for a function.
        environment: The environment variables of the job.
        job_name: The template of job names.
        metrics_file: Where the job writes its metrics; None if it does not.
        tags: The templates of the tags of jobs.
        parameters: The names of the parameters with their values (see `values_of`); without values
            for a parameter that is invalid.
    """

    def __init__(
        self,
        command: Sequence[str] | None,
        environment: Mapping[str, str],
        job_name: str,
        metrics_file: str | None,
        tags: Sequence[str],
        parameters: Known,
    ) -> None:
        self._parameters = parameters
        self._is_command = command is not None
        self._labels = (job_name, *tags)
        known = {
            **{name: (value,) for name, value in MACHINE_VALUES.items()},
            **parameters,
            **{name: (value,) for name, value in PLACEHOLDER_VALUES.items()},
        }
        self._of_jobs: list[tuple[str, str, Known]] = [
            (f"job.command[{position}]", argument, known)
            for position, argument in enumerate(command or ())
        ]
        self._of_jobs += [
            (f"job.environment.{name}", text, known) for name, text in environment.items()
        ]
        known = {**parameters, **{name: (value,) for name, value in JOB_NAME_VALUES.items()}}
        self._texts = [("job_name", job_name, known), *self._of_jobs]
        self._texts += [(f"job.tags[{place}]", text, known) for place, text in enumerate(tags)]
        if metrics_file is not None:
            known = {**known, **{name: (value,) for name, value in PLACEHOLDER_VALUES.items()}}
            self._texts.append(("job.metrics_file", metrics_file, known))

    def faults(self) -> Iterator[Fault]:
        """Yield the faults that prevent rendering the texts."""
        for path, text, _ in () if self._is_command else self._of_jobs:
            with suppress(ValueError):  # reported below
                if template(text).names():
                    yield Fault(
                        path,
                        "a function's worker runs many jobs, so its variables can't hold a job's "
                        "values; give a command, or read the configuration in the function",
                    )
        for path, text, known in self._texts:
            yield from wrong(text, known, path)
        for name in self._parameters if self._is_command else ():
            if name in PLACEHOLDER_VALUES:
                message = f"{{{name}}} has its own meaning in commands; rename"
                yield Fault(f"parameters.{name}", message)

    def mentioned(self) -> set[str]:
        """Return the parameters that the command and the environment variables use."""
        used = (name for _, text, known in self._of_jobs for name in template(text).names(known))
        return {name for name in used if name in self._parameters}

    def of_machine(self) -> dict[str, str]:
        """Return the placeholders that only some backends fill in, each with the key of a text."""
        return {
            name: path
            for path, text, known in self._of_jobs
            for name in template(text).names(known)
            if name in MACHINE_VALUES and name not in self._parameters
        }

    def ambiguous_names(self) -> Iterator[Fault]:
        """Yield the parameters whose names have another meaning in job names and tags."""
        named = {
            name: None for text in self._labels for name in template(text).names(self._parameters)
        }
        for name in named:
            if name in JOB_NAME_VALUES and name in self._parameters:
                yield Fault(
                    f"parameters.{name}",
                    f"{{{name}}} in job_name is {_MEANINGS[name]}, not this parameter; "
                    "rename the parameter, or give a job_name without it",
                )

    def ignored_formats(self) -> Iterator[Fault]:
        """Yield the formats that apply to no value of their parameter."""
        for path, text, known in self._texts:
            yield from misfits(text, known, path)


def label_values(study: str, trial_id: int, job_id: str) -> dict[str, Value]:
    """Return what the placeholders of job names and tags stand for, besides the parameters."""
    return {"name": study, "trial_id": trial_id, "job_id": job_id}


def job_tags(templates: Sequence[str], values: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the tags of a job, without empty ones and those of inactive parameters.

    Args:
        templates: The texts of the study.
        values: The values of the placeholders.
    """
    cuts = map(template, templates)
    active = (cut for cut in cuts if all(name in values for name in cut.names(values)))
    return tuple(dict.fromkeys(filter(None, (cut.render(values) for cut in active))))


def placeholder_values(job: Job) -> dict[str, Value]:
    """Return what the placeholders of a job's command stand for."""
    values: dict[str, Value] = {
        **job.configuration,
        "python": sys.executable,
        "trial_id": job.trial_id,
        "job_id": job.id,
        "checkpoint_dir": job.checkpoint_dir,
    }
    if job.iterations is not None:
        values["iterations"] = job.iterations
    return values


def values_of(parameters: Sequence[Parameter]) -> dict[str, Sequence[Value]]:
    """Return example values of every possible type for each name that the parameters set."""
    known: dict[str, Sequence[Value]] = {}
    for axis in parameters:
        match axis:
            case Categorical():
                known[axis.name] = axis.choices
            case Constant():
                known[axis.name] = (axis.value,)
            case ParameterSet():
                for name in axis.names:
                    known[name] = tuple(item[name] for item in axis.combinations)
            case _:
                known[axis.name] = (axis.start,)
    return known
