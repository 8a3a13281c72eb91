"""docs/python-api.md is made of the docstrings: it names everything that is public.

``python tests/test_reference.py`` writes it again.
"""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import hpo_core
import hpo_core.plugin
import hpo_core.testing

PAGE = Path(__file__).parents[1] / "docs/python-api.md"

HEAD = """\
# Python API

Every public name, from its docstring: what runs studies is in `hpo_core`, what authors of plugins
need in `hpo_core.plugin`, and what proves their plugins in `hpo_core.testing`.
[python.md](python.md) and [plugins.md](plugins.md) are the ways in.
"""

SECTIONS: dict[ModuleType, str] = {
    hpo_core: "For users.",
    hpo_core.plugin: "For authors of plugins. These users' names are here as well: {}.",
    hpo_core.testing: "For authors' tests.",
}
"""The namespaces, and what the page says of each; a name is described where it is first."""


def page() -> str:
    parts = [HEAD]
    described: set[str] = set()
    for module, said in SECTIONS.items():
        names = sorted(public_names(module), key=str.lower)
        shared = ", ".join(f"`{name}`" for name in names if name in described)
        parts.append(f"## {module.__name__}\n\n{said.format(shared)}\n")
        parts += [entry(name, getattr(module, name)) for name in names if name not in described]
        described |= set(names)
    return "\n".join(parts)


def public_names(module: ModuleType) -> set[str]:
    return set(module.__all__) - {"__version__"}


def entry(name: str, value: Any) -> str:
    lines = [f"### {name}\n", "```text"]
    if inspect.isclass(value) or inspect.isfunction(value):
        lines += [name + signature(value), "", *described(value)]
        lines += methods(value) if inspect.isclass(value) else []
    else:
        lines.append(f"{name} = {constant(value)}")
    return "\n".join([*lines, "```\n"])


def described(value: Any) -> list[str]:
    return (inspect.getdoc(value) or "").splitlines()


def signature(value: Any) -> str:
    if inspect.isclass(value) and (
        issubclass(value, enum.Enum | Exception) or getattr(value, "_is_protocol", False)
    ):
        return ""
    try:
        parameters = inspect.signature(value).parameters.values()
    except ValueError:  # of a type that Python itself makes
        return ""
    shown = [str(each.replace(annotation=each.empty)) for each in parameters]
    if any(" object at 0x" in text for text in shown):
        shown = [each.name for each in parameters]
    return f"({', '.join(shown)})"


def methods(value: type) -> Iterable[str]:
    own = {name: each for name, each in vars(value).items() if not name.startswith("_")}
    if issubclass(value, enum.Enum):
        yield from ("", *(f"    {member.name}" for member in value))
        return
    for name, each in own.items():
        summary = (inspect.getdoc(each) or "").partition("\n")[0]
        if isinstance(each, property) and summary:
            yield f"\n    .{name}: {summary}"
        elif inspect.isfunction(each) and summary:
            yield f"\n    .{name}(): {summary}"


def constant(value: Any) -> str:
    if isinstance(value, int | str):
        return repr(value)
    if " object at 0x" in repr(value):
        return type(value).__name__
    return str(value).replace("typing.", "")


AGAIN = "write the page again: python tests/test_reference.py"


def test_the_page_has_every_public_name_and_no_other() -> None:
    headings = re.findall(r"^### (\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(set(headings)) == len(headings), AGAIN
    assert set(headings) == set().union(*map(public_names, SECTIONS)), AGAIN


@pytest.mark.parametrize("module", SECTIONS, ids=lambda module: module.__name__)
def test_the_page_says_of_a_name_what_its_docstring_begins_with(module: ModuleType) -> None:
    text = PAGE.read_text(encoding="utf-8")
    values = [getattr(module, name) for name in module.__all__]
    for value in values:
        if inspect.isclass(value) or inspect.isfunction(value):
            assert described(value)[0] in text, f"{value.__name__}: {AGAIN}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
