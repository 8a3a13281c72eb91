"""docs/reference/packages.md shows the imports between packages, as in the code."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import grimp
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from rendering import AGAIN, FOLDER, sentence, table

import hpo_core

ROOT = Path(__file__).parents[2]
PAGE = FOLDER / "packages.md"

HEAD = """\
# The packages and what they import

Made from the imports (`make reference`). An arrow means "imports". Where a package also reaches
another one by a longer way, the direct arrow is left out, so that the drawing can be read.
`make lint` checks the layers; see [Architecture](../architecture.md).
"""

Graph = dict[str, set[str]]


def core() -> Graph:
    """Return what each part of hpo_core imports: its folders and modules, as names."""
    graph = grimp.build_graph("hpo_core", exclude_type_checking_imports=True, cache_dir=None)
    found: Graph = {part(name): set() for name in graph.modules if name != "hpo_core"}
    for importer in graph.modules - {"hpo_core"}:
        for imported in graph.find_modules_directly_imported_by(importer):
            if imported != "hpo_core" and part(imported) != part(importer):
                found[part(importer)].add(part(imported))
    return found


def part(module: str) -> str:
    return module.split(".")[1]


def reduced(graph: Graph) -> Graph:
    """Return the graph without the arrows that longer ways make needless.

    Of parts that import each other, all arrows stay.
    """

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [*graph[start]]
        while waiting:
            if (one := waiting.pop()) not in seen:
                seen.add(one)
                waiting += graph[one]
        return seen

    beyond = {one: reached(one) for one in graph}
    return {
        one: {
            to
            for to in imported
            if one in beyond[to]
            or not any(to in beyond[via] for via in imported - {to} if one not in beyond[via])
        }
        for one, imported in graph.items()
    }


def plugins() -> dict[str, set[str]]:
    """Return which namespaces of hpo_core each plugin imports."""
    found: dict[str, set[str]] = {}
    for folder in sorted(ROOT.glob("plugins/*/hpo_*")):
        nodes = [
            node for file in folder.rglob("*.py") for node in ast.walk(ast.parse(file.read_text()))
        ]
        found[folder.parent.name] = {
            node.module
            for node in nodes
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hpo_core")
        }
    return found


def page() -> str:
    parts = core()
    lines = [f"    {one}" for one in sorted(parts)]
    lines += [
        f"    {one} --> {to}" for one, many in sorted(reduced(parts).items()) for to in sorted(many)
    ]
    rows = [[f"`{name}`", summary(name)] for name in sorted(parts)]
    outside = [
        [f"`{name}`", ", ".join(f"`{one}`" for one in sorted(many))]
        for name, many in plugins().items()
    ]
    return "\n".join(
        [
            HEAD,
            "```mermaid\nflowchart TD",
            *lines,
            "```\n",
            "## What each part is\n",
            table(("part of `hpo_core`", "is"), rows),
            "## What the plugins import\n",
            "A plugin imports public names alone, and no other plugin.\n",
            table(("plugin", "imports"), outside),
        ]
    )


def summary(name: str) -> str:
    """Return the first sentence of a part's docstring."""
    path = Path(hpo_core.__file__).parent / name
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    said = ast.get_docstring(ast.parse(file.read_text())) or ""
    return sentence(said.partition("\n\n")[0])


def test_the_page_is_what_the_imports_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), AGAIN


@pytest.mark.parametrize(
    ("graph", "drawn"),
    [
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, {"a": {"b"}, "b": {"c"}, "c": set()}),
        ({"a": {"b"}, "b": {"a"}}, {"a": {"b"}, "b": {"a"}}),
    ],
    ids=["a longer way", "a circle"],
)
def test_only_arrows_that_longer_ways_make_needless_are_left_out(
    graph: Graph, drawn: Graph
) -> None:
    assert reduced(graph) == drawn


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
