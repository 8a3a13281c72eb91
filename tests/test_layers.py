"""What plugins may import: the public names of hpo_core, and never each other.

import-linter checks the layers inside hpo_core (`make lint`), but it cannot check that plugins
import only public names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = (ROOT / "plugins", ROOT / "examples" / "third_party")


def forbidden_imports(plugins: Path) -> list[str]:
    """Return a line, ``file:line: what``, for each import that a plugin must not make."""
    packages = {init.parent for init in plugins.glob("*/*/__init__.py")}
    names = {package.name for package in packages}
    return [
        f"{file.relative_to(plugins)}:{line}: {module}"
        for package in sorted(packages)
        for file in sorted(package.rglob("*.py"))
        for module, line in imported_modules(file)
        if not allowed(module, names - {package.name})
    ]


def imported_modules(file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or "", node.lineno


def allowed(module: str, other_plugins: set[str]) -> bool:
    head, _, inner = module.partition(".")
    if head == "hpo_core":
        return inner in ("", "errors", "plugin") or inner.split(".")[0] == "testing"
    return head not in other_plugins


def test_plugins_import_only_public_names_of_hpo_core_and_never_each_other() -> None:
    for folder in FOLDERS:
        assert list(folder.glob("*/pyproject.toml")), folder
        assert forbidden_imports(folder) == []


@pytest.mark.parametrize(
    ("line", "is_forbidden"),
    [
        ("from hpo_core import Float", False),
        ("from hpo_core.errors import StoreError", False),
        ("from hpo_core.plugin import Start", False),
        ("from hpo_core.testing import StrategyContract", False),
        ("from hpo_this.inner import helper", False),
        ("from .inner import helper", False),
        ("import numpy", False),
        ("from hpo_core.model.space import SearchSpace", True),
        ("import hpo_core.controller.controller", True),
        ("import hpo_other", True),
        ("def late():\n    from hpo_other.inner import helper", True),
    ],
)
def test_what_counts_as_a_forbidden_import(tmp_path: Path, line: str, is_forbidden: bool) -> None:
    for name in ("hpo_this", "hpo_other"):
        package = tmp_path / name.replace("_", "-") / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
    (tmp_path / "hpo-this" / "hpo_this" / "module.py").write_text(line)

    found = forbidden_imports(tmp_path)

    last = line.count("\n") + 1
    where = [f"hpo-this/hpo_this/module.py:{last}: "] if is_forbidden else []
    assert [entry[: len(where[0])] if where else entry for entry in found] == where
