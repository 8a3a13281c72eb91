"""Builds strategies from their specs, and sees that what comes of it is one."""

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
    """A strategy, new, and what it can do.

    Attributes:
        strategy: The strategy.
        capabilities: Its own ``capabilities`` if it has that attribute, else its spec's.
    """

    strategy: Strategy
    capabilities: frozenset[Capability]


def build_strategy(
    choice: StrategyChoice, problem: Problem, option: str = "searcher"
) -> BuiltStrategy:
    """Build a strategy that another one is composed with; to be called in the other's ``build``.

    Args:
        choice: Which one, as the other's options have it.
        problem: The problem that it is to solve.
        option: The name of the other's option, for messages.

    Raises:
        InvalidInput: If its options don't suit the problem.
        PluginError: If it is missing or broken, or can't do what the problem needs.
        StrategyError: If it raises anything else, or is no strategy.
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
    """Return what a study needs and its strategy can't do, as a sentence; None if it can all.

    Args:
        needs: What the study needs.
        can: What the strategy can do.
        who: The strategy, in words.
    """
    missing = [need.value for need in Capability if need in needs - can]
    if not missing:
        return None
    return f"the study needs {' and '.join(missing)}, which {who} does not support"


def build(spec: StrategySpec, given: Any, problem: Problem) -> BuiltStrategy:
    """Build the strategy of a spec.

    Args:
        spec: The spec.
        given: Its options, of its own type.
        problem: The problem.

    Raises:
        InvalidInput: If the options don't suit the problem.
        Unsupported: If the problem is beyond it.
        StrategyError: If it raises anything else, or is no strategy.
    """
    try:
        made = spec.build(problem, given)
    except HpoError:
        raise
    except (Exception, SystemExit) as error:  # a plugin may raise anything
        raise StrategyError(
            f"the strategy {spec.name!r} could not be built: {type(error).__name__}: {error}"
        ) from error
    return checked(spec.name, made, spec.capabilities)


def checked(name: str, made: Strategy, announced: frozenset[Capability]) -> BuiltStrategy:
    """See that a strategy is one, and what it can do.

    Args:
        name: Its name, for messages.
        made: The strategy.
        announced: What it can do unless it says otherwise itself.

    Raises:
        StrategyError: If it lacks a method, or its capabilities are none.
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
    """Return faults of options as seen from the study; those of its own keys stay."""
    return [
        fault if fault.path.partition(".")[0] in ("parameters", "job") else fault.under(path)
        for fault in faults
    ]
