"""The job of a search: fit and score an estimator with one configuration, fold by fold.

An iteration is a fold. After each one the job reports its scores and times, and the mean test score
so far, which is the objective: so a strategy can stop a candidate early.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection._validation import _fit_and_score

from hpo_core import JobInfo, report
from hpo_sklearn.candidates import Candidates

Fold = dict[str, float]
"""A fold's numbers: ``test_NAME``, ``train_NAME``, ``failed``, ``fit_time``, ``score_time``."""


@dataclass
class Evaluation:
    """The function of a search's jobs.

    Attributes:
        estimator: The unfitted estimator.
        X: The data.
        y: The targets, or None.
        splits: For each fold the indices to train and to test on.
        scorer: A scorer, or several in one object, as scikit-learn makes them.
        fit_params: Further arguments of ``fit``; arrays of samples are split like `X`.
        score_params: Further arguments of the scorer.
        candidates: Converts configurations to parameters of the estimator.
        objectives: The names of the scores whose mean is an objective.
        error_score: The score of a fold that cannot be fitted, or ``"raise"``.
        return_train_score: Whether to score on the training data, too.
    """

    estimator: Any
    X: Any
    y: Any
    splits: Sequence[tuple[Any, Any]]
    scorer: Any
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]
    candidates: Candidates
    objectives: Sequence[str]
    error_score: Any
    return_train_score: bool

    def __call__(self, configuration: Mapping[str, Any], job: JobInfo) -> None:
        """Evaluate the folds that an earlier job of the trial has not evaluated."""
        file = Path(job.checkpoint_dir) / "folds.json"
        folds: list[Fold] = json.loads(file.read_text()) if file.exists() else []
        if folds:  # its report may have been lost with the controller
            self._report(folds)
        parameters = self.candidates.parameters_of(configuration)
        errors = []
        for train, test in self.splits[len(folds) : job.iterations]:
            fold, error = self._evaluate(parameters, train, test)
            if error:
                errors.append(error)
                print(f"fold {len(folds)} failed: {error}")
            folds.append(fold)
            _save(file, folds)
            self._report(folds)
        if errors and not np.isfinite(self._means(folds)).all():
            first = _without_frames(errors[0])  # the log has them
            raise RuntimeError(f"{len(errors)} of {len(folds)} fits failed, the first: {first}")

    def _evaluate(self, parameters: Mapping[str, Any], train: Any, test: Any) -> tuple[Fold, str]:
        """Fit and score one fold; returns its numbers, and the error if it could not be fitted."""
        result = _fit_and_score(
            clone(self.estimator),
            self.X,
            self.y,
            scorer=self.scorer,
            train=train,
            test=test,
            verbose=0,
            parameters=parameters,
            fit_params=self.fit_params,
            score_params=self.score_params,
            return_train_score=self.return_train_score,
            return_times=True,
            error_score=self.error_score,
        )
        fold = {"fit_time": result["fit_time"], "score_time": result["score_time"]}
        fold["failed"] = float(result["fit_error"] is not None)
        for part in ("test", "train") if self.return_train_score else ("test",):
            scores = result[f"{part}_scores"]
            if not isinstance(scores, Mapping):  # one scorer, or the error score of several
                failed = result["fit_error"] is not None
                scores = dict.fromkeys(self.objectives if failed else ["score"], scores)
            fold |= {f"{part}_{name}": float(score) for name, score in scores.items()}
        if missing := [name for name in self.objectives if f"test_{name}" not in fold]:
            found = [name.removeprefix("test_") for name in fold if name.startswith("test_")]
            raise ValueError(
                f"scoring returned the scores {found}, and not {missing[0]!r}; for several scores "
                f"set refit to the name of the one to optimize"
            )
        return fold, result["fit_error"] or ""

    def _report(self, folds: Sequence[Fold]) -> None:
        """Report the last fold, and the means so far."""
        last = len(folds) - 1
        means = zip(self.objectives, self._means(folds), strict=True)
        numbers = {
            f"split{last}_{name}": number
            for name, number in folds[last].items()
            if np.isfinite(number)
        }
        report(last + 1, **{f"mean_test_{name}": mean for name, mean in means}, **numbers)

    def _means(self, folds: Sequence[Fold]) -> list[float]:
        return [
            float(np.mean([fold[f"test_{name}"] for fold in folds])) for name in self.objectives
        ]


def _without_frames(traceback: str) -> str:
    """Return the exception of a traceback, the last one of a chain, with its whole message."""
    last = traceback.rsplit("Traceback (most recent call last):", 1)[-1]
    found = re.search(r"^\S.*\Z", last, re.DOTALL | re.MULTILINE)
    return found[0].strip() if found else traceback


def _save(file: Path, folds: Sequence[Fold]) -> None:
    """Save the folds in one step: a job that is killed leaves a whole file."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps(folds))
    os.replace(new, file)
