"""Faults of a valid search space that prevent running it as a study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hpo_core.model.axis import several
from hpo_core.model.conditions import is_range
from hpo_core.model.errors import Fault
from hpo_core.model.parameters import Categorical, Constant, Parameter, ParameterSet
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Scalar, Value


def unrunnable(space: SearchSpace) -> Iterator[Fault]:
    """Yield the faults: conditions on single points of continuous axes, and strings with NUL."""
    for axis in space.parameters:
        yield from _points(space, axis.conditions, f"parameters.{axis.name}.when")
        for place, value in _texts(axis):
            if isinstance(value, str) and "\0" in value:
                message = (
                    f"an argument of a process cannot contain the character NUL, got {value!r}"
                )
                yield Fault(f"parameters.{axis.name}.{place}", message)
    for index, clause in enumerate(space.forbidden):
        yield from _points(space, clause, f"forbidden[{index}]")


def _points(
    space: SearchSpace, wanted: Mapping[str, Scalar | tuple[Scalar, ...]], path: str
) -> Iterator[Fault]:
    for name, values in wanted.items():
        axis = space.by_name[name]
        points = [each for each in several(values) if not is_range(each, axis)]
        for point in points[:1] if axis.size is None else ():
            yield Fault(
                f"{path}.{name}",
                f"{name} is continuous, so it is practically never {point!r}; give {name} a "
                "step, or make it a categorical",
            )


def _texts(axis: Parameter) -> Iterator[tuple[str, Value]]:
    match axis:
        case Categorical():
            yield from ((f"choices[{place}]", each) for place, each in enumerate(axis.choices))
        case Constant():
            yield "value", axis.value
        case ParameterSet():
            for place, item in enumerate(axis.combinations):
                yield from ((f"combinations[{place}].{name}", item[name]) for name in item)
