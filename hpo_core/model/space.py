"""The search space: parameters, when they are active, and which combinations are excluded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property

from hpo_core.model.allowed import first_allowed
from hpo_core.model.axis import several
from hpo_core.model.checked import Checked
from hpo_core.model.comparison import Comparison, comparison
from hpo_core.model.conditions import Clause, is_range, meets, range_faults, wanted
from hpo_core.model.errors import Fault, InvalidInput, nearest
from hpo_core.model.linear import linear_faults, searched
from hpo_core.model.parameters import Categorical, Constant, Float, Int, Parameter
from hpo_core.model.values import Configuration, Scalar, Value


class SearchSpace(Checked, frozen=True):
    """The parameters of a study, with their conditions and excluded combinations.

    A parameter is active if it has no condition, or if every parent that its ``when`` names is
    active and has one of the values given there, or lies in a range: ``{"layers": ">= 2"}``. A
    configuration holds only the active parameters, parents before children, otherwise in
    declaration order.

    Attributes:
        parameters: The axes, each with its own name.
        forbidden: Combinations that are never run: mappings from names to a value or a list of
            values. A configuration is forbidden if all the names are active and have such values.
        linear: Linear inequalities between numeric parameters, such as ``"x + 2 * y <= 1"``. A
            configuration that violates one, with all of its names active, is forbidden too.

    Raises:
        InvalidInput: If a name is used twice, a parent is unknown, conditions form a cycle, a
            parent or a forbidden parameter cannot take a value given for it, an inequality is
            invalid or never holds, or all configurations are forbidden.
    """

    parameters: tuple[Parameter, ...]
    forbidden: tuple[Mapping[str, Scalar | tuple[Scalar, ...]], ...] = ()
    linear: tuple[str, ...] = ()

    # -- properties ------------------------------------------------------------------

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names that a configuration may hold, in order."""
        return tuple(name for parameter in self.ordered for name in parameter.names)

    @cached_property
    def by_name(self) -> dict[str, Float | Int | Categorical | Constant]:
        """The axis of each name; for a member of a set, a Categorical of its values."""
        return {name: axis.member(name) for axis in self.parameters for name in axis.names}

    @cached_property
    def ordered(self) -> tuple[Parameter, ...]:
        """The parameters, parents before children, otherwise in declaration order."""
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
        """The conditions of each parameter by name; values have the types of the parents.

        A text for a numeric parent is a range.
        """
        return {
            axis.name: {
                parent: tuple(self._own(parent, value) for value in values)
                for parent, values in axis.conditions.items()
            }
            for axis in self.parameters
        }

    @cached_property
    def clauses(self) -> tuple[dict[str, tuple[Value, ...]], ...]:
        """The forbidden combinations: for each name its values, in the parameter's type."""
        return tuple(
            {
                name: tuple(self._own(name, value) for value in several(values))
                for name, values in clause.items()
            }
            for clause in self.forbidden
        )

    @cached_property
    def is_conditional(self) -> bool:
        """Whether any parameter is active only for some values of others."""
        return any(axis.conditions for axis in self.parameters)

    @cached_property
    def is_finite(self) -> bool:
        """Whether every axis has a finite number of points."""
        return all(axis.size is not None for axis in self.parameters)

    # -- configurations ---------------------------------------------------------------------

    def is_active(self, axis: Parameter, values: Mapping[str, Value]) -> bool:
        """Return whether `axis` is active, given the values of its active parents."""
        return meets(values, self.wanted[axis.name])

    def is_forbidden(self, values: Mapping[str, Value]) -> bool:
        """Return whether the values match a forbidden combination or violate an inequality."""
        return self.is_excluded(values) or any(
            not one.holds(numbers) for one, numbers in self._inequalities_of(values)
        )

    def is_excluded(self, values: Mapping[str, Value]) -> bool:
        """Return whether the values match a forbidden combination, whatever the inequalities."""
        return any(meets(values, clause) for clause in self.unwanted)

    def _inequalities_of(
        self, values: Mapping[str, Value]
    ) -> Iterator[tuple[Comparison, Mapping[str, float]]]:
        """Yield the inequalities all of whose names have a value, with the values."""
        for one in self._inequalities:
            if all(name in values for name in one.coefficients):
                yield one, values  # type: ignore[misc]  # those of these names are numbers

    def build(self, choose: Callable[[Parameter], Value | Mapping[str, Value]]) -> Configuration:
        """Build a configuration by calling `choose` for each active parameter, parents first.

        The values that `choose` returns are not checked; see `wrong`.

        Args:
            choose: Returns the values of the parameter by name, or for any axis except a
                ParameterSet just the value.
        """
        values: dict[str, Value] = {}
        for axis, parents in self._plan:
            if not parents or meets(values, parents):
                chosen = choose(axis)
                if isinstance(chosen, Mapping):
                    values.update(chosen)
                else:
                    values[axis.name] = chosen
        return Configuration(values)

    def draw(self, uniform: Callable[[], float]) -> Configuration:
        """Draw a random configuration, each active parameter uniformly on its own scale. The
        configuration may be forbidden.

        Args:
            uniform: Returns a random number, 0 <= u < 1; called once for each active parameter,
                parents first.
        """
        values: dict[str, Value] = {}
        for axis, parents in self._plan:
            if not parents or meets(values, parents):
                values.update(axis.values_from(uniform()))
        return Configuration(values)

    def starting_values(self) -> Configuration:
        """Return the default value of every parameter, even if their combination is forbidden."""
        return self.build(lambda axis: axis.start_values)

    def defaults(self, given: Mapping[str, Value] | None = None) -> Configuration:
        """Return the configuration of the default values.

        If it is forbidden, return an allowed configuration: the one that `first_allowed` finds, or
        with inequalities the first of many that are drawn.

        Args:
            given: Values in place of the defaults of some parameters.

        Raises:
            InvalidInput: If `given` is invalid or makes a forbidden configuration, with all faults;
                or if no configuration is found that satisfies all inequalities.
        """
        if given:
            values = dict(given)
            starts = self.build(lambda axis: {**axis.start_values, **_those_of(axis.names, values)})
            return self.configuration({**starts, **values})
        built = self.starting_values()
        if not self.is_forbidden(built):
            return built
        allowed = first_allowed(self)
        assert allowed is not None, "checked when the space was made"
        return Configuration(searched(self, allowed) if self.linear else allowed)

    def configuration(self, values: Mapping[str, Value]) -> Configuration:
        """Return `values` as a configuration of this space, in its order.

        An integer given for a Float is converted to a float.

        Raises:
            InvalidInput: With all faults, see `wrong`.
        """
        own = {name: self._own(name, value) for name, value in values.items()}
        if faults := self.wrong(own):
            raise InvalidInput(faults)
        return Configuration({name: own[name] for name in self.names if name in own})

    def wrong(self, values: Mapping[str, Value]) -> list[Fault]:
        """Return all reasons why `values` is not a configuration of this space.

        Reasons are unknown names, values that are out of range or of the wrong type, values of
        inactive parameters, missing values of active parameters, and forbidden combinations.
        """
        faults: list[Fault] = []
        active: dict[str, Value] = {}
        for axis, parents in self._plan:
            if parents and not meets(active, parents):
                continue
            faults += axis.wrong_in(values)
            for name in axis.names:
                if name in values:
                    active[name] = values[name]
        if len(active) < len(values):
            faults += self._superfluous(values, active)
        for clause in self.unwanted:
            if meets(active, clause):
                forbidden = ", ".join(f"{name}={active[name]!r}" for name in clause)
                faults.append(Fault("", f"the combination {forbidden} is forbidden"))
        return faults or [
            Fault(
                "",
                f"{', '.join(f'{name}={active[name]!r}' for name in one.coefficients)} "
                f"violates {text}",
            )
            for text, one in zip(self.linear, self._inequalities, strict=True)
            if all(name in active for name in one.coefficients) and not one.holds(active)  # type: ignore[arg-type]  # checked above
        ]

    def _superfluous(self, values: Iterable[str], active: Collection[str]) -> Iterator[Fault]:
        for name in values:
            if name not in self.by_name:
                message = f"there is no parameter {name!r}{nearest(name, self.by_name)}"
                yield Fault(name, message)
            elif name not in active:
                yield Fault(name, "is not active with these values; leave it out")

    # -- cached lookups ----------------------------------------------

    @cached_property
    def wanted(self) -> dict[str, Clause]:
        """What each parameter wants of its parents, by identity."""
        return {name: self._clause(parents) for name, parents in self.conditions.items()}

    @cached_property
    def unwanted(self) -> tuple[Clause, ...]:
        """The forbidden combinations, by identity."""
        return tuple(self._clause(clause, has_ranges=False) for clause in self.clauses)

    def _clause(
        self, values: Mapping[str, tuple[Value, ...]], *, has_ranges: bool = True
    ) -> Clause:
        return {
            name: wanted(those, self.by_name[name] if has_ranges else None)
            for name, those in values.items()
        }

    @cached_property
    def _inequalities(self) -> tuple[Comparison, ...]:
        return tuple(map(comparison, self.linear))

    @cached_property
    def has_ranges(self) -> bool:
        """Whether any condition names a range."""
        return any(
            is_range(value, self.by_name[parent])
            for axis in self.parameters
            for parent, values in axis.conditions.items()
            for value in values
        )

    @cached_property
    def _plan(self) -> tuple[tuple[Parameter, Clause], ...]:
        """The parameters, parents before children, each with its conditions."""
        return tuple((axis, self.wanted[axis.name]) for axis in self.ordered)

    # -- validation -------------------------------------------------------------------

    def faults(self) -> list[Fault]:
        """Return the faults that involve several parameters."""
        faults = [] if self.parameters else [Fault("parameters", "give at least one parameter")]
        faults += self._doubled()
        for axis in self.parameters:
            for parent, values in axis.conditions.items():
                path = f"parameters.{axis.name}.when.{parent}"
                numeric = getattr(self.by_name.get(parent), "is_numeric", False)
                ranges = [each for each in values if numeric and isinstance(each, str)]
                faults += range_faults(path, self.by_name.get(parent), ranges)
                others = tuple(each for each in values if each not in ranges)
                faults += self._wrong_values(path, parent, others)
        for index, clause in enumerate(self.forbidden):
            if not clause:
                faults.append(Fault(f"forbidden[{index}]", "give at least one parameter"))
            for name, given in clause.items():
                faults += self._wrong_values(f"forbidden[{index}].{name}", name, several(given))
        faults += linear_faults(self.linear, self.by_name)
        faults = faults or self._cycles()
        if not faults and self.forbidden and first_allowed(self) is None:
            faults.append(Fault("forbidden", "no configuration is left; allow at least one"))
        return faults

    def _doubled(self) -> Iterator[Fault]:
        seen: dict[str, str] = {}
        names = {axis.name for axis in self.parameters}
        for axis in self.parameters:
            for name in {axis.name, *axis.names}:
                if name in seen or (name != axis.name and name in names):
                    yield Fault(f"parameters.{axis.name}", f"the name {name!r} is used twice")
                seen[name] = axis.name

    def _wrong_values(self, path: str, name: str, values: tuple[Value, ...]) -> Iterator[Fault]:
        if name not in self.by_name:
            yield Fault(path, f"there is no parameter {name!r}{nearest(name, self.by_name)}")
            return
        for value in values:
            if wrong := self.by_name[name].wrong(self._own(name, value)):
                yield Fault(path, wrong)

    def _cycles(self) -> list[Fault]:
        parents = {
            axis.name: [self._owners[p].name for p in axis.conditions] for axis in self.parameters
        }
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
        return [Fault(f"parameters.{path[-1]}.when", f"the conditions form a cycle: {cycle}")]

    @cached_property
    def _owners(self) -> dict[str, Parameter]:
        return {name: axis for axis in self.parameters for name in axis.names}

    def _own(self, name: str, value: Value) -> Value:
        """Convert an integer given for a Float to a float."""
        return self._owners[name].coerce(value) if name in self._owners else value


def _those_of(names: Iterable[str], values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: values[name] for name in names if name in values}
