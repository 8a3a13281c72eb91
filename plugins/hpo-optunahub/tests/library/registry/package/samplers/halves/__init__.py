"""A sampler of a registry, for tests: a step from the best trial, or a random one."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial


class HalvesSampler(optuna.samplers.BaseSampler):
    """Halves the way from a random value to that of the best trial."""

    def __init__(self, seed: int | None = None) -> None:
        self._stream = np.random.RandomState(seed)
        self._random = optuna.samplers.RandomSampler(seed=seed)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return nothing: parameters are sampled one by one."""
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return a value half way to the best one, of a continuous parameter."""
        drawn = self._random.sample_independent(study, trial, param_name, param_distribution)
        done = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
        known = [each for each in done if param_name in each.params]
        is_continuous = getattr(param_distribution, "step", 1) is None
        if not known or not is_continuous or self._stream.random_sample() < 0.5:
            return drawn
        best = min(known, key=lambda each: each.value)
        return (drawn + best.params[param_name]) / 2.0


__all__ = ["HalvesSampler"]
