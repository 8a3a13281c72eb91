"""``hpo plugins --search``: over what is installed, and over an index file if one is configured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Hpo = Callable[..., Any]

SPEC = {"name": "moth", "summary": "Follows the light", "capabilities": ["integers"]}
INDEX = [{"name": "moth", "distribution": "hpo-moth", "version": "2.0", "strategy": [SPEC]}]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configure an index of one plugin."""
    file = tmp_path / "index.json"
    file.write_text(json.dumps(INDEX))
    monkeypatch.setenv("HPO_PLUGIN_INDEX", str(file))
    return file


def names(ended: Any) -> list[str]:
    return [line.split()[0] for line in ended.out.splitlines()[1:]]


def test_a_word_of_the_summary_finds_a_strategy_whatever_its_case(hpo: Hpo) -> None:
    assert names(hpo("plugins", "--search", "EVERY POINT OF THE GRID")) == ["grid"]


def test_a_capability_finds_all_that_have_it(hpo: Hpo) -> None:
    found = names(hpo("plugins", "--search", "multi_objective"))
    assert "random" in found
    assert "bohb" not in found


def test_without_a_match_it_says_so(hpo: Hpo) -> None:
    assert hpo("plugins", "--search", "quux").out.startswith("no plugin has 'quux'")


@pytest.mark.usefixtures("index")
def test_an_index_is_searched_as_well_and_its_plugins_are_marked(hpo: Hpo) -> None:
    ended = hpo("plugins", "--search", "light")
    assert names(ended) == ["moth"]
    assert "hpo-moth 2.0 (not installed)" in ended.out
    (found,) = hpo("plugins", "--search", "light", "--json").json()
    assert found["installed"] is False


@pytest.mark.usefixtures("index")
def test_without_a_search_the_index_is_left_alone(hpo: Hpo) -> None:
    assert "moth" not in hpo("plugins").out


def test_what_hpo_plugins_prints_is_an_index(
    hpo: Hpo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "index.json"
    file.write_text(hpo("plugins", "--json").out)
    before = hpo("plugins", "--search", "hyper").out
    monkeypatch.setenv("HPO_PLUGIN_INDEX", str(file))
    assert hpo("plugins", "--search", "hyper").out == before  # all of it is installed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "can't be read: No such file"),
        ("{}", "is no index: Expected `array`"),
        ("[", "is no index: Input data was truncated"),
        ('[{"name": "moth"}]', "missing required field `distribution`"),
        ('[{"name": 3, "distribution": "hpo-moth"}]', "Expected `str`, got `int` - at `$[0].name`"),
    ],
)
def test_a_bad_index_is_one_sentence(hpo: Hpo, index: Path, content: str | None, said: str) -> None:
    index.unlink()
    if content is not None:
        index.write_text(content)
    ended = hpo("plugins", "--search", "light")
    assert ended.status == 2
    assert "HPO_PLUGIN_INDEX" in ended.err
    assert said in ended.err


def test_a_folder_as_index_is_one_sentence(
    hpo: Hpo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HPO_PLUGIN_INDEX", str(tmp_path))
    ended = hpo("plugins", "--search", "light")
    assert ended.status == 2
    assert "can't be read: Is a directory" in ended.err
