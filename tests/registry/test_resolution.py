"""A plugin that works is found by its name, alone."""

from __future__ import annotations

import sys

from plugged import GOOD, Publish, described, study

from hpo_core import (
    HyperParameterOptimizer,
    registry,
)
from hpo_core.plugin import (
    ObservedStudy,
)


def test_a_third_partys_strategy_runs_a_study_by_its_config_string(publish: Publish) -> None:
    publish("count", GOOD)
    with HyperParameterOptimizer(
        study("count", {"first": 2}), function=lambda values: float(values["x"])
    ) as optimizer:
        result = optimizer.run()
    assert [trial.configuration["x"] for trial in result.trials] == [2, 3]


def test_a_name_resolves_to_the_first_spec_and_a_variant_to_its_own(publish: Publish) -> None:
    publish("count", GOOD)
    assert registry.strategy("count").spec.name == "count"
    assert registry.strategy("count:down").spec.summary == "Counts down"


def test_what_is_resolved_says_which_distribution_it_is_from(publish: Publish) -> None:
    publish("count", GOOD, distribution="acme-search")
    assert str(registry.strategy("count").plugin) == "count (acme-search 1.0)"


def test_a_class_of_the_same_name_as_a_built_in_one_is_not_replaced(publish: Publish) -> None:
    """FACTS: if/elif over class names silently replaced a user's class named `RandomSearch`."""
    module = publish("mine", GOOD.replace("Counting", "RandomSearch"))
    assert registry.strategy("mine").spec.build.__module__ == module
    assert registry.strategy("random").spec.build.__module__ == "hpo_random_search.plugin"


def test_looking_one_plugin_up_imports_no_other(publish: Publish) -> None:
    """FACTS: looking one strategy up imported every installed plugin."""
    wanted, other = publish("wanted", GOOD), publish("other", GOOD)
    registry.strategy("wanted")
    assert wanted in sys.modules
    assert other not in sys.modules


def test_listing_what_is_installed_imports_nothing(publish: Publish) -> None:
    module = publish("count", GOOD)
    assert "count" in [identity.name for identity in registry.installed()]
    assert module not in sys.modules


def test_observers_are_made_for_the_study(publish: Publish) -> None:
    source = """
        from hpo_core.plugin import hookimpl

        class Noting:
            def __init__(self, name): self.name = name
            def observe(self, event): pass

        @hookimpl
        def hpo_observers(config): return [Noting(config["name"])]
    """
    publish("notes", source)
    (observer,) = registry.observers("notes", {}, ObservedStudy(name="s", config={"name": "s"}))
    assert vars(observer) == {"name": "s"}
    assert described("notes").has_observers
