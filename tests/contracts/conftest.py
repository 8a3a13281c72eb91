"""Fixtures that install plugins: a module and its metadata on the path."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest


class Publish(Protocol):
    """Installs a plugin of this name and source."""

    def __call__(self, plugin: str, source: str) -> None: ...


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """Install plugins for one test; other processes that it starts see them, too."""
    modules: list[str] = []

    def install(plugin: str, source: str) -> None:
        module = f"contract_plugin_{plugin}"
        information = tmp_path / "installed" / f"hpo_{plugin}-1.0.dist-info"
        information.mkdir(parents=True)
        (information.parent / f"{module}.py").write_text(textwrap.dedent(source))
        (information / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: hpo-{plugin}\nVersion: 1.0\n"
        )
        (information / "entry_points.txt").write_text(f"[hpo_core]\n{plugin} = {module}\n")
        monkeypatch.syspath_prepend(information.parent)
        modules.append(module)

    yield install
    for module in modules:
        sys.modules.pop(module, None)
    importlib.invalidate_caches()
