"""Fixtures for small studies of a function in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpo_core import Categorical, Float, Int, Study


def squares(configuration: Any) -> float:
    return float(configuration["x"] ** 2 + configuration["n"])


PARAMETERS = [Float("x", -1.0, 1.0), Int("n", 0, 3), Categorical("kind", ("a", "b"))]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "hpo.db"


@pytest.fixture
def make() -> Callable[..., Study]:
    """Return what makes a study of 6 jobs; keywords change it."""

    def make(**changes: Any) -> Study:
        given = {
            "function": squares,
            "parameters": PARAMETERS,
            "objective": "loss",
            "direction": "minimize",
            "budget": {"jobs": 6},
            "backend": "inline",
            "seed": 3,
            "name": "squares",
        }
        return Study(**{**given, **changes})

    return make


@pytest.fixture(name="squares")
def _squares() -> Callable[[Any], float]:
    return squares
