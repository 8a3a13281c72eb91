"""CatBoost: ``CatBoostClassifier().fit(…, eval_set=data, callbacks=[ReportCallback()])``.

CatBoost calls no callbacks on GPUs. The module imports nothing: a callback needs no base class.
"""

from __future__ import annotations

from typing import Any

from hpo_frameworks.reporting import should_stop


class ReportCallback:
    """Reports each metric on each data set after each round, as ``validation/Logloss``."""

    def after_iteration(self, info: Any) -> bool:
        """Report; returns whether the training continues."""
        metrics = {
            f"{data}/{metric}": values[-1]
            for data, logged in info.metrics.items()
            for metric, values in logged.items()
            if values
        }
        return not should_stop(info.iteration, metrics)
