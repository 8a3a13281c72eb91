"""An unknown name is an error that says what is meant, or what to install."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from plugged import GOOD, Mine, Publish, half, study

from hpo_core import HyperParameterOptimizer, load_study, registry
from hpo_core.errors import PluginError
from hpo_core.plugin import (
    ObservedStudy,
    UnknownPlugin,
)
from hpo_core.registry import unknown

ROOT = Path(__file__).parents[2]


def test_an_unknown_name_lists_what_is_installed_and_the_nearest(publish: Publish) -> None:
    publish("count", GOOD)
    with pytest.raises(UnknownPlugin) as caught:
        registry.strategy("cout")
    said = str(caught.value)
    assert "no strategy 'cout' is installed" in said
    assert "installed strategies: " in said
    assert "count, " in said
    assert "local" not in said  # which is a backend
    assert said.endswith("did you mean 'count'?")


@pytest.mark.parametrize(("name", "meant"), [("down", "'count:down'"), ("donw", "'count:down'")])
def test_the_name_of_a_variant_alone_names_its_strategy(
    publish: Publish, name: str, meant: str
) -> None:
    publish("count", GOOD)
    with pytest.raises(UnknownPlugin, match=rf"; did you mean {meant}\?$"):
        registry.strategy(name)


def test_a_backend_is_not_taken_for_a_strategy() -> None:
    with pytest.raises(
        UnknownPlugin, match=r"installed backends: .*inline, local.*; did you .*'local'"
    ):
        registry.backend("locl")


def test_what_is_said_of_this_projects_plugins_is_so() -> None:
    strategies = [spec.name for plugin in registry.describe() for spec in plugin.strategies]
    assert set(unknown.VARIANTS) <= set(strategies)
    assert all((ROOT / "plugins" / package).is_dir() for package in unknown.DISTRIBUTIONS.values())


def test_a_variant_of_a_plugin_that_is_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, absent: None
) -> None:
    monkeypatch.setattr(unknown, "VARIANTS", ("absent:swift",))
    with pytest.raises(
        UnknownPlugin, match=r"did you mean 'absent:swift'\? try: pip install hpo-the-absent$"
    ):
        registry.strategy("swift")


def test_a_missing_plugin_is_named_by_the_distribution_that_the_study_had_it_from(
    publish: Publish, tmp_path: Path
) -> None:
    publish("count", GOOD, distribution="acme-search")
    store = tmp_path / "hpo.db"
    with HyperParameterOptimizer(study("count"), store=store, function=half) as optimizer:
        optimizer.run()
    shutil.rmtree(tmp_path / "acme-search-1.0" / "acme_search-1.0.dist-info")
    said = r"the strategy 'count' is not installed; .* acme-search 1.0: pip install acme-search$"
    with pytest.raises(UnknownPlugin, match=said):
        HyperParameterOptimizer(study("count"), store=store)
    with pytest.raises(UnknownPlugin, match=said):
        load_study(store, "plugged").replay()


def test_no_install_hint_for_an_instance(tmp_path: Path) -> None:
    store = tmp_path / "hpo.db"
    with HyperParameterOptimizer(
        study("random"), store=store, strategy=Mine(), function=half
    ) as optimizer:
        optimizer.run()
        config = optimizer.config
    with pytest.raises(PluginError, match=r"an instance of .*Mine, which only a Python program"):
        HyperParameterOptimizer(config, store=store)


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin of this project that is not installed."""
    monkeypatch.setitem(unknown.DISTRIBUTIONS, "absent", "hpo-the-absent")


@pytest.mark.usefixtures("absent")
@pytest.mark.parametrize("name", ["absent", "absent:variant"])
def test_a_known_plugin_that_is_missing_says_what_to_install(name: str) -> None:
    with pytest.raises(UnknownPlugin, match=r"pip install hpo-the-absent$"):
        registry.strategy(name)


@pytest.mark.usefixtures("absent")
def test_a_misspelt_plugin_that_is_missing_says_which_one_to_install() -> None:
    with pytest.raises(UnknownPlugin, match=r"mean 'absent'\? try: pip install hpo-the-absent$"):
        registry.strategy("absnt")


def test_no_install_hint_for_a_package_guessed_from_a_typing_error() -> None:
    with pytest.raises(UnknownPlugin) as caught:
        registry.strategy("qwertyuiop")
    assert "hpo-qwertyuiop" not in str(caught.value)


def test_an_unknown_variant_names_the_nearest_and_lists_them(publish: Publish) -> None:
    publish("count", GOOD)
    with pytest.raises(UnknownPlugin, match=r"did you mean 'down'\?; its variants: down"):
        registry.strategy("count:dwn")


def test_an_empty_variant_is_not_the_default(publish: Publish) -> None:
    publish("count", GOOD)
    with pytest.raises(UnknownPlugin, match="no variant ''"):
        registry.strategy("count:")


def test_empty_name_is_a_separate_error() -> None:
    with pytest.raises(UnknownPlugin, match="the strategy has no name"):
        registry.strategy("")


def test_a_plugin_of_another_kind_brings_no_strategy() -> None:
    with pytest.raises(UnknownPlugin, match=r"'local' .hpo-core. provides no strategy"):
        registry.strategy("local")
    with pytest.raises(UnknownPlugin, match="'random' provides no observers"):
        registry.observers("random", {}, ObservedStudy(name="s", config={}))
