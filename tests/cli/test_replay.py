"""``hpo replay``: its output, its exit status, and a plugin whose suggestions have changed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Hpo = Callable[..., Any]
Write = Callable[..., None]

PLUGIN = """
from hpo_core.plugin import BaseStrategy, Configuration, Start, StrategySpec, hookimpl

class Steps(BaseStrategy):
    def __init__(self, problem, options):
        pass

    def ask(self, trial_id, /):
        return Start(Configuration(x=trial_id / DIVISOR), iterations=None)

@hookimpl
def hpo_strategies():
    return [StrategySpec(name="steps", summary="Walks", build=Steps)]
"""


def install(folder: Path, version: str, divisor: str) -> None:
    """Put the strategy ``steps`` on the path, or another version of it in its place."""
    for information in folder.glob("*.dist-info"):
        (information / "METADATA").unlink()
        (information / "entry_points.txt").unlink()
        information.rmdir()
    information = folder / f"hpo_steps-{version}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: hpo-steps\nVersion: {version}\n"
    )
    (information / "entry_points.txt").write_text("[hpo_core]\nsteps = test_steps_plugin\n")
    (folder / f"test_steps_{version[0]}.py").write_text(PLUGIN.replace("DIVISOR", divisor))
    (folder / "test_steps_plugin.py").write_text(f"from test_steps_{version[0]} import *\n")
    sys.modules.pop("test_steps_plugin", None)
    for cached in folder.glob("__pycache__/test_steps_plugin*"):
        cached.unlink()


def test_it_says_that_all_came_out_as_stored(small: Hpo) -> None:
    assert small("replay", "small") == (
        0,
        "all 6 suggestions and 12 decisions came out as stored\n",
        "",
    )


def test_in_json_it_counts_and_has_no_difference(small: Hpo) -> None:
    assert small("replay", "small", "--json").json() == {
        "is_as_stored": True,
        "name": "small",
        "is_running": False,
        "events": 18,
        "suggestions": 6,
        "decisions": 12,
        "adopted": 0,
        "difference": None,
    }


def test_enqueued_configurations_are_counted_apart(small: Hpo) -> None:
    small("enqueue", "small", "x=0.25")
    small("extend", "small", "--jobs", "+2", "--quiet")
    assert small("replay", "small").out == (
        "all 7 suggestions and 16 decisions came out as stored; 1 configuration came from "
        "elsewhere\n"
    )


def test_an_unknown_study_is_bad_input(small: Hpo) -> None:
    ended = small("replay", "smal")
    assert ended.status == 2
    assert "no study 'smal'; did you mean 'small'?" in ended.err


def test_a_version_of_a_plugin_that_suggests_otherwise_is_found_out(
    tmp_path: Path,
    write: Write,
    hpo: Hpo,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    plugin = tmp_path / "plugin"
    plugin.mkdir()
    monkeypatch.syspath_prepend(plugin)
    install(plugin, "1.0", "10")
    write(('"random"', '"steps"'), ("workers = 2", "workers = 1"))
    assert hpo("run", "study.toml", "--quiet").status == 0
    assert hpo("replay", "small").status == 0

    install(plugin, "2.0", "(10 if trial_id < 4 else 20)")
    ended = hpo("replay", "small")
    assert ended.status == 1
    assert "'steps' was hpo-steps 1.0 when the study began, and is now hpo-steps 2.0" in caplog.text
    assert ended.out == (
        "the suggestion for trial 4 came out otherwise (event 10 of 18)\n"
        '  stored: start {"x": 0.4}\n'
        '  now:    start {"x": 0.2}\n'
        "before it, 3 suggestions and 6 decisions came out as stored\n"
    )
    found = hpo("replay", "small", "--json")
    assert found.status == 1
    assert found.json()["difference"] == {
        "event": 10,
        "trial_id": 4,
        "stored": {
            "type": "start",
            "configuration": {"x": 0.4},
            "iterations": None,
            "notes": None,
        },
        "now": {"type": "start", "configuration": {"x": 0.2}, "iterations": None, "notes": None},
    }
    install(plugin, "3.0", "10")
    assert hpo("replay", "small").status == 0
