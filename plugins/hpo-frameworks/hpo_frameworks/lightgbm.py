"""LightGBM: ``lightgbm.train(…, valid_sets=[data], callbacks=[ReportCallback()])``."""

from __future__ import annotations

from typing import Any

from lightgbm.callback import EarlyStopException

from hpo_frameworks.reporting import should_stop


class ReportCallback:
    """Reports each metric on each data set after each round, as ``valid_0/l2``."""

    order = 25
    """After LightGBM's own record of evaluations, and before its early stopping."""

    def __call__(self, env: Any) -> None:
        results = env.evaluation_result_list or []
        metrics = {f"{data}/{metric}": value for data, metric, value, *_ in results}
        if should_stop(env.iteration + 1, metrics):
            raise EarlyStopException(env.iteration, results)
