"""The contract kit on an installed strategy, by its name: for a pytest class, and `hpo check`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from hpo_core import registry
from hpo_core.contracts.strategy import Capability, Problem, Strategy, StrategySpec
from hpo_core.model.parameters import Float
from hpo_core.model.space import SearchSpace
from hpo_core.testing.effort import QUICK, Effort
from hpo_core.testing.spaces import problem
from hpo_core.testing.strategy_contract import StrategyContract
from hpo_core.testing.subject import RAISED, Installed, Subject


class InstalledContract(StrategyContract):
    """`StrategyContract` for an installed strategy, with the capabilities and options of its spec.

        class TestCMA(InstalledContract):
            strategy = "cma"
            given = {"popsize": 4}

    Attributes:
        strategy: Its name, as users write it.
        given: Its options, by name; the others have their defaults.
    """

    strategy: ClassVar[str]
    given: ClassVar[Mapping[str, Any]] = {}

    def make_strategy(self, problem: Problem) -> Strategy:
        """Build the strategy for a problem."""
        resolved = registry.strategy(self.strategy)
        return resolved.spec.build(problem, _options(resolved, self.given))

    @classmethod
    def subject(cls) -> Subject:
        """Return the subject of the checks."""
        return installed_subject(
            registry.strategy(cls.strategy), cls.given, effort=cls._effort(), spaces=cls.spaces
        )


def installed_subject(
    resolved: registry.Resolved[StrategySpec],
    given: Mapping[str, Any],
    *,
    effort: Effort = QUICK,
    spaces: Sequence[SearchSpace] = (),
) -> Subject:
    """Return the subject of the checks for an installed strategy.

    Args:
        resolved: The strategy.
        given: Its options, by name.
        effort: The effort of a check.
        spaces: The spaces to check; if empty, spaces are generated.

    Raises:
        InvalidInput: If an option is unknown or has a wrong type.
    """
    spec, options = resolved.spec, _options(resolved, given)
    stored = msgspec.to_builtins(options, order="deterministic")  # with defaults, as in a study
    return Subject(
        lambda problem: spec.build(problem, options),
        _capabilities(spec, options),
        is_adaptive=spec.is_adaptive,
        origin=Installed(spec.name, stored),
        options=spec.options,
        spaces=spaces,
        effort=effort,
    )


def _options(resolved: registry.Resolved[StrategySpec], given: Mapping[str, Any]) -> Any:
    read, faults = registry.options(resolved, dict(given), "options")
    registry.require(faults)
    return read


def _capabilities(spec: StrategySpec, options: Any) -> frozenset[Capability]:
    """Return the capabilities of a strategy: those of the instance, or else of its spec."""
    try:
        strategy = spec.build(problem(Float("x", 0.0, 1.0)), options)
    except RAISED:  # it may reject this problem; the checks report any other error
        return spec.capabilities
    own: frozenset[Capability] = getattr(strategy, "capabilities", spec.capabilities)
    getattr(strategy, "close", lambda: None)()
    return own
