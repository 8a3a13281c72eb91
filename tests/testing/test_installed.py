"""The contract kit on an installed strategy, and on some of its checks alone."""

from __future__ import annotations

import pytest

from hpo_core.plugin import Capability, InvalidInput, StrategyChoice, build_strategy
from hpo_core.testing import SHORT_CHECKS, VALLEY, InstalledContract, valley, valley_points


class TestGrid(InstalledContract):
    strategy = "grid"
    given = {"points": 3}
    examples = 2
    long_runs = ()
    checks = SHORT_CHECKS


def test_its_capabilities_and_options_are_those_of_its_spec() -> None:
    subject = TestGrid.subject()
    assert subject.can(Capability.STRUCTURED)
    assert not subject.can(Capability.RESUMING)
    assert subject.options is not None
    assert subject.options.__struct_fields__ == ("points",)


def test_its_options_are_those_that_are_given() -> None:
    points = valley_points(TestGrid().make_strategy(VALLEY), 20)
    assert {x for x, _ in points} == {0.0, 0.5, 1.0}


def test_an_option_that_it_does_not_have_is_refused() -> None:
    class Wrong(InstalledContract):
        strategy = "grid"
        given = {"point": 3}

    with pytest.raises(InvalidInput, match=r"options\.point"):
        Wrong.subject()


def test_only_the_checks_that_are_named_are_tests() -> None:
    class Few(InstalledContract):
        strategy = "grid"
        checks = ("suggestions_lie_in_the_space",)

    tests = [name for name in dir(Few) if name.startswith("test_") and getattr(Few, name)]
    assert tests == ["test_suggestions_lie_in_the_space"]


def test_a_check_that_does_not_exist_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(TypeError, match="no check 'nan_survived'; did you mean 'nan_is_survived'"):

        class Misspelt(InstalledContract):
            checks = ("nan_survived",)


def test_the_points_of_a_strategy_in_the_valley_are_told_its_loss() -> None:
    heard = []

    def loss(x: float, y: float) -> float:
        heard.append([x, y])
        return valley(x, y)

    strategy = build_strategy(StrategyChoice("random"), VALLEY).strategy
    assert valley_points(strategy, 3, loss) == heard
    assert valley(0.3, 0.18) == 0.0
