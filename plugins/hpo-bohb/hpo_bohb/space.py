"""A search space as a ConfigurationSpace, and conversion of configurations."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from ConfigSpace import (
    AndConjunction,
    ConfigurationSpace,
    ForbiddenAndConjunction,
    UniformFloatHyperparameter,
)
from ConfigSpace.hyperparameters.hp_components import ROUND_PLACES

from hpo_bohb.axes import Form, Hyperparameter, Native, form_of, wrong_with
from hpo_bohb.clauses import ForbiddenValues, Reader, ValueCondition
from hpo_core.plugin import (
    Configuration,
    Fault,
    Parameter,
    SearchSpace,
    StrategyError,
    Value,
    same_value,
)

TRIES = 1_000
"""Number of random configurations; if all of them are forbidden, the space is rejected."""


def faults(space: SearchSpace) -> Iterator[Fault]:
    """Find all reasons why hpbandster cannot draw from a space."""
    wrong = [(axis.name, wrong_with(axis)) for axis in space.parameters]
    yield from (Fault(f"parameters.{name}", message) for name, message in wrong if message)
    if space.forbidden and not any(_is_hit(space, number) for number in range(TRIES)):
        yield Fault(
            "parameters",
            f"{TRIES:,} random configurations are all forbidden, and hpbandster draws until one "
            "is not; take the forbidden values out of the parameters themselves",
        )


def _is_hit(space: SearchSpace, number: int) -> bool:
    return not space.is_forbidden(space.draw(random.Random(number).random))


class Translation:
    """A search space and the equivalent ConfigurationSpace.

    The ConfigurationSpace omits parameters that can never be active because no combination of a set
    meets their conditions.

    Args:
        space: The search space.
        seed: The seed of the ConfigurationSpace.

    Attributes:
        configspace: The ConfigurationSpace.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._space = space
        self._owners = {name: axis for axis in space.parameters for name in axis.names}
        self._wanted = self._reachable()
        self._forms: dict[str, Form] = {
            axis.name: form_of(axis) for axis in space.ordered if axis.name in self._wanted
        }
        self.configspace = ConfigurationSpace(seed=seed)
        made = self._hyperparameters()
        self.configspace.add(
            *made.values(), *self._conditions(made), *self._forbidden_clauses(made)
        )

    # -- conversion -------------------------------------------------------------------------

    def configuration(self, natives: Mapping[str, Any]) -> Configuration:
        """Return a configuration of ConfigSpace as one of hpo-core.

        Raises:
            StrategyError: If the value of an active parameter is missing.
        """

        def choose(axis: Parameter) -> Mapping[str, Value]:
            if axis.name not in natives:
                raise StrategyError(f"ConfigSpace left out {axis.name!r} in {dict(natives)}")
            return self._forms[axis.name].values(natives[axis.name])

        return self._space.build(choose)

    def natives(self, values: Mapping[str, Value]) -> dict[str, Native]:
        """Return a configuration of hpo-core as one of ConfigSpace."""
        return {
            axis.name: self._forms[axis.name].native(values)
            for axis in self._space.ordered
            if axis.name in self._forms and all(name in values for name in axis.names)
        }

    # -- construction -----------------------------------------------------------------------

    def _reachable(self) -> dict[str, dict[str, list[Native]]]:
        """The required natives of each possibly active parameter's parents, parents first."""
        wanted: dict[str, dict[str, list[Native]]] = {}
        for axis in self._space.ordered:
            parents = self._natives_of(self._space.conditions[axis.name])
            if all(parent in wanted and natives for parent, natives in parents.items()):
                wanted[axis.name] = parents
        return wanted

    def _natives_of(self, clause: Mapping[str, tuple[Value, ...]]) -> dict[str, list[Native]]:
        """Return the values of each parameter in a clause; for a set, its combinations."""
        found: dict[str, set[Native]] = {}
        for name, values in clause.items():
            axis = self._owners[name]
            natives = set(_natives_with(axis, name, values))
            found[axis.name] = found.get(axis.name, natives) & natives
        return {name: sorted(found[name]) for name in sorted(found)}

    def _hyperparameters(self) -> dict[str, Hyperparameter]:
        """Return the hyperparameters.

        Their defaults are not a forbidden combination, also as ConfigSpace rounds them.
        """
        drawn = (self._space.draw(random.Random(number).random) for number in range(TRIES))
        for values in itertools.chain([self._space.defaults()], drawn):
            natives = self.natives(values)
            made = {
                name: form.hyperparameter(natives.get(name)) for name, form in self._forms.items()
            }
            rounded = {name: self._reader(each)(each.default_value) for name, each in made.items()}
            if not self._space.is_forbidden(self.configuration(rounded)):
                return made
        raise StrategyError(f"ConfigSpace rounds {TRIES:,} configurations to forbidden ones")

    def _conditions(self, made: Mapping[str, Hyperparameter]) -> Iterator[Any]:
        for name, parents in self._wanted.items():
            conditions = [
                ValueCondition(made[name], made[parent], natives, self._reader(made[parent]))
                for parent, natives in parents.items()
            ]
            if len(conditions) > 1:
                yield AndConjunction(*conditions)
            else:
                yield from conditions

    def _forbidden_clauses(self, made: Mapping[str, Hyperparameter]) -> Iterator[Any]:
        for clause in self._space.clauses:
            natives = self._natives_of(clause)
            if all(natives.values()) and all(name in made for name in natives):
                yield ForbiddenAndConjunction(
                    *(
                        ForbiddenValues(made[name], each, self._reader(made[name]))
                        for name, each in natives.items()
                    )
                )

    def _reader(self, hyperparameter: Hyperparameter) -> Reader:
        """Return a function from ConfigSpace's value to the native of the job's value."""
        form = self._forms[hyperparameter.name]
        is_float = isinstance(hyperparameter, UniformFloatHyperparameter)

        def read(value: Any) -> Native:
            kept = float(np.round(value, ROUND_PLACES)) if is_float else value
            return form.native(form.values(kept))

        return read


def _natives_with(axis: Parameter, name: str, values: tuple[Value, ...]) -> Iterator[Native]:
    """Yield the natives of an axis for which `name` has one of the values."""
    if axis.names == (name,):
        yield from (form_of(axis).native({name: value}) for value in values)
        return
    for index in range(axis.size or 0):
        here = axis.values_at(index)[name]
        if any(same_value(here, value) for value in values):
            yield index
