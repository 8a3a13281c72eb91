"""What a sampler knows beyond the trials of its study, as JSON: `Memory`.

That is the state of its random generators and, for some, a little more. It reads a few private
attributes of Optuna, and so is for the versions it was tested with; with others
`Memory.is_known` is false, and everything is asked again instead, which needs none of them.
"""

from __future__ import annotations

import importlib
import json
import pickle
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from hpo_core.plugin import StrategyError, generator_to_json, set_generator
from hpo_optuna.arrays import array_from_json, array_to_json, optimizer_from_json, optimizer_to_json

KNOWN = ("5.0.",)
"""The versions of Optuna whose samplers' insides are known: what their numbers begin with."""

_GENERATORS: dict[str, tuple[str, ...]] = {
    "RandomSampler": ("_rng",),
    "BruteForceSampler": ("_rng",),
    "TPESampler": ("_rng", "_random_sampler._rng"),
    "NSGAIISampler": ("_rng", "_random_sampler._rng"),
    "NSGAIIISampler": ("_rng", "_random_sampler._rng"),
    "GPSampler": ("_rng", "_independent_sampler._rng"),
    "QMCSampler": ("_independent_sampler._rng",),
    "CmaEsSampler": ("_cma_rng", "_independent_sampler._rng"),
}

_CACHES = ("_gprs_cache_list", "_constraints_gprs_cache_list")
_KERNEL = ("inverse_squared_lengthscales", "kernel_scale", "noise_var")


class Memory:
    """A sampler's memory.

    Args:
        sampler: The sampler.
        distributions: The distribution of each parameter.

    Attributes:
        is_known: Whether this version of Optuna is one whose insides are known.
    """

    def __init__(self, sampler: BaseSampler, distributions: Mapping[str, BaseDistribution]) -> None:
        self.is_known = optuna.__version__.startswith(KNOWN)
        self._sampler = sampler
        self._distributions = distributions
        self._kind = type(sampler).__name__

    def save(self) -> dict[str, Any] | None:
        """Return all of it; None if this version of Optuna is not known."""
        if not self.is_known:
            return None
        state: dict[str, Any] = {
            "optuna": optuna.__version__,
            "generators": [generator_to_json(each) for each in self._generators()],
        }
        if (groups := self._groups()) is not None:
            state["groups"] = [sorted(group) for group in groups.search_spaces]
        if self._kind == "GPSampler":
            state["kernels"] = {name: self._kernels(name) for name in _CACHES}
        return state

    def can_load(self, state: object) -> bool:
        """Return whether this is a state that can be loaded here."""
        return self.is_known and isinstance(state, dict) and "generators" in state

    def load(self, state: Mapping[str, Any]) -> None:
        """Put the sampler where it was when `save` returned this."""
        for generator, saved in zip(self._generators(), state["generators"], strict=True):
            set_generator(generator, saved)  # in place: samplers share them
        if (groups := self._groups()) is not None:
            groups._search_spaces = [
                {name: self._distributions[name] for name in group} for group in state["groups"]
            ]
        for name, kernels in state.get("kernels", {}).items():
            cache = None if kernels is None else [_regressor(kernel) for kernel in kernels]
            setattr(self._sampler, name, cache)

    def _generators(self) -> list[np.random.RandomState]:
        return [attrgetter(f"{path}.rng")(self._sampler) for path in _GENERATORS[self._kind]]

    def _groups(self) -> Any:
        """TPE's groups of parameters, whose order decides which is drawn first."""
        decomposed = getattr(self._sampler, "_group_decomposed_search_space", None)
        return None if decomposed is None else decomposed._search_space

    def _kernels(self, name: str) -> list[dict[str, Any]] | None:
        """The Gaussian processes' parameters, from which the next fit begins."""
        cache = getattr(self._sampler, name)
        if cache is None:
            return None
        return [
            {part: array_to_json(getattr(each, part).detach().numpy()) for part in _KERNEL}
            for each in cache
        ]


def _regressor(kernel: Mapping[str, Any]) -> Any:
    """Return a Gaussian process with these parameters, all that the next fit reads of it."""
    from optuna._gp.gp import GPRegressor

    torch = importlib.import_module("torch")  # an extra of this package
    parts = {part: torch.from_numpy(array_from_json(kernel[part]).copy()) for part in _KERNEL}
    dimensions = len(parts["inverse_squared_lengthscales"])
    return GPRegressor(
        is_categorical=torch.zeros(dimensions, dtype=torch.bool),
        X_train=torch.zeros((0, dimensions), dtype=torch.float64),
        y_train=torch.zeros(0, dtype=torch.float64),
        **parts,
    )


# -- what a trial carries -------------------------------------------------------------------


_RELATIVE = ":relative_params:"
"""In the names of the pieces of what TPE and GP have drawn together, for when it is pending."""

_PIECE = ":optimizer:"
"""In the names of the pieces of CMA-ES' pickled optimiser."""

_OF_THE_DRAWN = ("x_for_tell", "cma:generation", "sepcma:generation", "cmawm:generation")
"""What CMA-ES attaches to a point that it has drawn, and learns from it by."""


def attributes_of_any(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return those attributes that hold for any configuration, not only for what was drawn."""
    return {
        name: value
        for name, value in attributes.items()
        if _RELATIVE not in name and name not in _OF_THE_DRAWN
    }


def attributes_to_json(trial: FrozenTrial) -> dict[str, Any]:
    """Return what a sampler has attached to a trial, but for what its parameters say as well.

    CMA-ES attaches a pickle, in pieces.
    """
    noted: dict[str, Any] = {}
    pieces: dict[str, dict[int, str]] = {}
    for name, value in _without_repetition(trial).items():
        head, is_piece, place = name.rpartition(_PIECE)
        if is_piece:
            pieces.setdefault(head, {})[int(place)] = value
        else:
            noted[name] = value
    for head, parts in pieces.items():
        text = "".join(parts[place] for place in range(len(parts)))
        # made by Optuna in this process a moment ago; it is never read from anywhere
        noted[f"{head}:optimizer"] = optimizer_to_json(pickle.loads(bytes.fromhex(text)))
    return noted


def _without_repetition(trial: FrozenTrial) -> dict[str, Any]:
    """Leave out what was drawn together if all of it is among the parameters, which count."""
    attributes = trial.system_attrs
    drawn = "".join(value for name, value in attributes.items() if _RELATIVE in name)
    if drawn and json.loads(drawn).keys() <= trial.params.keys():
        return {name: value for name, value in attributes.items() if _RELATIVE not in name}
    return attributes


def attributes_from_json(noted: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as Optuna has them; CMA-ES reads a single piece as well as several.

    Raises:
        StrategyError: If there is a piece of a pickle already: Optuna would unpickle it, and none
            was ever stored.
    """
    if pieces := [name for name in noted if _PIECE in name]:
        raise StrategyError(
            f"the store has been changed: a trial carries {pieces[0]!r}, which was never stored"
        )
    return {
        f"{name}:0" if name.endswith(":optimizer") else name: (
            pickle.dumps(optimizer_from_json(value)).hex() if name.endswith(":optimizer") else value
        )
        for name, value in noted.items()
    }
