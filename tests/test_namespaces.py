"""Two public namespaces: users' names in `hpo_core`, authors' in `hpo_core.plugin`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import hpo_core
import hpo_core.plugin
import hpo_core.testing

ROOT = Path(__file__).parents[1]
STUB = (ROOT / "hpo_core/__init__.pyi").read_text(encoding="utf-8")
MOVED = re.findall(r"^from hpo_core\.plugin import (\w+) as \1$", STUB, re.MULTILINE)


@pytest.mark.parametrize("module", [hpo_core, hpo_core.plugin, hpo_core.testing])
def test_every_public_name_is_there_and_is_listed(module: ModuleType) -> None:
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is getattr(module, name)
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("module", ["hpo_core", "hpo_core.plugin", "hpo_core.testing"])
def test_importing_a_namespace_loads_nothing_but_the_way_to_its_names(module: str) -> None:
    code = (
        f"import sys; before = set(sys.modules); import {module};"
        " print(*sorted(name for name in set(sys.modules) - before))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    loaded = {name for name in printed.split() if name.partition(".")[0] not in STANDARD}
    assert loaded == {"hpo_core", "hpo_core.lazy", module}


STANDARD = sys.stdlib_module_names


@pytest.mark.parametrize("name", MOVED)
def test_an_authors_name_still_works_in_its_old_place_and_names_the_new_one(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"`from hpo_core.plugin import {name}`") as warned:
        found = getattr(hpo_core, name)
    assert found is getattr(hpo_core.plugin, name)
    assert warned[0].filename == __file__


def test_names_that_have_moved_are_public_in_their_new_place_alone() -> None:
    assert "Strategy" in MOVED
    assert not {*hpo_core.__all__, *dir(hpo_core)} & set(MOVED)
    assert set(MOVED) <= set(hpo_core.plugin.__all__)


def test_what_users_and_authors_both_need_is_the_same_in_both_places() -> None:
    both = set(hpo_core.__all__) & set(hpo_core.plugin.__all__)
    assert {"Float", "Objective", "InvalidInput"} <= both
    for name in both:
        assert getattr(hpo_core, name) is getattr(hpo_core.plugin, name)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'hpo_core' has no attribute 'Optimise'"):
        hpo_core.Optimise  # type: ignore[attr-defined]


def test_nothing_of_this_project_uses_the_old_places() -> None:
    folders = ("plugins", "examples", "docs", "benchmarks", "hpo_core", "tests")
    files = [ROOT / "README.md", *(f for name in folders for f in (ROOT / name).rglob("*.*"))]
    old = [
        f"{file.relative_to(ROOT)}: {', '.join(sorted(found))}"
        for file in files
        if file.suffix in {".py", ".md", ".in"} and "earlier_plugins" not in file.parts
        if (found := _imported_flat(file.read_text(encoding="utf-8")) & set(MOVED))
    ]
    assert old == []


def _imported_flat(text: str) -> set[str]:
    statements = re.findall(r"from hpo_core import (\([^)]*\)|[^\n]*)", text)
    return {name for names in statements for name in re.findall(r"\w+", names)}
