"""The entry point ``optuna``: registers a strategy for each sampler; Optuna is imported later."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hpo_core.plugin import (
    Capability,
    ExchangedStudy,
    ExchangeSpec,
    InvalidInput,
    Problem,
    SearchSpace,
    Strategy,
    StrategySpec,
    hookimpl,
)
from hpo_optuna import options as sampler
from hpo_optuna.late import late_faults, why_nothing_is_pruned
from hpo_optuna.options import Options, SamplerOptions

if TYPE_CHECKING:
    from hpo_optuna.strategy import OptunaStrategy

_ALWAYS = frozenset(
    {
        Capability.CONDITIONAL,
        Capability.FORBIDDEN,
        Capability.INTEGERS,
        Capability.CATEGORICALS,
        Capability.STOPPING,
        Capability.RANGES,
        Capability.LINEAR,
        Capability.STRUCTURED,
    }
)
_SEVERAL = _ALWAYS | {Capability.MULTI_OBJECTIVE}
_CONSTRAINED = _SEVERAL | {Capability.CONSTRAINTS}

VARIANTS: tuple[tuple[str, type[SamplerOptions], str, frozenset[Capability]], ...] = (
    ("tpe", sampler.TPE, "Tree-structured Parzen estimator: a good first choice", _CONSTRAINED),
    ("cmaes", sampler.CmaEs, "CMA-ES, for numbers without conditions", _ALWAYS),
    ("gp", sampler.GP, "Gaussian process: few, expensive trials", _CONSTRAINED),
    ("nsga2", sampler.NSGA2, "NSGA-II, a genetic algorithm for objectives", _CONSTRAINED),
    ("nsga3", sampler.NSGA3, "NSGA-III, the same for many objectives", _CONSTRAINED),
    ("qmc", sampler.QMC, "A quasi-random sequence: more even than random", _CONSTRAINED),
    ("random", sampler.Random, "Optuna's independent random draws", _CONSTRAINED),
    ("bruteforce", sampler.BruteForce, "All of a finite space, in random order", _CONSTRAINED),
)
"""Each variant's name, options, summary and capabilities; the first one is the default."""


_log = logging.getLogger("hpo_optuna")


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of ``optuna:tpe``, the default, and of the other samplers."""
    return [
        StrategySpec(
            name=f"optuna:{name}",
            summary=summary,
            build=build,
            options=options,
            capabilities=capabilities,
        )
        for name, options, summary, capabilities in VARIANTS
    ]


@hookimpl
def hpo_exchanges() -> Iterable[ExchangeSpec]:
    """Return the exchange with Optuna's storages."""
    return [
        ExchangeSpec(
            name="optuna",
            summary="Optuna's storages, such as sqlite:///f.db",
            write=_write,
            read=_read,
        )
    ]


def _write(study: ExchangedStudy, place: str) -> None:
    from hpo_optuna.exchange import write_study

    write_study(study, place)


def _read(place: str, name: str | None, space: SearchSpace) -> ExchangedStudy:
    from hpo_optuna.exchange import read_study

    return read_study(place, name, space)


def build(problem: Problem, options: Options) -> Strategy:
    """Build the strategy of a sampler; Optuna is imported now.

    Raises:
        InvalidInput: If Optuna does not support the space, the objectives or the options.
        Unsupported: If a package is missing; the message names the extra to install.
    """
    if wrong := list(late_faults(problem, options)):
        raise InvalidInput(wrong)
    if why := why_nothing_is_pruned(problem, options):
        _log.warning("the pruner never stops a job: %s", why)
    strategy = _build(problem, options)
    if options.pruner is None:  # then reports need not wait for a decision
        [announced] = [able for _, kind, _, able in VARIANTS if kind is type(options)]
        strategy.capabilities = announced - {Capability.STOPPING}
    return strategy


def _build(problem: Problem, options: Options) -> OptunaStrategy:
    if isinstance(options, sampler.BruteForce):
        from hpo_optuna.bruteforce import BruteForceStrategy

        return BruteForceStrategy(problem, options)
    from hpo_optuna.strategy import OptunaStrategy

    return OptunaStrategy(problem, options)
