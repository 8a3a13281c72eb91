"""Options and capabilities are checked before the first job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from plugged import GOOD, Given, Publish, study

from hpo_core import (
    Categorical,
    Float,
    HyperParameterOptimizer,
    Int,
    InvalidInput,
    Objective,
    SearchSpace,
    StudyState,
    registry,
)
from hpo_core.controller.strategy.resolve import prepare
from hpo_core.errors import StrategyError
from hpo_core.plugin import (
    Capability,
    UnknownPlugin,
    Unsupported,
)


@pytest.mark.parametrize(
    ("options", "path", "message"),
    [
        ({"frist": 2}, "strategy.options.frist", "unknown key; did you mean 'first'?"),
        ({"zzz": 2}, "strategy.options.zzz", "unknown key; known: first, mode"),
        ({"first": "two"}, "strategy.options.first", "expected an integer, got 'two'"),
        ({"first": 2.5}, "strategy.options.first", "expected an integer, got 2.5"),
        ({"mode": 1}, "strategy.options.mode", "expected text, got 1"),
    ],
)
def test_unfit_options_are_faults_before_the_first_job(
    publish: Publish, options: dict[str, Any], path: str, message: str
) -> None:
    """FACTS: misspelt options were swallowed by `**_`."""
    publish("count", GOOD)
    with pytest.raises(InvalidInput) as caught:
        HyperParameterOptimizer(study("count", options), function=float)
    assert [(fault.path, fault.message) for fault in caught.value.faults] == [(path, message)]


def test_every_unfit_option_is_found_at_once(publish: Publish) -> None:
    publish("count", GOOD)
    resolved = registry.strategy("count")
    _, faults = registry.options(resolved, {"first": "two", "mod": "up"}, "strategy.options")
    assert {fault.path for fault in faults} == {"strategy.options.first", "strategy.options.mod"}


def test_options_that_are_left_out_are_stored_with_their_defaults(publish: Publish) -> None:
    publish("count", GOOD)
    with HyperParameterOptimizer(study("count"), function=float) as optimizer:
        assert optimizer.config.strategy.options == {"first": 1, "mode": "up"}


OVER = """
    import msgspec
    from hpo_core.plugin import StrategyChoice, StrategySpec, build_strategy, hookimpl

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        searcher: StrategyChoice = StrategyChoice("count")

    class Over:
        def __init__(self, problem, options):
            built = build_strategy(options.searcher, problem)
            self.capabilities = built.capabilities
            for method in ("ask", "adopt", "tell", "save_state", "restore"):
                setattr(self, method, getattr(built.strategy, method))

    @hookimpl
    def hpo_strategies():
        from hpo_core.plugin import Capability
        return [StrategySpec(name="NAME", summary="As another one", build=Over, options=Options,
                             capabilities=frozenset(Capability))]
"""


@pytest.mark.parametrize(
    ("searcher", "stored", "first"),
    [
        ({}, {"first": 1, "mode": "up"}, 1),
        ({"searcher": "count"}, {"first": 1, "mode": "up"}, 1),
        (
            {"searcher": {"name": "count", "options": {"first": 2}}},
            {"first": 2, "mode": "up"},
            2,
        ),
    ],
)
def test_a_strategy_composed_with_another_names_it_in_its_options(
    publish: Publish, searcher: dict[str, Any], stored: dict[str, Any], first: int
) -> None:
    publish("count", GOOD, version="1.4")
    publish("over", OVER)
    with HyperParameterOptimizer(study("over", searcher), function=float_of_x) as optimizer:
        assert optimizer.config.strategy.options == {
            "searcher": {"name": "count", "options": stored}
        }
        result = optimizer.run()
    assert [trial.configuration["x"] for trial in result.trials] == list(range(first, 4))
    identity = prepare(study("over", searcher)).identities()["strategy.searcher"]
    assert (identity["distribution"], identity["version"]) == ("hpo-count", "1.4")


def float_of_x(configuration: Mapping[str, Any]) -> float:
    return float(configuration["x"])


def test_the_options_of_an_inner_strategy_are_checked_like_any_others(publish: Publish) -> None:
    publish("count", GOOD)
    publish("over", OVER)
    options = {"searcher": {"name": "count", "options": {"frist": 2, "mode": 1}}}
    with pytest.raises(InvalidInput) as caught:
        HyperParameterOptimizer(study("over", options), function=float)
    assert {fault.path for fault in caught.value.faults} == {
        "strategy.options.searcher.options.frist",
        "strategy.options.searcher.options.mode",
    }
    with pytest.raises(UnknownPlugin, match=r"no strategy 'coutn' is installed.*mean 'count'"):
        HyperParameterOptimizer(study("over", {"searcher": "coutn"}), function=float)


def test_what_an_inner_strategy_lacks_is_an_error_that_names_it(publish: Publish) -> None:
    publish("count", GOOD)
    publish("over", OVER)
    both = (Objective("loss", "minimize"), Objective("seconds", "minimize"))
    with (
        HyperParameterOptimizer(study("over", objectives=both), function=float) as optimizer,
        pytest.raises(Unsupported, match="several objectives, which the searcher 'count' does not"),
    ):
        optimizer.run()


def test_resuming_under_another_version_of_an_inner_strategy_warns(publish: Publish) -> None:
    publish("count", GOOD)
    publish("over", OVER)
    prepared = prepare(study("over"))
    stored = prepared.identities()
    stored["strategy.searcher"]["version"] = "0.9"
    (sentence,) = prepared.changed_since(stored)
    assert sentence.startswith("the strategy's searcher 'count' was hpo-count 0.9 when")


def test_what_a_strategy_lacks_is_an_error_that_names_those_that_have_it(publish: Publish) -> None:
    publish("count", GOOD)
    publish("broken", "raise RuntimeError")
    both = (Objective("loss", "minimize"), Objective("seconds", "minimize"))
    with pytest.raises(Unsupported) as caught:
        HyperParameterOptimizer(study("count", objectives=both), function=float)
    said = str(caught.value)
    assert "needs several objectives, which the strategy 'count' does not support" in said
    assert "random" in said.partition("installed strategies that do: ")[2].split(", ")


NEEDS = {
    "conditional parameters": {
        "space": SearchSpace((Int("x", 1, 3), Float("y", 0.0, 1.0, when={"x": 1})))
    },
    "forbidden combinations": {"space": SearchSpace((Int("x", 1, 3),), ({"x": 2},))},
    "integers": {"space": SearchSpace((Int("x", 1, 3),))},
    "categoricals": {"space": SearchSpace((Categorical("x", ("a", "b")),))},
    "several objectives": {
        "objectives": (Objective("loss", "minimize"), Objective("seconds", "minimize"))
    },
}


@pytest.mark.parametrize(("need", "changes"), NEEDS.items(), ids=NEEDS.keys())
def test_each_need_of_a_study_is_checked_before_the_first_job(
    publish: Publish, need: str, changes: dict[str, Any]
) -> None:
    publish("none", GOOD.replace("frozenset({Capability.INTEGERS})", "frozenset()"))
    with pytest.raises(Unsupported, match=f"{need}.*, which the strategy 'none' does not support"):
        HyperParameterOptimizer(study("none", **changes), function=float)


def test_an_instance_that_says_nothing_of_its_capabilities_may_do_anything() -> None:
    with HyperParameterOptimizer(study(""), strategy=Given(), function=float) as optimizer:
        assert optimizer.run().state is StudyState.FINISHED


def test_an_instance_that_says_what_it_can_is_taken_at_its_word() -> None:
    strategy = Given()
    strategy.capabilities = frozenset({Capability.CATEGORICALS})  # type: ignore[attr-defined]
    with pytest.raises(Unsupported, match="needs integers, which the strategy 'instance of"):
        HyperParameterOptimizer(study(""), strategy=strategy, function=float)


@pytest.mark.parametrize("said", ["integers", ["integers"], {"integers"}])
def test_invalid_capabilities_of_an_instance_are_an_error(said: object) -> None:
    strategy = Given()
    strategy.capabilities = said  # type: ignore[attr-defined]
    with pytest.raises(StrategyError, match=r"must be a frozenset of hpo_core\.plugin\.Capability"):
        HyperParameterOptimizer(study(""), strategy=strategy, function=float)


def test_instance_without_the_methods_of_a_strategy_is_an_error() -> None:
    with pytest.raises(StrategyError, match="has no ask, adopt, tell, save_state, restore; derive"):
        HyperParameterOptimizer(study(""), strategy=object(), function=float)  # type: ignore[arg-type]


def test_what_a_built_strategy_says_of_itself_stands_above_its_spec(publish: Publish) -> None:
    publish("count", GOOD.replace("self._next =", "self.capabilities = frozenset(); self._next ="))
    optimizer = HyperParameterOptimizer(study("count"), function=float)
    with optimizer, pytest.raises(Unsupported, match="integers, which the strategy 'count' does"):
        optimizer.run()


def test_built_object_without_the_methods_of_a_strategy_is_an_error(publish: Publish) -> None:
    publish("count", GOOD.replace("build=Counting", "build=lambda problem, options: 'rubbish'"))
    optimizer = HyperParameterOptimizer(study("count"), function=float)
    with optimizer, pytest.raises(StrategyError, match="is 'rubbish', which has no ask"):
        optimizer.run()
