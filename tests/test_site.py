"""The documentation's site has every page in its navigation, and no dead link.

`make docs` builds it, and fails for the same reasons; these tests need only the standard library.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("site")  # its tests share what a fixture has made

ROOT = Path(__file__).parents[1]
SITE = ROOT / "docs/site"


@pytest.fixture(scope="module")
def assemble() -> Any:
    spec = importlib.util.spec_from_file_location("assemble", SITE / "assemble.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_link_of_the_site_leads_somewhere(assemble: Any, tmp_path: Path) -> None:
    assert assemble.assemble(tmp_path) == []
    for page in tmp_path.rglob("*.md"):
        text = assemble.CODE.sub("", page.read_text(encoding="utf-8"))
        links = [found[2] for found in assemble.LINK.finditer(text)]
        assert [link for link in links if not (page.parent / link).exists()] == [], page


def test_every_page_is_in_the_navigation(assemble: Any, tmp_path: Path) -> None:
    assemble.assemble(tmp_path)
    pages = {page.relative_to(tmp_path).as_posix() for page in tmp_path.rglob("*.md")}
    navigation = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert len(set(navigation)) == len(navigation)
    assert set(navigation) == {page for page in pages if not page.startswith("decisions/0")}


def test_the_list_of_decisions_has_all_of_them(assemble: Any, tmp_path: Path) -> None:
    assemble.assemble(tmp_path)
    listed = re.findall(r"\((0.*\.md)\)", (tmp_path / "decisions/README.md").read_text())
    assert listed == sorted(page.name for page in (ROOT / "docs/decisions").glob("0*.md"))


def test_a_link_that_leads_nowhere_is_named(assemble: Any, tmp_path: Path) -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        (tmp_path / name).write_text("[gone](docs/gone.md) [here](CHANGELOG.md)\n")
    (tmp_path / "docs/decisions").mkdir(parents=True)
    dead = assemble.assemble(tmp_path / "out", tmp_path)
    names = ("CHANGELOG", "CONTRIBUTING", "README")
    assert sorted(dead) == [f"{name}.md: docs/gone.md" for name in names]
