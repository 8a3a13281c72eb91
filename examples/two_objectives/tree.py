"""Grow a decision tree on the digits of scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier


def grow(configuration: Mapping[str, Any]) -> dict[str, float]:
    """Return the accuracy of a tree, and its number of leaves."""
    x_train, x_valid, y_train, y_valid = train_test_split(
        *load_digits(return_X_y=True), test_size=1 / 3, random_state=0
    )
    tree = DecisionTreeClassifier(**configuration, random_state=0).fit(x_train, y_train)
    return {"accuracy": tree.score(x_valid, y_valid), "leaves": tree.get_n_leaves()}
