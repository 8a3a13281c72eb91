"""The documentation contains every key, placeholder, command and strategy; links are valid."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from markdown_it import MarkdownIt

from hpo_core import Budget, Categorical, Constant, Float, Int, Objective, ParameterSet, StudyConfig
from hpo_core.cli.main import BUILT_IN
from hpo_core.config_file import _KEYS
from hpo_core.model.templates import BUILTIN_PLACEHOLDERS
from hpo_core.plugin import JobSettings

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
CONFIGURATION = ROOT / "docs/configuration.md"
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("plugins/*/README.md"),
    *ROOT.glob("examples/third_party/*/README.md"),
]


def fields(*structs: type[msgspec.Struct]) -> list[str]:
    return [field.name for struct in structs for field in msgspec.structs.fields(struct)]


NOT_IN_A_FILE = {
    "objectives": "objective",
    "space": "parameters",
}


@pytest.mark.parametrize(
    "key",
    sorted(
        {
            *_KEYS,
            *(NOT_IN_A_FILE.get(name, name) for name in fields(StudyConfig)),
            *fields(Budget, JobSettings, Objective),
            *fields(Float, Int, Categorical, Constant, ParameterSet),
        }
    ),
)
def test_every_key_of_a_study_is_explained(key: str) -> None:
    text = CONFIGURATION.read_text(encoding="utf-8")
    first_cells_and_headings = re.findall(r"^\|([^|]*)\||^#+(.*)$", text, re.MULTILINE)
    assert key in re.findall(r"\w+", str(first_cells_and_headings).lower())


@pytest.mark.parametrize("name", BUILTIN_PLACEHOLDERS)
def test_every_placeholder_of_commands_is_explained(name: str) -> None:
    assert f"`{{{name}}}`" in CONFIGURATION.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_command_is_in_the_readme(name: str) -> None:
    assert re.search(rf"^\| `hpo {name}\b", README.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_readme_advises_strategies_that_exist_and_leaves_no_plugin_out() -> None:
    table = README.read_text(encoding="utf-8").partition("| your study | strategy |")[2]
    cells = [row.split("|")[2] for row in table.partition("\n\n")[0].splitlines()[2:]]
    named = {name for cell in cells for name in re.findall(r"`([a-z-]+)[:`]", cell)}
    projects = ROOT.glob("plugins/*/pyproject.toml")
    ours = {
        file.parent.name
        for file in projects
        if any("hpo_strategies" in each.read_text() for each in file.parent.glob("hpo_*/*.py"))
    }
    installed = {
        entry.name
        for entry in entry_points(group="hpo_core")
        if entry.dist is not None and entry.dist.name in ours
        if hasattr(entry.load(), "hpo_strategies")
    }
    assert named == installed


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as the forge makes them."""
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    titles = [
        "".join(child.content for child in inline.children or ())
        for heading, inline in pairwise(tokens)
        if heading.type == "heading_open"
    ]
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    inline = [child for token in tokens for child in token.children or ()]
    targets = [str(one.attrs.get("href") or one.attrs.get("src") or "") for one in inline]
    links = [link.partition("#") for link in targets if link and "//" not in link]
    for path, _, anchor in links:
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in headings(target), f"{path}#{anchor}"
