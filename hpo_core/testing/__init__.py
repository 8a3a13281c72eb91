"""Contract kits: what an author inherits to prove a plugin, and what `hpo check` runs.

    strategy_contract  StrategyContract: the checks of strategies as a pytest class
    kit                the same checks without pytest: run them, one result each
    checks/            the promises of a strategy, one function each
    subject            the strategy under check: how to make it, what it says it can do
    simulator          a study in miniature, in which a strategy is asked and told
    spaces, drawing    spaces and schedules, drawn by hypothesis
    elsewhere          the same strategy in another process
    backends           BackendContract: the same for backends, as a pytest class
    backend_checks/    the promises of a backend
    driver             a controller in miniature, which watches the order of events
    jobs, doomed       the functions that jobs call; a controller that is to be killed

The names here are loaded when they are used: hypothesis and pytest come with
``pip install 'hpo-core[testing]'``, and nothing else of hpo-core needs them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpo_core.testing.backends import BackendContract as BackendContract
    from hpo_core.testing.strategy_contract import StrategyContract as StrategyContract

_HOMES = {"StrategyContract": "strategy_contract", "BackendContract": "backends"}

__all__ = ["BackendContract", "StrategyContract"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hpo_core.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hpo_core.testing.{_HOMES[name]}"), name)
