"""`HpoSearchCV` in place of scikit-learn's own searches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hpo_sklearn import HpoSearchCV
from scipy.stats import loguniform, randint
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

import hpo_core as hpo

X, y = load_iris(return_X_y=True)
GRID = {"C": [0.1, 1.0, 10.0], "gamma": ["scale", 0.1]}


class Constantly(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose score is its parameter; it counts its fits, and fails at will."""

    fits = 0
    interrupt_at: int | None = None

    def __init__(self, value: float = 0.0, fails: bool = False) -> None:
        self.value = value
        self.fails = fails

    def fit(self, X: Any, y: Any) -> Constantly:
        Constantly.fits += 1
        if Constantly.fits == Constantly.interrupt_at:
            raise KeyboardInterrupt
        if self.fails:
            raise RuntimeError("no fit today")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[0])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        return self.value


@pytest.fixture(autouse=True)
def no_fits() -> None:
    Constantly.fits, Constantly.interrupt_at = 0, None


def test_with_the_strategy_grid_its_results_are_those_of_gridsearchcv() -> None:
    native = GridSearchCV(SVC(), GRID, return_train_score=True).fit(X, y)
    search = HpoSearchCV(SVC(), GRID, strategy="grid", return_train_score=True).fit(X, y)
    assert search.cv_results_["params"] == native.cv_results_["params"]
    for key, expected in native.cv_results_.items():
        found = search.cv_results_[key]
        if key.startswith("param"):
            assert list(found) == list(expected), key
        elif not key.endswith("_time"):
            np.testing.assert_allclose(found, expected, err_msg=key)
        else:
            assert np.isfinite(found).all(), key
    assert search.best_params_ == native.best_params_
    assert search.best_index_ == native.best_index_
    assert search.best_score_ == pytest.approx(native.best_score_)
    assert search.score(X, y) == native.score(X, y)


def test_without_n_iter_a_finite_space_is_searched_as_a_whole() -> None:
    search = HpoSearchCV(SVC(), GRID, random_state=0).fit(X, y)
    assert len({tuple(params.items()) for params in search.cv_results_["params"]}) == 6


def test_distributions_of_scipy_and_parameters_of_hpo_core_become_ranges() -> None:
    given = {"C": loguniform(1e-2, 1e2), "degree": randint(2, 5), "coef0": hpo.Float("c", 0, 1)}
    search = HpoSearchCV(SVC(kernel="poly"), given, n_iter=12, random_state=1).fit(X, y)
    for params in search.cv_results_["params"]:
        assert 1e-2 <= params["C"] <= 1e2
        assert params["degree"] in (2, 3, 4)
        assert 0 <= params["coef0"] <= 1


def test_values_may_be_estimators_and_grids_may_be_several() -> None:
    pipeline = Pipeline([("scale", StandardScaler()), ("svc", SVC())])
    grids = [
        {"scale": [StandardScaler(), MinMaxScaler(), "passthrough"]},
        {"svc__C": [1.0, 2.0], "svc__class_weight": [None, "balanced"]},
    ]
    search = HpoSearchCV(pipeline, grids, strategy="grid").fit(X, y)
    native = GridSearchCV(pipeline, grids).fit(X, y)
    assert list(map(str, search.cv_results_["params"])) == list(
        map(str, native.cv_results_["params"])
    )
    assert search.cv_results_["param_svc__C"].mask.tolist() == [True] * 3 + [False] * 4


def test_the_same_random_state_gives_the_same_candidates() -> None:
    search = HpoSearchCV(Ridge(), {"alpha": loguniform(1e-3, 1e3)}, n_iter=4, random_state=3)
    first = search.fit(X, y).cv_results_["params"]
    assert clone(search).fit(X, y).cv_results_["params"] == first


def test_several_scores_and_refit_of_one() -> None:
    scoring = {"accuracy": "accuracy", "f1": "f1_macro"}
    model, grid = SVC(), {"C": [0.01, 1.0]}
    search = HpoSearchCV(model, grid, strategy="grid", scoring=scoring, refit="f1").fit(X, y)
    native = GridSearchCV(model, grid, scoring=scoring, refit="f1").fit(X, y)
    for name in scoring:
        key = f"mean_test_{name}"
        np.testing.assert_allclose(search.cv_results_[key], native.cv_results_[key])
    assert search.best_params_ == native.best_params_
    with pytest.raises(ValueError, match="refit must be set to a scorer key"):
        HpoSearchCV(model, grid, scoring=scoring).fit(X, y)


def test_groups_and_weights_are_split_with_the_folds() -> None:
    groups = np.arange(len(X)) % 3
    weights = np.linspace(0.1, 1, len(X))
    arguments: dict[str, Any] = {"groups": groups, "sample_weight": weights}
    grid, cv = {"C": [0.1, 1.0]}, GroupKFold(3)
    search = HpoSearchCV(SVC(), grid, strategy="grid", cv=cv).fit(X, y, **arguments)
    native = GridSearchCV(SVC(), grid, cv=cv).fit(X, y, **arguments)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], native.cv_results_["mean_test_score"]
    )


def test_a_strategy_that_stops_saves_the_folds_of_bad_candidates() -> None:
    values = [round(0.1 * number, 1) for number in range(9)]
    search = HpoSearchCV(
        Constantly(), {"value": values}, strategy="asha", cv=9, n_iter=9, random_state=0
    ).fit(X, y)
    fits = Constantly.fits
    results = search.cv_results_
    assert fits < 9 * 9
    assert fits - 1 == sum(
        np.isfinite(results[f"split{fold}_test_score"]).sum() for fold in range(9)
    )
    assert np.isnan(results["mean_test_score"][results["state"] != "completed"]).all()
    assert results["state"][search.best_index_] == "completed"


def test_a_stored_search_is_not_run_again_and_grows(tmp_path: Path) -> None:
    def search(n_iter: int, data: Any = X) -> HpoSearchCV:
        search = HpoSearchCV(
            Constantly(),
            {"value": hpo.Float("value", 0, 1)},
            n_iter=n_iter,
            refit=False,
            cv=2,
            random_state=5,
            store=tmp_path / "hpo.db",
        )
        return search.fit(data, y)

    first = search(3).cv_results_["params"]
    assert Constantly.fits == 6
    assert search(3).cv_results_["params"] == first
    assert Constantly.fits == 6
    grown = search(5)
    assert grown.cv_results_["params"][:3] == first
    assert len(grown.cv_results_["params"]) == 5
    assert Constantly.fits == 10
    assert len(grown.study_.trials) == 5
    with pytest.raises(hpo.errors.StudyChanged, match="has other data"):
        search(5, X + 1)


def test_an_interrupted_search_resumes_with_the_fold_that_it_was_in(tmp_path: Path) -> None:
    search = HpoSearchCV(
        Constantly(),
        {"value": [0.1, 0.2, 0.3]},
        refit=False,
        cv=2,
        random_state=5,
        store=tmp_path / "hpo.db",
    )
    Constantly.interrupt_at = 4
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    search.fit(X, y)
    assert Constantly.fits == 3 * 2 + 1
    assert sorted(search.cv_results_["mean_test_score"]) == [0.1, 0.2, 0.3]


def test_candidates_are_evaluated_in_worker_processes_with_the_same_results(
    tmp_path: Path,
) -> None:
    search = HpoSearchCV(SVC(), GRID, strategy="grid", n_jobs=2, store=tmp_path / "hpo.db")
    found = search.fit(X, y).cv_results_["mean_test_score"]
    native = GridSearchCV(SVC(), GRID).fit(X, y)
    np.testing.assert_allclose(found, native.cv_results_["mean_test_score"])
    assert search.study_.config.backend.name == "local"
    again = clone(search).set_params(n_jobs=1).fit(X, y)  # a store keeps its backend
    np.testing.assert_allclose(again.cv_results_["mean_test_score"], found)


def test_a_search_that_cannot_be_compared_with_a_stored_one_is_an_error(tmp_path: Path) -> None:
    class Local(Constantly):
        pass

    search = HpoSearchCV(Local(), {"value": [0.1]}, store=tmp_path / "hpo.db")
    with pytest.raises(ValueError, match="cannot be pickled"):
        search.fit(X, y)


def test_candidates_that_fail_are_warned_of_and_never_the_best() -> None:
    grid = [{"value": [0.5]}, {"value": [0.9], "fails": [True]}]
    with pytest.warns(FitFailedWarning, match="1 of 2 candidates failed .* no fit today"):
        search = HpoSearchCV(Constantly(), grid).fit(X, y)
    assert search.best_params_ == {"value": 0.5}
    with pytest.warns(FitFailedWarning, match="5 fits failed and have the score error_score"):
        search = HpoSearchCV(Constantly(), grid, error_score=0.0).fit(X, y)
    assert search.best_params_ == {"value": 0.5}
    with pytest.raises(ValueError, match=r"(?s)All fits of the 1 candidates failed.*no fit today"):
        HpoSearchCV(Constantly(), {"fails": [True]}).fit(X, y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"C": []}, "the list is empty"),
        ({"C": 3}, r"write \[3\]"),
        ({"C": "rbf"}, r"write \['rbf'\]"),
        (7, "expected a mapping"),
    ],
)
def test_wrong_parameters_are_said_by_name(parameters: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        HpoSearchCV(SVC(), parameters).fit(X, y)


def test_a_distribution_without_a_range_is_an_error() -> None:
    from scipy.stats import norm

    with pytest.raises(ValueError, match="'norm' has no range"):
        HpoSearchCV(SVC(), {"C": norm()}).fit(X, y)


def test_without_a_store_there_is_no_study_afterwards() -> None:
    search = HpoSearchCV(SVC(), {"C": [1.0, 2.0]}).fit(X, y)
    with pytest.raises(AttributeError, match=r"store='hpo\.db'"):
        _ = search.study_
