"""`HpoSearchCV`: search the parameters of an estimator by cross-validation, with any strategy."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import joblib
import numpy as np
from sklearn.base import _fit_context, clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import check_random_state, indexable
from sklearn.utils.validation import _check_method_params

import hpo_core as hpo
from hpo_core.plugin import Lattice
from hpo_sklearn.candidates import Candidates, read_candidates
from hpo_sklearn.evaluation import Evaluation
from hpo_sklearn.results import fold_results, warn_of_failures
from hpo_sklearn.stored import fingerprint, stored_config

DRAWS = 10
"""The number of candidates in an infinite space, as for `RandomizedSearchCV`."""


class HpoSearchCV(BaseSearchCV):  # type: ignore[misc]  # scikit-learn carries no types
    """Search over an estimator's parameters with cross-validation and a strategy of hpo-core.

    It takes the place of `GridSearchCV` and `RandomizedSearchCV`. Each candidate is a trial of a
    study, and each fold an iteration: a strategy that stops trials (``"asha"``, or ``"optuna:tpe"``
    with a pruner) saves the remaining folds of bad candidates.

    Args:
        estimator: The estimator.
        parameters: A mapping from names to lists of values, distributions of scipy (uniform,
            loguniform, randint) or parameters of hpo-core; a list of such mappings; a list of
            parameters of hpo-core; or a `SearchSpace`.
        strategy: A config string such as ``"optuna:tpe"``.
        options: The strategy's options.
        n_iter: Maximum number of candidates. None for all combinations of a finite space, and 10
            candidates of an infinite one.
        scoring: As for `GridSearchCV`. With several scores and `refit` a name, this score is
            optimized; with `refit` False or callable each of them is an objective.
        n_jobs: Maximum number of candidates that are evaluated at once; None for 1 unless in a
            `joblib.parallel_config`, -1 for all processors.
        refit: As for `GridSearchCV`.
        cv: As for `GridSearchCV`.
        verbose: 1 or more to show progress.
        error_score: The score of a fold that cannot be fitted; ``"raise"`` lets its trial fail.
            With NaN, too, a trial without a valid mean has failed.
        return_train_score: Whether `cv_results_` has the scores on training data.
        random_state: Seed of the study. A search with a store and None keeps the stored seed.
        store: The file that keeps the study, so that an interrupted or extended search resumes;
            None to keep it in memory.
        name: The study's name in its store.
        backend: Where candidates are evaluated; None for this process if `n_jobs` is 1, else
            worker processes (``"local"``).
        settings: Further keys of a study: ``{"budget": {"wall_time": "10m"}, "observers": […]}``.

    Attributes:
        cv_results_: As for `GridSearchCV`, and ``trial_id`` and ``state`` of each candidate. The
            folds that a stopped candidate has not seen are NaN, and so are its means.
        study_: The study, for a search with a store.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        key: BaseSearchCV._parameter_constraints[key]
        for key in ("estimator", "scoring", "n_jobs", "refit", "cv", "verbose", "error_score")
    } | {"return_train_score": ["boolean"], "random_state": ["random_state"]}

    def __init__(
        self,
        estimator: Any,
        parameters: Any,
        *,
        strategy: str = "random",
        options: Mapping[str, Any] | None = None,
        n_iter: int | None = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        random_state: Any = None,
        store: str | os.PathLike[str] | None = None,
        name: str = "search",
        backend: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.parameters = parameters
        self.strategy = strategy
        self.options = options
        self.n_iter = n_iter
        self.random_state = random_state
        self.store = store
        self.name = name
        self.backend = backend
        self.settings = settings

    @_fit_context(prefer_skip_nested_validation=False)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any = None, **params: Any) -> HpoSearchCV:
        """Run the search, and fit the best candidate on all data.

        Args:
            X: The data, array-like of shape (n_samples, n_features), or whatever the estimator
                takes.
            y: The targets, array-like of shape (n_samples,) or (n_samples, n_outputs), or None.
            **params: Further arguments of the estimator's ``fit``, of the scorer and of the
                splitter (``groups``), as for `GridSearchCV`.

        Returns:
            The search itself.

        Raises:
            ValueError: If no candidate could be evaluated on all folds.
            StudyChanged: If the store has a search of this name with other data or arguments.
            StudyFailed: If the study fails: its strategy raised.
            InvalidInput: With all faults of the arguments for the study.
        """
        if getattr(self, "_skl_callbacks", None):
            raise ValueError(
                "HpoSearchCV calls no callbacks of scikit-learn; pass observers: "
                "settings={'observers': […]}"
            )
        scorer, refit_metric = self._get_scorers()
        X, y = indexable(X, y)
        routed = self._get_routed_params_for_fit(_check_method_params(X, params=params))
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(splitter.split(X, y, **routed.splitter.split))
        self.n_splits_ = len(splits)
        objectives = self._objectives(scorer)
        candidates = read_candidates(self.parameters)
        evaluation = Evaluation(
            estimator=clone(self.estimator),
            X=X,
            y=y,
            splits=splits,
            scorer=scorer,
            fit_params=routed.estimator.fit,
            score_params=routed.scorer.score,
            candidates=candidates,
            objectives=objectives,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
        )
        study, grown = self._study(evaluation)
        with study:
            study.run(progress=bool(self.verbose))
            if grown is not None:
                study.extend(trials=grown)
                study.run(progress=bool(self.verbose))
            trials = study.trials
            warn_of_failures(trials, str(study.folder / "logs"))
        self._select(candidates, trials, objectives, refit_metric)
        self.scorer_ = getattr(scorer, "_scorers", scorer)
        if self.refit:
            self._refit(X, y, routed.estimator.fit)
        return self

    @property
    def study_(self) -> hpo.Study:
        """The study of a search with a store, with its trials, tables and plots."""
        if self.store is None:
            raise AttributeError("the study is not kept; fit a search with store='hpo.db'")
        return hpo.load_study(self.store, self.name)

    def _objectives(self, scorer: Any) -> list[str]:
        """Return the names of the scores to optimize."""
        if isinstance(self.refit, str):
            return [self.refit] if self._is_multimetric(scorer) else ["score"]
        return list(scorer._scorers) if hasattr(scorer, "_scorers") else ["score"]

    def _is_multimetric(self, scorer: Any) -> bool:
        return hasattr(scorer, "_scorers") or callable(self.scoring)

    def _study(self, evaluation: Evaluation) -> tuple[hpo.Study, int | None]:
        """Return the study, and the number of trials to which a stored one grows."""
        space = evaluation.candidates.space
        workers = joblib.effective_n_jobs(self.n_jobs)
        backend = "inline" if workers == 1 else "local"
        settings: dict[str, Any] = {"max_failures_at_start": 0, **(self.settings or {})}
        budget = dict(settings.pop("budget", {}))
        wanted = trials = self.n_iter or (None if budget else _all_or_some(space))
        if self.store is not None:
            tag = fingerprint(evaluation)
            settings["tags"] = [*settings.get("tags", ()), tag]
            if stored := stored_config(self.store, self.name, tag):
                trials = stored.budget.trials
                backend = stored.backend.name if workers == 1 else backend
        seed = self.random_state
        if self.store is None or seed is not None:
            generator = check_random_state(seed)
            seed = seed if isinstance(seed, int) else int(generator.randint(np.iinfo(np.int32).max))
        study = hpo.Study(
            function=evaluation,
            parameters=space,
            objective=[hpo.Objective(f"mean_test_{n}", "maximize") for n in evaluation.objectives],
            budget={"trials": trials, **budget} if trials else budget,
            strategy=self.strategy,
            options=self.options,
            workers=workers,
            backend=self.backend or backend,
            seed=seed,
            name=self.name,
            store=self.store,
            max_iterations=self.n_splits_,
            **settings,
        )
        return study, wanted if wanted and trials and wanted > trials else None

    def _select(
        self, candidates: Candidates, trials: Any, objectives: list[str], refit_metric: str
    ) -> None:
        """Set `cv_results_` and the best candidate."""
        out = fold_results(trials, self.n_splits_, objectives)
        self.multimetric_ = isinstance(out[0]["test_scores"], dict)
        if self.multimetric_:
            self._check_refit_for_multimetric(out[0]["test_scores"])
            refit_metric = self.refit
        with np.errstate(invalid="ignore"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "One or more of the", UserWarning)  # they are told
            results = self._format_results(
                [candidates.parameters_of(trial.configuration) for trial in trials],
                self.n_splits_,
                out,
                {
                    "trial_id": [trial.trial_id for trial in trials],
                    "state": [trial.state.value for trial in trials],
                },
            )
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
            self.best_params_ = results["params"][self.best_index_]
        self.cv_results_ = results

    def _refit(self, X: Any, y: Any, fit_params: Mapping[str, Any]) -> None:
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        began = time.time()
        best.fit(X, **fit_params) if y is None else best.fit(X, y, **fit_params)
        self.refit_time_ = time.time() - began
        self.best_estimator_ = best
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_


def _all_or_some(space: hpo.SearchSpace) -> int:
    """Return the number of candidates if none is given: all of a finite space, else `DRAWS`."""
    return Lattice(space).size if space.is_finite else DRAWS
