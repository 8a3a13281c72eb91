"""A broken plugin is an error with its reason, for its own users alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugged import GOOD, SPEC, Publish, described, study

from hpo_core import HyperParameterOptimizer, registry
from hpo_core.errors import StrategyError
from hpo_core.plugin import (
    BrokenPlugin,
    DuplicatePlugin,
    JobSettings,
    ObservedStudy,
)

BROKEN = {
    "raises on import": ("raise RuntimeError('no GPU')", "fails to import: RuntimeError: no GPU"),
    "lacks a dependency": ("import no_such_module", "No module named 'no_such_module'"),
    "is not Python": ("def (", "fails to import: SyntaxError"),
    "exits on import": ("import sys; sys.exit('bye')", "fails to import: SystemExit: bye"),
    "raises beyond Exception": (
        "class Odd(BaseException): pass\nraise Odd('skip')",
        "fails to import: Odd: skip",
    ),
    "has a misspelt hook": (
        SPEC.replace("hpo_strategies", "hpo_stratgies"),
        "hpo_stratgies",
    ),
    "has a hook of a wrong signature": (
        SPEC.replace("hpo_strategies()", "hpo_strategies(space)"),
        "space",
    ),
    "has a hook that raises": (SPEC.replace("RETURNED", "1 / 0"), "ZeroDivisionError"),
    "has a hook that exits": (SPEC.replace("RETURNED", "exit('bye')"), "SystemExit: bye"),
    "returns no list": (SPEC.replace("RETURNED", "5"), "failed in hpo_strategies: TypeError"),
    "returns rubbish": (SPEC.replace("RETURNED", "['abc']"), "'abc' from hpo_strategies, not a"),
    "takes another's name": (
        SPEC.replace("RETURNED", "[StrategySpec(name='random', summary='', build=print)]"),
        "its name must be 'broken' or begin with 'broken:'",
    ),
    "has a spec without a name": (
        SPEC.replace("RETURNED", "[StrategySpec(name=None, summary='', build=print)]"),
        "name and summary must be texts",
    ),
    "has options of another kind": (
        SPEC.replace(
            "RETURNED", "[StrategySpec(name='NAME', summary='', build=print, options={})]"
        ),
        "options must be a msgspec.Struct class",
    ),
    "has nothing to build": (
        SPEC.replace("RETURNED", "[StrategySpec(name='NAME', summary='', build=3)]"),
        "build must be a function",
    ),
    "has capabilities of another kind": (
        SPEC.replace(
            "RETURNED",
            "[StrategySpec(name='NAME', summary='', build=print, capabilities=['integers'])]",
        ),
        "capabilities must be a frozenset",
    ),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_is_an_error_with_its_reason_for_who_uses_it_alone(
    publish: Publish, source: str, reason: str
) -> None:
    """FACTS: one broken plugin broke all."""
    publish("broken", source)
    publish("count", GOOD)
    with pytest.raises(BrokenPlugin) as caught:
        registry.strategy("broken")
    assert "'broken'" in str(caught.value) or "broken (hpo-broken 1.0)" in str(caught.value)
    assert reason in str(caught.value)

    assert registry.strategy("count").spec.name == "count"
    found = {one.plugin.name: one for one in registry.describe()}
    assert found["count"].failure is None
    assert reason in str(found["broken"].failure)


def test_a_misspelt_hook_lists_the_hooks(publish: Publish) -> None:
    publish("broken", SPEC.replace("hpo_strategies", "hpo_stratgies"))
    with pytest.raises(
        BrokenPlugin,
        match="the hooks are hpo_strategies, hpo_backends, hpo_works, hpo_observers, ",
    ):
        registry.strategy("broken")


def test_two_specs_of_one_name_are_an_error(publish: Publish) -> None:
    """FACTS: classes with one name overwrote each other silently."""
    one = "StrategySpec(name='NAME', summary='', build=print)"
    publish("twice", SPEC.replace("RETURNED", f"[{one}, {one}]"))
    with pytest.raises(DuplicatePlugin, match="two specs with the same name: twice, twice"):
        registry.strategy("twice")


def test_two_distributions_with_one_name_are_an_error_that_shows_both(publish: Publish) -> None:
    publish("same", GOOD, distribution="acme-same")
    publish("same", GOOD, distribution="zeta-same")
    with pytest.raises(DuplicatePlugin, match=r"acme-same 1.0 and zeta-same 1.0; uninstall one"):
        registry.strategy("same")


def test_distribution_without_metadata_is_ignored(
    publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("count", GOOD)
    remains = tmp_path / "remains" / "half_gone-1.0.dist-info"
    remains.mkdir(parents=True)
    (remains / "entry_points.txt").write_text("[hpo_core]\nhalf = nothing\n")
    monkeypatch.syspath_prepend(remains.parent)
    assert registry.strategy("count").spec.name == "count"
    assert described("half").failure


def test_an_observers_hook_that_raises_names_the_plugin(publish: Publish) -> None:
    publish("notes", SPEC.replace("strategies()", "observers(config)").replace("RETURNED", "1 / 0"))
    with pytest.raises(BrokenPlugin, match="the plugin 'notes' failed in hpo_observers"):
        registry.observers("notes", {}, ObservedStudy(name="s", config={}))


def test_a_strategy_that_can_not_be_built_is_an_error_with_its_name(publish: Publish) -> None:
    publish("count", GOOD.replace("self._next = options.first", "raise OSError('no licence')"))
    optimizer = HyperParameterOptimizer(study("count"), function=float)
    with optimizer, pytest.raises(StrategyError, match=r"'count' could not be built: .*no licence"):
        optimizer.run()


def test_strategy_that_fails_to_count_its_jobs_is_an_error_with_its_name(publish: Publish) -> None:
    counts = "options=Options, jobs_to_complete=lambda problem, options: 1 // 0,"
    publish("count", GOOD.replace("options=Options,", counts))
    limits = {"job": JobSettings(function="math:sqrt", max_iterations=9)}
    optimizer = HyperParameterOptimizer(study("count", **limits), function=float)
    with optimizer, pytest.raises(StrategyError, match=r"'count' could not say .*ZeroDivision"):
        optimizer.run()
