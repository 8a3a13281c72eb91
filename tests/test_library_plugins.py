"""Plugins on libraries of others: each README has the same parts, and options as they are.

To write the tables of options again: ``python tests/test_library_plugins.py``.
"""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import msgspec
import pytest

from hpo_core.testing import options_table

ROOT = Path(__file__).parents[1]
PLUGINS = sorted(folder.parents[1] for folder in ROOT.glob("plugins/*/tests/library"))
IN_CI = [plugin for plugin in PLUGINS if plugin.name != "hpo-ax"]  # whose environment is large
PARTS = ["A configuration file", "Options", "When to use it", "What it cannot do", "Measured"]
TABLE = re.compile(r"(?<=<!-- options -->\n).*?(?=\n<!-- end -->)", re.DOTALL)

each_plugin = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)


def text_of(plugin: Path) -> str:
    return (plugin / "README.md").read_text(encoding="utf-8")


def table_of(plugin: Path) -> str:
    module = importlib.import_module(f"{plugin.name.replace('-', '_')}.plugin")
    variants: dict[str, type[msgspec.Struct]] = {
        spec.name: spec.options for spec in module.hpo_strategies()
    }
    return options_table(variants)


def test_there_are_ten_libraries_beside_optuna_and_hpbandster() -> None:
    assert len(PLUGINS) >= 10


@each_plugin
def test_a_readme_has_every_part(plugin: Path) -> None:
    text = text_of(plugin)
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [part for part in PARTS if part not in headings] == []
    assert f"pip install hpo-core {plugin.name}" in text


@each_plugin
def test_the_table_of_options_is_what_the_options_are(plugin: Path) -> None:
    (table,) = TABLE.findall(text_of(plugin))
    assert table == table_of(plugin), "python tests/test_library_plugins.py"


@pytest.mark.parametrize("plugin", IN_CI, ids=lambda plugin: plugin.name)
def test_continuous_integration_runs_the_contract_and_the_parity_of_a_strategy(
    plugin: Path,
) -> None:
    tests = ast.parse((plugin / "tests/library/test_strategy.py").read_text(encoding="utf-8"))
    quick = [
        each
        for each in tests.body
        if isinstance(each, (ast.ClassDef, ast.FunctionDef))
        and any("pytest.mark.quick" in ast.unparse(decorator) for decorator in each.decorator_list)
    ]
    bases = [
        ast.unparse(base) for each in quick if isinstance(each, ast.ClassDef) for base in each.bases
    ]
    assert "InstalledContract" in bases
    parity = "test_suggestions_are_those_of_"
    assert any(each.name.startswith(parity) for each in quick if isinstance(each, ast.FunctionDef))


if __name__ == "__main__":
    for each in PLUGINS:
        new = TABLE.sub(lambda _, each=each: table_of(each), text_of(each))  # type: ignore[misc]
        (each / "README.md").write_text(new, encoding="utf-8")
