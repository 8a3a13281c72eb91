"""hpbandster's optimisers without their network layer: they plan brackets, and run nothing.

hpbandster's `Master` starts a Pyro4 server when it is created. `_Offline` precedes it in the method
resolution order, so everything else is hpbandster's code: the budgets, the number of configurations
of a bracket, and the generators of configurations. Importing hpbandster imports Pyro4, but no
socket is opened, no thread is started, and nothing is pickled.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np
from ConfigSpace import ConfigurationSpace

from hpo_bohb import options
from hpo_core.plugin import Problem

__all__ = ["Job", "master_of", "quiet"]


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress warnings of hpbandster about deprecated calls and divisions by zero.

    Warning filters and numpy's error handling are overridden: a warning raised as an error would
    make hpbandster pick at random.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


with quiet():
    from hpbandster.core.dispatcher import Job
    from hpbandster.core.master import Master
    from hpbandster.optimizers import BOHB, HyperBand, RandomSearch


class _Offline(Master):  # type: ignore[misc]  # hpbandster carries no types
    def __init__(self, config_generator: Any, **_: Any) -> None:
        self.config_generator = config_generator
        self.config: dict[str, Any] = {}


class _OfflineBOHB(BOHB, _Offline):  # type: ignore[misc]
    pass


class _OfflineHyperBand(HyperBand, _Offline):  # type: ignore[misc]
    pass


class _OfflineRandomSearch(RandomSearch, _Offline):  # type: ignore[misc]
    pass


_KINDS = {
    options.BOHBOptions: _OfflineBOHB,
    options.HyperBandOptions: _OfflineHyperBand,
    options.RandomOptions: _OfflineRandomSearch,
}

_OURS = ("n_iterations", "resume")
"""Options that are not arguments of hpbandster's optimisers."""


def master_of(problem: Problem, given: options.Bandit, configspace: ConfigurationSpace) -> Any:
    """Return hpbandster's optimiser of a variant, which plans brackets for a study.

    Args:
        problem: The study, with a maximum number of iterations.
        given: The options of the variant.
        configspace: The search space.
    """
    named = msgspec.structs.asdict(given)
    with quiet():
        return _KINDS[type(given)](
            configspace=configspace,
            min_budget=problem.min_iterations,
            max_budget=problem.max_iterations,
            **{name: value for name, value in named.items() if name not in _OURS},
        )
