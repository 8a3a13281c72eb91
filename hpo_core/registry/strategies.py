"""Build strategies from their specs, and check the result."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import msgspec

from hpo_core.contracts.composition import StrategyChoice
from hpo_core.contracts.strategy import Capability, Problem, Strategy, StrategySpec
from hpo_core.model.errors import Fault, HpoError, InvalidInput, StrategyError, Unsupported, listed
from hpo_core.registry.lookup import strategy
from hpo_core.registry.plugin_options import options, require

_METHODS = ("ask", "adopt", "tell", "save_state", "restore")


class BuiltStrategy(msgspec.Struct, frozen=True):
    """A new strategy and its capabilities.

    Attributes:
        strategy: The strategy.
        capabilities: The ``capabilities`` of the instance if it has this attribute, else of its
            spec.
    """

    strategy: Strategy
    capabilities: frozenset[Capability]


def build_strategy(
    choice: StrategyChoice, problem: Problem, option: str = "searcher"
) -> BuiltStrategy:
    """Build a strategy for composition. To be called in the ``build`` function of another strategy.

    Args:
        choice: The choice in the options of the other strategy.
        problem: The problem to solve.
        option: The name of the option, for messages.

    Raises:
        InvalidInput: If its options do not suit the problem.
        PluginError: If it is missing or broken, or does not support what the problem needs.
        StrategyError: If it raises any other exception, or is not a strategy.
    """
    spec = strategy(choice.name).spec
    path = f"{option}.options"
    given, faults = options(strategy(choice.name), choice.options, path)
    require(faults)
    try:
        built = build(spec, given, problem)
    except InvalidInput as error:
        raise InvalidInput(under(path, error.faults)) from error
    if wrong := lacks(problem.needs, built.capabilities, f"the {option} {choice.name!r}"):
        raise Unsupported(wrong)
    return built


def lacks(needs: frozenset[Capability], can: frozenset[Capability], who: str) -> str | None:
    """Return a message about needed capabilities that a strategy lacks, or None.

    Args:
        needs: The capabilities that the study needs.
        can: The capabilities of the strategy.
        who: A description of the strategy.
    """
    missing = [need.value for need in Capability if need in needs - can]
    if not missing:
        return None
    return f"the study needs {' and '.join(missing)}, which {who} does not support"


def build(spec: StrategySpec, given: Any, problem: Problem) -> BuiltStrategy:
    """Build the strategy of a spec.

    Args:
        spec: The spec.
        given: The options, of the type that the spec declares.
        problem: The problem.

    Raises:
        InvalidInput: If the options do not suit the problem.
        Unsupported: If it does not support the problem.
        StrategyError: If it raises anything else, or is no strategy.
    """
    try:
        made = spec.build(problem, given)
    except HpoError:
        raise
    except (Exception, SystemExit) as error:  # a plugin may raise any exception
        raise StrategyError(
            f"the strategy {spec.name!r} could not be built: {type(error).__name__}: {error}"
        ) from error
    return checked(spec.name, made, spec.capabilities)


def checked(name: str, made: Strategy, announced: frozenset[Capability]) -> BuiltStrategy:
    """Check that an object is a strategy, and determine its capabilities.

    Args:
        name: Its name, for messages.
        made: The strategy.
        announced: The capabilities that the instance may override.

    Raises:
        StrategyError: If a method is missing, or the capabilities are invalid.
    """
    if isinstance(made, type):
        raise StrategyError(
            f"the strategy {name!r} is the class {made.__name__}, not an instance of it; write "
            f"{made.__name__}(...)"
        )
    missing = [one for one in _METHODS if not callable(getattr(made, one, None))]
    if missing:
        raise StrategyError(
            f"the strategy {name!r} is {made!r:.200}, which has no {listed(missing)}; "
            "derive it from hpo_core.plugin.BaseStrategy"
        )
    own: object = getattr(made, "capabilities", announced)
    if not isinstance(own, Set) or not all(isinstance(can, Capability) for can in own):
        raise StrategyError(
            f"the strategy {name!r} has the capabilities {own!r:.200}; they must be a frozenset of "
            "hpo_core.plugin.Capability"
        )
    return BuiltStrategy(made, frozenset(own))


def under(path: str, faults: tuple[Fault, ...]) -> list[Fault]:
    """Return faults of options with paths from the study; paths that already start there are
    unchanged.
    """
    return [
        fault if fault.path.partition(".")[0] in ("parameters", "job") else fault.under(path)
        for fault in faults
    ]
