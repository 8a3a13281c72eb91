"""Deprecated functions of `hpo_core`, which methods of `Study` have replaced.

They stay until 2028 at least, see docs/compatibility.md. Nothing in hpo-core uses them.
"""

from __future__ import annotations

import os

from hpo_core.config import StudyConfig
from hpo_core.contracts.exchange import ExchangedStudy
from hpo_core.contracts.strategy import Strategy
from hpo_core.controller.stored.audit import Replayed as Replayed
from hpo_core.controller.stored.import_trials import Imported as Imported
from hpo_core.model.budget import Budget
from hpo_core.study.study import Study, load_study


def extend(path: str | os.PathLike[str], name: str, budget: Budget) -> Budget:
    """Call `Study.extend` of a stored study."""
    return load_study(path, name).extend(budget)


def replay(
    path: str | os.PathLike[str],
    name: str,
    *,
    strategy: Strategy | None = None,
    trust: bool = False,
) -> Replayed:
    """Call `Study.replay` of a stored study."""
    return load_study(path, name).replay(strategy=strategy, trust=trust)


def export_study(path: str | os.PathLike[str], name: str, to: str, place: str) -> ExchangedStudy:
    """Call `Study.export` of a stored study."""
    return load_study(path, name).export(to, place)


def import_study(
    config: StudyConfig, path: str | os.PathLike[str], source: str, of: str | None = None
) -> Imported:
    """Call `Study.import_trials` of a study, which is created if it is new."""
    return Study.from_config(config, store=path).import_trials(source, of)
