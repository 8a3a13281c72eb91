"""Other versions of a plugin, and of the contracts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from plugged import GOOD, Publish, described, study

from hpo_core import (
    HyperParameterOptimizer,
    registry,
)
from hpo_core.controller.strategy.resolve import prepare
from hpo_core.plugin import (
    BrokenPlugin,
)


def test_a_plugin_of_a_newer_contract_is_refused_by_name_and_not_imported(
    publish: Publish,
) -> None:
    module = publish("ahead", "raise SystemExit", entries="[hpo_core.v7]\nahead = MODULE\n")
    with pytest.raises(BrokenPlugin) as caught:
        registry.strategy("ahead")
    assert str(caught.value) == (
        "the plugin ahead (hpo-ahead 1.0) supports version 7 of the contracts, and this hpo-core "
        "supports 1: install a newer hpo-core, or another version of hpo-ahead"
    )
    assert described("ahead").failure == str(caught.value)
    assert module not in sys.modules


def test_a_plugin_of_two_contracts_is_loaded_by_the_one_that_is_spoken(publish: Publish) -> None:
    publish("both", GOOD, entries="[hpo_core.v7]\nboth = not_yet\n[hpo_core]\nboth = MODULE\n")
    found = registry.strategy("both")
    assert (found.spec.name, found.plugin.contract) == ("both", 1)


def test_a_group_that_only_resembles_is_not_ours(publish: Publish) -> None:
    publish("near", GOOD, entries="[hpo_core.v0]\nnear = MODULE\n[hpo_core_extras]\nn = MODULE\n")
    assert "near" not in [identity.name for identity in registry.installed()]


def test_resuming_under_another_version_warns_and_says_which(
    publish: Publish, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish("count", GOOD)
    store = tmp_path / "hpo.db"

    def open_and_close() -> None:
        HyperParameterOptimizer(study("count"), store=store, function=float).close()

    open_and_close()
    open_and_close()
    assert caplog.text == ""
    publish("count", GOOD, version="1.1")  # first on the path, as an upgrade
    open_and_close()
    assert (
        "the strategy 'count' was hpo-count 1.0 when the study began, and is now hpo-count 1.1; "
        "its suggestions may differ"
    ) in caplog.text


def test_a_change_of_the_contract_is_told_too(publish: Publish) -> None:
    publish("count", GOOD)
    prepared = prepare(study("count"))
    stored = prepared.identities()
    stored["strategy"]["contract"] = 2
    (sentence,) = prepared.changed_since(stored)
    assert (
        "was hpo-count 1.0 (contract 2) when the study began, and is now hpo-count 1.0 (contr"
        in (sentence)
    )


def test_a_study_stored_before_contracts_were_stored_speaks_the_first(publish: Publish) -> None:
    publish("count", GOOD)
    prepared = prepare(study("count"))
    stored = prepared.identities()
    for identity in stored.values():
        del identity["contract"]
    assert prepared.changed_since(stored) == []
