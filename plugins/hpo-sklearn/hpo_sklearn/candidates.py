"""Convert grids, distributions and parameters of hpo-core to a search space."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hpo_core import Categorical, Constant, Float, Int, ParameterSet, SearchSpace

GRID = "grid"
"""The name of the parameter that selects one of several grids."""

_PARAMETERS = (Categorical, Constant, Float, Int, ParameterSet)
_PLAIN = (str, int, float, bool, type(None))


@dataclass
class Candidates:
    """A search space, and how its configurations become parameters of an estimator.

    Attributes:
        space: The search space.
        objects: For each parameter whose values are not plain (estimators, tuples), the value of
            each choice.
        names: The estimator's parameter of each parameter whose name differs.
    """

    space: SearchSpace
    objects: dict[str, dict[Any, Any]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def parameters_of(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of the estimator for a configuration."""
        chosen = {}
        for name, value in configuration.items():
            if self.names.get(name, name) != GRID or name in self.names:
                objects = self.objects.get(name)
                chosen[self.names.get(name, name)] = value if objects is None else objects[value]
        return chosen


def read_candidates(given: Any) -> Candidates:
    """Convert what `HpoSearchCV` takes as parameters to a search space.

    Args:
        given: A mapping from names to lists of values, distributions of scipy or parameters; a list
            of such mappings; a list of parameters; or a `SearchSpace`.

    Raises:
        ValueError: If a list is empty, or a distribution has no range.
        TypeError: If something is of another type.
    """
    if isinstance(given, SearchSpace):
        return Candidates(given)
    if isinstance(given, Mapping):
        return _grids([given])
    entries = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else None
    if entries and all(isinstance(entry, _PARAMETERS) for entry in entries):
        return Candidates(SearchSpace(tuple(entries)))
    if entries and all(isinstance(entry, Mapping) for entry in entries):
        return _grids(entries)
    raise TypeError(
        f"parameters: expected a mapping from names to values, a list of such mappings, a list of "
        f"parameters of hpo_core, or a SearchSpace; got {given!r}"
    )


def _grids(grids: Sequence[Mapping[str, Any]]) -> Candidates:
    """Convert one grid, or several, each of which is active for one value of `GRID`."""
    objects: dict[str, dict[Any, Any]] = {}
    if len(grids) == 1:
        only = [_axis(name, values, objects) for name, values in grids[0].items()]
        return Candidates(SearchSpace(tuple(only)), objects)
    names: dict[str, str] = {}
    axes: list[Any] = [Categorical(GRID, tuple(str(number) for number in range(len(grids))))]
    for number, grid in enumerate(grids):
        for name, values in grid.items():
            own = f"{number}/{name}"
            names[own] = name
            axes.append(_axis(own, values, objects, when={GRID: str(number)}))
    return Candidates(SearchSpace(tuple(axes)), objects, names)


def _axis(
    name: str,
    values: Any,
    objects: dict[str, dict[Any, Any]],
    when: Mapping[str, Any] | None = None,
) -> Any:
    """Convert the values of one parameter to an axis."""
    place = f"parameters[{name!r}]"
    if isinstance(values, _PARAMETERS):
        return _renamed(values, name, when)
    if hasattr(values, "rvs"):
        return _distribution(name, values, when)
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(
            f"{place}: expected a list of values, a distribution or a parameter of hpo_core; "
            f"got {values!r}; write [{values!r}] for a single value"
        )
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    if not plain:
        raise ValueError(f"{place}: the list is empty; give it a value")
    if not all(type(value) in _PLAIN for value in plain) or len(
        {(type(v), v) for v in plain}
    ) < len(plain):
        labels = [_label(number, value) for number, value in enumerate(plain)]
        objects[name] = dict(zip(labels, plain, strict=True))
        plain = labels
    if len(plain) == 1:
        return Constant(name, plain[0], when=when or {})
    return Categorical(name, tuple(plain), when=when or {})


def _renamed(axis: Any, name: str, when: Mapping[str, Any] | None) -> Any:
    if axis.conditions:
        raise TypeError(
            f"parameters[{name!r}]: a parameter with a condition needs its parent beside it; pass "
            f"a list of parameters in place of a mapping"
        )
    if isinstance(axis, ParameterSet):
        raise TypeError(
            f"parameters[{name!r}]: a ParameterSet sets several parameters; pass a list of "
            f"parameters in place of a mapping"
        )
    import msgspec

    return msgspec.structs.replace(axis, name=name, when=when or {})


def _distribution(name: str, values: Any, when: Mapping[str, Any] | None) -> Any:
    """Convert a distribution of scipy that has a range: uniform, loguniform or randint."""
    kind = getattr(getattr(values, "dist", None), "name", type(values).__name__)
    if kind in ("uniform", "loguniform", "reciprocal", "randint"):
        low, high = (end.item() for end in map(np.asarray, values.support()))
        if kind == "randint":
            return Int(name, int(low), int(high), when=when or {})
        return Float(name, low, high, log=kind != "uniform", when=when or {})
    raise ValueError(
        f"parameters[{name!r}]: the distribution {kind!r} has no range that a strategy can search; "
        f"use uniform, loguniform or randint of scipy.stats, or hpo_core.Float(…)"
    )


def _label(number: int, value: Any) -> str:
    """Return a text for a value that is the same in every process."""
    text = re.sub(r"\s+", " ", re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value)))
    return f"{number}: {text if len(text) <= 60 else text[:59] + '…'}"
