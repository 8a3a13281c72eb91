"""The trials of a study in the form of which scikit-learn makes `cv_results_`."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from typing import Any

from sklearn.exceptions import FitFailedWarning

_SCORE = re.compile(r"split\d+_((?:test|train)_.*)", re.DOTALL)

TIMES = ("fit_time", "score_time")


def fold_results(
    trials: Sequence[Any], n_splits: int, objectives: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the numbers of each fold of each trial, as scikit-learn's own evaluation does.

    A fold that was not evaluated, since its trial was stopped or failed before, is NaN.

    Args:
        trials: The trials of the study.
        n_splits: The number of folds.
        objectives: The names of the scores that every fold has.
    """
    found = (_SCORE.match(name) for trial in trials for name in trial.metrics)
    known = (f"test_{name}" for name in objectives)
    names = list(dict.fromkeys([*known, *(match[1] for match in found if match)]))
    return [
        _fold(
            names, {n: trial.metrics.get(f"split{split}_{n}", math.nan) for n in (*names, *TIMES)}
        )
        for trial in trials
        for split in range(n_splits)
    ]


def _fold(names: Sequence[str], numbers: dict[str, float]) -> dict[str, Any]:
    result: dict[str, Any] = {time: numbers[time] for time in TIMES}
    for part in ("test", "train"):
        own = [name for name in names if name.startswith(f"{part}_")]
        scores = {name.removeprefix(f"{part}_"): numbers[name] for name in own}
        result[f"{part}_scores"] = scores["score"] if list(scores) == ["score"] else scores
    return result


def warn_of_failures(trials: Sequence[Any], logs: str) -> None:
    """Warn of fits that failed; raise if there is no candidate to choose.

    Args:
        trials: The trials of the study.
        logs: Where the output of jobs is.

    Raises:
        ValueError: If no fit succeeded, or no candidate was evaluated on all folds.
    """
    completed = [trial for trial in trials if trial.state.value == "completed"]
    failed = [trial for trial in trials if trial.state.value == "failed"]
    first = ""
    if failed:
        reason = failed[0].reason.split("\nTraceback")[0].strip()
        first = f"the first in trial {failed[0].trial_id}: {reason}"
    if failed and not any(_fitted(trial) for trial in trials):
        raise ValueError(f"All fits of the {len(trials)} candidates failed, {first}")
    if not completed and len(failed) < len(trials):
        raise ValueError(
            f"None of {len(trials)} candidates was evaluated on all folds: give the search a "
            f"larger budget. {first}".strip()
        )
    if failed:
        warnings.warn(
            f"{len(failed)} of {len(trials)} candidates failed and have the score NaN, {first}",
            FitFailedWarning,
            stacklevel=3,
        )
    if folds := sum(sum(_failures(trial)) for trial in completed):
        warnings.warn(
            f"{folds} fits failed and have the score error_score; the errors are in {logs}",
            FitFailedWarning,
            stacklevel=3,
        )


def _failures(trial: Any) -> list[bool]:
    """Return for each fold of a trial that was evaluated whether its fit failed."""
    return [bool(flag) for name, flag in trial.metrics.items() if name.endswith("_failed")]


def _fitted(trial: Any) -> bool:
    """Return whether any fit of a trial succeeded."""
    return not all(_failures(trial))
