"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import msgspec
import pytest
import rustuna
from hpo_rustuna.options import TPE, CmaEs, Options, Random
from hpo_rustuna.plugin import build

from hpo_core.plugin import Float, SearchSpace
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


@pytest.mark.quick
class TestTPE(InstalledContract):
    strategy = "rustuna:tpe"
    given = {"n_startup_trials": 4}
    examples = 3
    long_runs = (30,)


class TestCMAES(InstalledContract):
    strategy = "rustuna:cmaes"
    examples = 2
    long_runs = ()
    checks = SHORT_CHECKS


@pytest.mark.quick
@pytest.mark.parametrize("options", [TPE(), CmaEs(), Random()], ids=lambda o: o.sampler)
def test_suggestions_are_those_of_its_own_loop(options: Options) -> None:
    sampler = getattr(rustuna.samplers, options.sampler)(seed=7)
    native = rustuna.create_study(sampler=sampler)
    found = []
    for _ in range(60):
        trial = native.ask()
        point = [trial.suggest_float("x", 0.0, 1.0), trial.suggest_float("y", 0.0, 1.0)]
        native.tell(trial.number, valley(*point))
        found.append(point)
    assert ours(options, 60) == found


def test_values_on_a_log_scale_are_exactly_those_of_the_library() -> None:
    space = SearchSpace((Float("x", 1e-5, 1.0, log=True),))
    strategy = build(msgspec.structs.replace(VALLEY, space=space), TPE())
    found = suggestions(strategy, lambda c: c["x"], 40)  # type: ignore[arg-type, return-value]
    native = rustuna.create_study(sampler=rustuna.samplers.TPESampler(seed=7))
    for configuration in found:
        trial = native.ask()
        assert trial.suggest_float("x", 1e-5, 1.0, log=True) == configuration["x"]
        native.tell(trial.number, configuration["x"])


def test_the_defaults_are_those_of_the_library() -> None:
    for options in (TPE, CmaEs, Random):
        assert other_defaults(options, getattr(rustuna.samplers, options.sampler)) == []
