"""XGBoost: ``xgboost.train(…, evals=[(data, "validation")], callbacks=[ReportCallback()])``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xgboost.callback import TrainingCallback

from hpo_frameworks.reporting import should_stop


class ReportCallback(TrainingCallback):  # type: ignore[misc]  # carries no types here
    """Reports each metric on each data set after each round, as ``validation/logloss``."""

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Any]) -> bool:
        metrics = {
            f"{data}/{metric}": values[-1][0] if isinstance(values[-1], tuple) else values[-1]
            for data, logged in evals_log.items()
            for metric, values in logged.items()
        }
        rounds = getattr(
            model, "num_boosted_rounds", lambda: epoch + 1
        )()  # with those resumed from
        return should_stop(rounds, metrics)
