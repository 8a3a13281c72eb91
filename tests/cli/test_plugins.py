"""``hpo plugins``: what each plugin provides, why one fails, and what studies require."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Hpo = Callable[..., Any]


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install plugins that fail to import, one by leaving the program; and one that prints."""
    for name, source in {
        "gpu": "raise RuntimeError('no GPU')",
        "leaves": "exit(0)",
        "chatty": "print('hello')",
    }.items():
        folder = tmp_path / name
        information = folder / f"hpo_{name}-1.0.dist-info"
        information.mkdir(parents=True)
        (folder / f"test_cli_{name}.py").write_text(source)
        (information / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: hpo-{name}\nVersion: 1.0\n"
        )
        (information / "entry_points.txt").write_text(f"[hpo_core]\n{name} = test_cli_{name}\n")
        monkeypatch.syspath_prepend(folder)


def test_each_strategy_and_backend_is_a_line_with_what_it_can_do(hpo: Hpo) -> None:
    lines = {line.split()[0]: line for line in hpo("plugins").out.splitlines()}
    assert "strategy" in lines["random"]
    assert "hpo-random-search" in lines["random"]
    assert "multi_objective" in lines["random"]
    assert "backend" in lines["local"]


@pytest.mark.usefixtures("broken")
def test_a_plugin_that_fails_is_a_line_with_its_reason(hpo: Hpo) -> None:
    ended = hpo("plugins")
    assert ended.status == 0
    (gpu,) = [line for line in ended.out.splitlines() if line.startswith("gpu ")]
    assert "FAILS" in gpu
    assert "fails to import: RuntimeError: no GPU" in gpu
    (leaves,) = [line for line in ended.out.splitlines() if line.startswith("leaves ")]
    assert "SystemExit" in leaves
    (chatty,) = [line for line in ended.out.splitlines() if line.startswith("chatty ")]
    assert "PRINTS" in chatty
    assert "prints when it is loaded: hello" in chatty
    assert "\nrandom " in ended.out


@pytest.mark.usefixtures("broken")
def test_in_json_it_is_one_document(hpo: Hpo) -> None:
    found = {plugin["name"]: plugin for plugin in hpo("plugins", "--json").json()}
    assert "no GPU" in found["gpu"]["failure"]
    assert found["random"]["failure"] is None
    assert (found["chatty"]["printed"], found["chatty"]["contract"]) == ("hello", 1)
    (spec,) = found["random"]["strategy"]
    assert "integers" in spec["capabilities"]


LIMITED = """
from hpo_core.plugin import BaseStrategy, Configuration, Start, StrategySpec, hookimpl

class Halves(BaseStrategy):
    def __init__(self, problem, options): pass
    def ask(self, trial_id, /): return Start(Configuration(x=0.5))

print("hello from the plugin")

@hookimpl
def hpo_strategies():
    return [StrategySpec(name="halves", summary="Always a half", build=Halves)]
"""


@pytest.fixture
def halves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install a strategy that takes floats alone, and prints; return its module's file."""
    information = folder / "site" / "hpo_halves-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: hpo-halves\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[hpo_core]\nhalves = test_cli_halves\n")
    module = folder / "site" / "test_cli_halves.py"
    module.write_text(LIMITED)
    monkeypatch.syspath_prepend(folder / "site")
    yield module
    sys.modules.pop("test_cli_halves", None)


@pytest.mark.usefixtures("halves", "broken")
def test_a_study_that_needs_what_its_strategy_lacks_is_refused_with_those_that_can(
    hpo: Hpo, write: Any, folder: Path
) -> None:
    write(('type = "float"\nlow = 0.0\nhigh = 1.0', 'type = "int"\nlow = 0\nhigh = 9'))
    ended = hpo("run", "study.toml", "--strategy", "halves")
    assert ended.status == 2
    assert "needs integers, which the strategy 'halves' does not support" in ended.err
    able = ended.err.rpartition("installed strategies that do: ")[2].strip().split(", ")
    assert "random" in able
    assert "halves" not in able
    assert not (folder / "hpo.db").exists()


@pytest.mark.usefixtures("halves")
def test_a_plugin_that_prints_does_not_spoil_json(hpo: Hpo, write: Any) -> None:
    write()
    assert hpo("run", "study.toml", "--strategy", "halves", "--json").json()["name"] == "small"


def test_a_study_is_not_carried_on_by_a_strategy_that_can_no_longer_do_what_it_needs(
    hpo: Hpo, write: Any, halves: Path
) -> None:
    able = "capabilities=frozenset({Capability.INTEGERS}), build"
    able = LIMITED.replace("build=", f"{able}=").replace("import Base", "import Capability, Base")
    halves.write_text(able.replace("x=0.5", "x=5"))
    write(('type = "float"\nlow = 0.0\nhigh = 1.0', 'type = "int"\nlow = 0\nhigh = 9'))
    assert hpo("run", "study.toml", "--strategy", "halves", "--quiet").status == 0
    sys.modules.pop("test_cli_halves")
    halves.write_text(LIMITED)
    for command in (("resume", "small"), ("extend", "small", "--jobs", "+1")):
        ended = hpo(*command)
        assert ended.status == 2
        assert "needs integers, which the strategy 'halves' does not support" in ended.err
