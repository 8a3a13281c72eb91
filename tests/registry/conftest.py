"""Plugins as real distributions on the path: a module and its ``.dist-info``."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # plugged

from plugged import Publish


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    modules: list[str] = []

    def install(
        plugin: str, source: str, *, distribution: str = "", version: str = "1.0", entries: str = ""
    ) -> str:
        distribution = distribution or f"hpo-{plugin}"
        module = f"test_plugin_{distribution.replace('-', '_')}"
        folder = tmp_path / f"{distribution}-{version}"
        information = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        information.mkdir(parents=True)
        (folder / f"{module}.py").write_text(textwrap.dedent(source).replace("NAME", plugin))
        (information / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        (information / "entry_points.txt").write_text(
            entries.replace("MODULE", module) or f"[hpo_core]\n{plugin} = {module}\n"
        )
        monkeypatch.syspath_prepend(folder)
        modules.append(module)
        return module

    yield install
    for module in modules:
        sys.modules.pop(module, None)
    importlib.invalidate_caches()
