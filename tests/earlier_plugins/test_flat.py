"""The tests of `flat`, as its author wrote them, pass; each old name gives a warning."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

with warnings.catch_warnings(record=True) as WARNINGS:
    warnings.simplefilter("always")
    import flat

    from hpo_core import Problem, Strategy

from hpo_core import Float, InvalidInput, Objective, SearchSpace
from hpo_core.testing import StrategyContract


class TestContract(StrategyContract):
    capabilities = flat.CAPABILITIES
    options = flat.Options
    examples = 3
    long_runs = (60,)

    def make_strategy(self, problem: Problem) -> Strategy:
        return flat.build(problem, flat.Options())


def test_a_bad_option_is_refused() -> None:
    space = SearchSpace((Float("x", 0.0, 1.0),))
    problem = Problem(space=space, objectives=(Objective("loss", "minimize"),), seed=1)
    with pytest.raises(InvalidInput, match="step: must be above 0"):
        flat.build(problem, flat.Options(step=0.0))


def test_each_name_that_has_moved_is_a_warning_with_the_new_place() -> None:
    said = {str(warning.message) for warning in WARNINGS}
    for name in ("BaseStrategy", "StrategySpec", "hookimpl", "Problem", "Strategy"):
        assert any(f"`from hpo_core.plugin import {name}`" in text for text in said)
    assert {warning.category for warning in WARNINGS} == {DeprecationWarning}
