"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hpo_syne_tune.options import BORE, KDE, REA, Options
from hpo_syne_tune.plugin import build
from hpo_syne_tune.strategy import SEARCHERS
from syne_tune.config_space import uniform

from hpo_core.plugin import Categorical, Float, SearchSpace
from hpo_core.testing import (
    SHORT_CHECKS,
    VALLEY,
    InstalledContract,
    other_defaults,
    suggestions,
    valley,
    valley_points,
)


def ours(options: Options, trials: int) -> list[list[float]]:
    return valley_points(build(VALLEY, options), trials)


class TestBORE(InstalledContract):
    strategy = "syne-tune:bore"
    given = {"init_random": 3, "feval_acq": 20}
    examples = 1
    long_runs = ()
    checks = SHORT_CHECKS


class TestKDE(InstalledContract):
    strategy = "syne-tune:kde"
    examples = 1
    long_runs = ()
    checks = SHORT_CHECKS


@pytest.mark.quick
class TestREA(InstalledContract):
    strategy = "syne-tune:rea"
    given = {"population_size": 10}
    examples = 3
    long_runs = (30,)


@pytest.mark.quick
@pytest.mark.parametrize("options", [BORE(), KDE(), REA()], ids=lambda o: o.searcher)
def test_suggestions_are_those_of_its_own_loop(options: Options) -> None:
    np.random.seed(7)  # random configurations are drawn from the global stream
    space = {"x": uniform(0.0, 1.0), "y": uniform(0.0, 1.0)}
    native = SEARCHERS[options.searcher](space, random_seed=7)
    found: list[list[float]] = []
    for trial in range(9 if options.searcher == "Bore" else 40):
        values = native.suggest()
        native.on_trial_complete(trial, values, valley(**values))
        if [values["x"], values["y"]] not in found:  # hpo-core tries no configuration twice
            found.append([values["x"], values["y"]])
    assert ours(options, len(found)) == found


def test_densities_of_choices_print_no_warnings(recwarn: pytest.WarningsRecorder) -> None:
    space = SearchSpace((Float("x", 0.0, 1.0), Categorical("kind", ("a", "b"))))
    strategy = build(msgspec.structs.replace(VALLEY, space=space), KDE())
    suggestions(strategy, lambda c: float(c["kind"] == "b"), 30)
    assert [str(each.message) for each in recwarn] == []


def test_the_defaults_are_those_of_the_library() -> None:
    for options in (BORE, KDE, REA):
        assert other_defaults(options, SEARCHERS[options.searcher]) == []
