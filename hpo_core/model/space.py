"""The search space: parameters, the conditions under which they are active, and what is forbidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from hpo_core.model.checked import Checked
from hpo_core.model.errors import Fault, InvalidInput, nearest
from hpo_core.model.parameters import (
    Categorical,
    Constant,
    Float,
    Int,
    Parameter,
    ParameterSet,
)
from hpo_core.model.values import Configuration, Value, is_one_of


class SearchSpace(Checked, frozen=True):
    """The parameters of a study, with their conditions and forbidden combinations.

    A parameter is active if it has no condition, or if every parent that its ``when`` names is
    active and has one of the values given there. A configuration holds the active parameters
    alone, parents before children, otherwise in the order in which they were declared.

    Attributes:
        parameters: The axes, each with a name of its own.
        forbidden: Combinations that are never run: for each name a value or a list of values.
            A configuration is forbidden if all the names are active and have those values.

    Raises:
        InvalidInput: For a name used twice, an unknown parent, a cycle of conditions, or a
            value that a parent or a forbidden parameter can't take.
    """

    parameters: tuple[Parameter, ...]
    forbidden: tuple[dict[str, Value | tuple[Value, ...]], ...] = ()

    # -- looking things up ------------------------------------------------------------------

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names that a configuration may hold, in its order."""
        return tuple(name for parameter in self.ordered for name in parameter.names)

    @cached_property
    def by_name(self) -> dict[str, Float | Int | Categorical | Constant]:
        """The axis of each name; a set's member stands as a Categorical of its values."""
        return {
            name: axis.member(name) if isinstance(axis, ParameterSet) else axis
            for axis in self.parameters
            for name in axis.names
        }

    @cached_property
    def ordered(self) -> tuple[Parameter, ...]:
        """The parameters, parents before children, otherwise as they were declared."""
        owner = self._owners
        placed: dict[str, Parameter] = {}

        def place(axis: Parameter) -> None:
            for parent in axis.conditions:
                if owner[parent].name not in placed:
                    place(owner[parent])
            placed.setdefault(axis.name, axis)

        for axis in self.parameters:
            place(axis)
        return tuple(placed.values())

    @cached_property
    def conditions(self) -> dict[str, dict[str, tuple[Value, ...]]]:
        """For each parameter's name its parents' values, in the parents' own types."""
        return {
            axis.name: {
                parent: tuple(self._own(parent, value) for value in values)
                for parent, values in axis.conditions.items()
            }
            for axis in self.parameters
        }

    @cached_property
    def clauses(self) -> tuple[dict[str, tuple[Value, ...]], ...]:
        """The forbidden combinations, each name with all its values, in the names' own types."""
        return tuple(
            {
                name: tuple(self._own(name, value) for value in _several(values))
                for name, values in clause.items()
            }
            for clause in self.forbidden
        )

    @property
    def is_conditional(self) -> bool:
        """Whether some parameter is active only for some values of others."""
        return any(axis.conditions for axis in self.parameters)

    @property
    def is_finite(self) -> bool:
        """Whether every axis has a number of points."""
        return all(axis.size is not None for axis in self.parameters)

    # -- configurations ---------------------------------------------------------------------

    def is_active(self, axis: Parameter, values: Mapping[str, Value]) -> bool:
        """Say whether `axis` is active, given the values of its parents."""
        return all(
            parent in values and is_one_of(values[parent], wanted)
            for parent, wanted in self.conditions[axis.name].items()
        )

    def is_forbidden(self, values: Mapping[str, Value]) -> bool:
        """Say whether the values match a forbidden combination."""
        return any(_matches(clause, values) for clause in self.clauses)

    def build(self, choose: Callable[[Parameter], Value | Mapping[str, Value]]) -> Configuration:
        """Build a configuration by asking `choose` for each active parameter, parents first.

        Args:
            choose: Returns a parameter's value; for a ParameterSet one of its combinations.
        """
        values: dict[str, Value] = {}
        for axis in self.ordered:
            if self._unconditional or self.is_active(axis, values):
                chosen = choose(axis)
                if isinstance(chosen, Mapping):
                    values.update(chosen)
                else:
                    values[axis.name] = chosen
        return Configuration(values)

    def defaults(self) -> Configuration:
        """Return the configuration of every parameter's starting value."""
        return self.build(
            lambda axis: axis.at_all(0) if isinstance(axis, ParameterSet) else axis.start
        )

    def configuration(self, values: Mapping[str, Value]) -> Configuration:
        """Return `values` as a configuration of this space, in its order.

        Raises:
            InvalidInput: With everything that is wrong, see `wrong`.
        """
        values = {
            name: self._own(name, value) if name in self.by_name else value
            for name, value in values.items()
        }
        if faults := self.wrong(values):
            raise InvalidInput(faults)
        return Configuration({name: values[name] for name in self.names if name in values})

    def wrong(self, values: Mapping[str, Value]) -> list[Fault]:
        """Return everything that keeps `values` from being a configuration of this space.

        That is: unknown names, values outside of their range or of another type, inactive
        parameters that have a value, active ones that have none, forbidden combinations.
        """
        faults: list[Fault] = []
        active: set[str] = set()
        for axis in self.ordered:
            if not (self._unconditional or self.is_active(axis, values)):
                continue
            active.update(axis.names)
            missing = [name for name in axis.names if name not in values]
            faults += [Fault(name, "is active but has no value") for name in missing]
            if missing:
                continue
            if isinstance(axis, ParameterSet):
                if axis.index_of(values) is None:
                    given = {name: values[name] for name in axis.names}
                    faults.append(Fault(axis.name, f"{given} is none of its combinations"))
            elif wrong := axis.wrong(values[axis.name]):
                faults.append(Fault(axis.name, wrong))
        if len(active) < len(values) or not active.issuperset(values):
            for name in values:
                if name not in self.by_name:
                    message = f"no such parameter{nearest(name, self.by_name)}"
                    faults.append(Fault(name, message))
                elif name not in active:
                    faults.append(Fault(name, "is not active with these values; leave it out"))
        for clause in self.clauses:
            if _matches(clause, values):
                forbidden = ", ".join(f"{name}={values[name]!r}" for name in clause)
                faults.append(Fault("", f"the combination {forbidden} is forbidden"))
        return faults

    # -- checks when made -------------------------------------------------------------------

    def faults(self) -> list[Fault]:
        """Return what is wrong between parameters."""
        faults = [] if self.parameters else [Fault("parameters", "give at least one parameter")]
        faults += self._doubled()
        for axis in self.parameters:
            for parent, values in axis.conditions.items():
                path = f"parameters.{axis.name}.when.{parent}"
                faults += self._wrong_values(path, parent, values)
        for index, clause in enumerate(self.forbidden):
            if not clause:
                faults.append(Fault(f"forbidden[{index}]", "give at least one parameter"))
            for name, given in clause.items():
                faults += self._wrong_values(f"forbidden[{index}].{name}", name, _several(given))
        return faults or self._cycles()

    def _doubled(self) -> Iterator[Fault]:
        seen: dict[str, str] = {}
        names = {axis.name for axis in self.parameters}
        for axis in self.parameters:
            for name in {axis.name, *axis.names}:
                if name in seen or (name != axis.name and name in names):
                    yield Fault(f"parameters.{axis.name}", f"the name {name!r} is used twice")
                seen[name] = axis.name

    def _wrong_values(
        self, path: str, name: str, values: tuple[Value, ...]
    ) -> Iterator[Fault]:
        if name not in self.by_name:
            yield Fault(path, f"there is no parameter {name!r}{nearest(name, self.by_name)}")
            return
        for value in values:
            if wrong := self.by_name[name].wrong(self._own(name, value)):
                yield Fault(path, wrong)

    def _cycles(self) -> list[Fault]:
        parents = {axis.name: [self._owners[p].name for p in axis.conditions] for axis in self.parameters}
        left = dict(parents)
        while free := [name for name, above in left.items() if not any(p in left for p in above)]:
            for name in free:
                del left[name]
        if not left:
            return []
        path = [next(iter(left))]
        while path.count(path[-1]) == 1:
            path.append(next(parent for parent in parents[path[-1]] if parent in left))
        cycle = " -> ".join(path[path.index(path[-1]) :])
        return [Fault(f"parameters.{path[-1]}.when", f"the conditions go round in a circle: {cycle}")]

    @cached_property
    def _owners(self) -> dict[str, Parameter]:
        return {name: axis for axis in self.parameters for name in axis.names}

    @cached_property
    def _unconditional(self) -> bool:
        return not self.is_conditional

    def _own(self, name: str, value: Value) -> Value:
        """Return a whole number given for a Float as the float that it is."""
        is_float = isinstance(self.by_name[name], Float)
        return float(value) if is_float and type(value) is int else value


def _several(values: Value | tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(values) if isinstance(values, tuple | list) else (values,)


def _matches(clause: Mapping[str, tuple[Value, ...]], values: Mapping[str, Value]) -> bool:
    return all(name in values and is_one_of(values[name], wanted) for name, wanted in clause.items())
