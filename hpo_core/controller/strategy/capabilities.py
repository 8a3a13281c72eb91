"""What a study needs of its strategy, and whether the strategy can do it."""

from __future__ import annotations

from hpo_core import registry
from hpo_core.config import StudyConfig
from hpo_core.contracts.strategy import Capability, Problem, Strategy
from hpo_core.model.errors import Unsupported, listed
from hpo_core.registry import BuiltStrategy


def problem(config: StudyConfig) -> Problem:
    """Return the problem that a study poses to its strategy."""
    return Problem(
        space=config.space,
        objectives=config.objectives,
        seed=config.seed,
        constraints=config.constraints,
        min_iterations=config.job.min_iterations,
        max_iterations=config.job.max_iterations,
        workers=config.workers,
    )


def needs(config: StudyConfig) -> frozenset[Capability]:
    """Return the capabilities that a study needs."""
    return problem(config).needs


def check_capabilities(config: StudyConfig, capabilities: frozenset[Capability]) -> None:
    """Check that a strategy has the capabilities that a study needs.

    Raises:
        Unsupported: If it lacks one.
    """
    who = f"the strategy {config.strategy.name!r}"
    if wrong := registry.lacks(needs(config), capabilities, who):
        raise unsupported(config, wrong)


def checked_instance(config: StudyConfig, strategy: Strategy) -> BuiltStrategy:
    """Check that an instance is a strategy with the needed capabilities.

    Raises:
        StrategyError: If it is not a strategy.
        Unsupported: If it lacks a capability.
    """
    built = registry.checked(config.strategy.name, strategy, frozenset(Capability))
    check_capabilities(config, built.capabilities)
    return built


def unsupported(config: StudyConfig, sentence: str) -> Unsupported:
    """Return an error that lists the installed strategies that can do what a study needs."""
    able = registry.strategies_that(lambda other: needs(config) <= other.capabilities)
    return Unsupported(f"{sentence}; installed strategies that do: {listed(able)}")
