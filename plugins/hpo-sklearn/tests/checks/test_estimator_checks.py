"""scikit-learn's own checks of estimators."""

from __future__ import annotations

from typing import Any

import pytest
from hpo_sklearn import HpoSearchCV
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import RandomizedSearchCV
from sklearn.utils.estimator_checks import check_estimator


def failed_checks(search: Any) -> set[str]:
    results = check_estimator(search, on_skip=None, on_fail=None)
    return {result["check_name"] for result in results if result["status"] == "failed"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("model", "grid"), [(Ridge(), {"alpha": [1.0]}), (LogisticRegression(), {"C": [1.0]})]
)
def test_it_passes_every_estimator_check_that_scikit_learns_own_search_passes(
    model: Any, grid: Any
) -> None:
    own = failed_checks(RandomizedSearchCV(model, grid, n_iter=1, cv=2))
    assert failed_checks(HpoSearchCV(model, grid, cv=2)) <= own
