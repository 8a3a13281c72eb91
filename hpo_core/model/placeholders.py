"""Which placeholders the texts of a study may use: its command, its variables, its jobs' names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hpo_core.model.choices import Categorical, Constant, ParameterSet
from hpo_core.model.errors import Fault
from hpo_core.model.parameters import Parameter
from hpo_core.model.templates import PLACEHOLDER_VALUES, Known, misfits, wrong
from hpo_core.model.values import Value

JOB_NAME_VALUES: Mapping[str, Value] = {"name": "study", "trial_id": 1, "job_id": "1.1"}
"""What a job's name may name besides the parameters, each with a value such as it has."""


class Texts:
    """A study's texts with placeholders, each with the key where it stands.

    Args:
        command: The job's command; None for a function.
        environment: The job's variables.
        job_name: How jobs are named.
        parameters: The parameters' names, with their values (see `values_of`); without any
            where a parameter can't be read.
    """

    def __init__(
        self,
        command: Sequence[str] | None,
        environment: Mapping[str, str],
        job_name: str,
        parameters: Known,
    ) -> None:
        self._parameters = parameters
        self._is_command = command is not None
        of_jobs = {name: (value,) for name, value in PLACEHOLDER_VALUES.items()}
        of_names = {name: (value,) for name, value in JOB_NAME_VALUES.items()}
        self._texts: list[tuple[str, str, Known]] = [
            ("job_name", job_name, {**parameters, **of_names}),
            *(
                (f"job.command[{position}]", argument, {**parameters, **of_jobs})
                for position, argument in enumerate(command or ())
            ),
        ]

    def faults(self) -> Iterator[Fault]:
        """Yield what keeps the texts from being filled in."""
        for path, text, known in self._texts:
            yield from wrong(text, known, path)
        for name in self._parameters if self._is_command else ():
            if name in PLACEHOLDER_VALUES:
                message = f"{{{name}}} has a meaning of its own in commands; rename"
                yield Fault(f"parameters.{name}", message)

    def ignored_formats(self) -> Iterator[Fault]:
        """Yield the formats that no value of their parameter can have."""
        for path, text, known in self._texts:
            yield from misfits(text, known, path)


def values_of(parameters: Sequence[Parameter]) -> dict[str, Sequence[Value]]:
    """Return for each name that the parameters set values of every kind that it can have."""
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
