"""Samplers made of their options, and what they need to be installed."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler, nsgaii

from hpo_core.plugin import (
    Categorical,
    Constant,
    Fault,
    InvalidInput,
    Parameter,
    ParameterSet,
    SearchSpace,
    Unsupported,
)
from hpo_optuna.options import GP, QMC, TPE, CmaEs, Genetic, Options, SamplerOptions
from hpo_optuna.pruners import Patient, Pruner, Wilcoxon, as_options, make_pruner

_log = logging.getLogger("hpo_optuna")

_EXTRAS: dict[type, tuple[str, tuple[str, ...]]] = {
    CmaEs: ("cmaes", ("cmaes",)),
    GP: ("gp", ("scipy", "torch")),
    QMC: ("qmc", ("scipy",)),
    Wilcoxon: ("wilcoxon", ("scipy",)),
}

_CROSSOVERS = {
    "uniform": "UniformCrossover",
    "blxalpha": "BLXAlphaCrossover",
    "spx": "SPXCrossover",
    "sbx": "SBXCrossover",
    "vsbx": "VSBXCrossover",
    "undx": "UNDXCrossover",
}

_OWN = ("pruner", "fixed", "constraints", "warn_independent_sampling")
"""The options that are not passed on as they are."""


def make_sampler(options: Options, seed: int) -> BaseSampler:
    """Make Optuna's own sampler of its options.

    Args:
        options: The options.
        seed: The study's seed; Optuna's generators take its last 32 bits.

    Raises:
        InvalidInput: If Optuna refuses the options.
        Unsupported: If a package is missing.
    """
    _require(options)
    arguments: dict[str, Any] = {
        name: getattr(options, name) for name in options.__struct_fields__ if name not in _OWN
    }
    match options:
        case TPE(group=True, multivariate=None):
            arguments["multivariate"] = True  # as Optuna takes it, but without a warning
        case CmaEs() | GP() | QMC():
            arguments["warn_independent_sampling"] = False  # `drawn_at_random` says it, once
        case Genetic():
            arguments |= _operators(options)
    with _as_options(""), quiet():
        made: BaseSampler = getattr(optuna.samplers, options.optuna)(seed=seed % 2**32, **arguments)
    return made


def _operators(options: Genetic) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if options.mutation is not None:
        made["mutation"] = nsgaii.PolynomialMutation()
    if options.crossover == "uniform":
        made["crossover"] = nsgaii.UniformCrossover(options.swapping_prob)
    elif options.crossover is not None:
        made["crossover"] = getattr(nsgaii, _CROSSOVERS[options.crossover])()
    points = getattr(options, "reference_points", None)
    if points is not None:
        import numpy as np

        made["reference_points"] = np.array(points)
    return made


def with_fixed(sampler: BaseSampler, natives: dict[str, Any]) -> BaseSampler:
    """Return a sampler that leaves some parameters at Optuna's values for them."""
    if not natives:
        return sampler
    with quiet():
        return optuna.samplers.PartialFixedSampler(natives, sampler)


def pruner_of(options: SamplerOptions) -> tuple[Pruner, BasePruner] | None:
    """Return a study's pruner, with its options, if it has one.

    Raises:
        InvalidInput: If Optuna refuses the options.
        Unsupported: If a package is missing.
    """
    if options.pruner is None:
        return None
    given = as_options(options.pruner)
    _require(given)
    if isinstance(given, Patient):
        _require(given.wrapped_pruner)
    with _as_options("pruner"), quiet():
        return given, make_pruner(given)


def _require(options: object) -> None:
    extra, modules = _EXTRAS.get(type(options), ("", ()))
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        name = str(getattr(options, "optuna", ""))
        raise Unsupported(
            f"Optuna's {name} needs {' and '.join(missing)}, which is not installed; "
            f"try: pip install 'hpo-optuna[{extra}]'"
        )


@contextmanager
def _as_options(path: str) -> Iterator[None]:
    """Turn Optuna's refusals into faults of the options."""
    try:
        yield
    except (ValueError, TypeError) as error:
        message = str(error).replace("`", "").rstrip(".")
        raise InvalidInput([Fault(path, message)]) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from telling that a study is made, and that a feature is experimental."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(level, optuna.logging.WARNING))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)


def drawn_at_random(options: Options, space: SearchSpace) -> list[str]:
    """Return the parameters that a sampler does not model, but draws independently at random."""
    if not isinstance(options, CmaEs | GP | QMC):
        return []

    def is_left_out(axis: Parameter) -> bool:
        is_choice = isinstance(axis, Categorical | ParameterSet) and isinstance(options, CmaEs)
        return bool(axis.conditions) or is_choice

    return [
        axis.name
        for axis in space.parameters
        if is_left_out(axis) and not isinstance(axis, Constant) and axis.size != 1
    ]


def warn_of_random_draws(options: Options, space: SearchSpace) -> None:
    """Say once, where Optuna would say it for each trial, what is drawn at random."""
    names = drawn_at_random(options, space)
    if names and getattr(options, "warn_independent_sampling", False):
        what = "conditions and categoricals" if isinstance(options, CmaEs) else "conditions"
        _log.warning(
            "Optuna's %s does not take account of %s: it draws %s at random "
            "(warn_independent_sampling = false silences this)",
            options.optuna,
            what,
            ", ".join(names),
        )
