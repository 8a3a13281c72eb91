"""``hpo plugins``: what each plugin brings, and why one fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Hpo = Callable[..., Any]


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install plugins that fail to import, one of them by leaving the program."""
    for name, source in {"gpu": "raise RuntimeError('no GPU')", "leaves": "exit(0)"}.items():
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
    assert "\nrandom " in ended.out


@pytest.mark.usefixtures("broken")
def test_in_json_it_is_one_document(hpo: Hpo) -> None:
    found = {plugin["name"]: plugin for plugin in hpo("plugins", "--json").json()}
    assert "no GPU" in found["gpu"]["failure"]
    assert found["random"]["failure"] is None
    (spec,) = found["random"]["strategy"]
    assert "integers" in spec["capabilities"]
