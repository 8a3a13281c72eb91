"""docs/python-api.md is generated from the docstrings: it contains every public name.

``python tests/test_reference.py`` regenerates it.
"""

from __future__ import annotations

import enum
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "reference"))

from rendering import AGAIN, prose

import hpo_core
import hpo_core.errors
import hpo_core.plugin
import hpo_core.testing
from hpo_core.controller.dry_run import DryRun
from hpo_core.controller.results.curves import Point
from hpo_core.controller.results.summary import Summary
from hpo_core.controller.results.trial_result import TrialResult
from hpo_core.controller.stored.audit import Difference, Replayed
from hpo_core.controller.stored.copy_study import Copied
from hpo_core.controller.stored.import_trials import Imported, Misfit
from hpo_core.study.overview import Overview

PAGE = Path(__file__).parents[1] / "docs/python-api.md"

HEAD = """\
# Python API

Every public name, from its docstring: what runs studies is in `hpo_core`, the exceptions that it
raises in `hpo_core.errors`, what authors of plugins need in `hpo_core.plugin`, and what proves
their plugins in `hpo_core.testing`.
[python.md](python.md) and [plugins.md](plugins.md) are the ways in.
"""

SECTIONS: dict[ModuleType, str] = {
    hpo_core: "For users. After `import hpo_core as hpo`, exceptions are in `hpo.errors`.",
    hpo_core.errors: "The exceptions that hpo-core raises. These are in `hpo_core` as well: {}.",
    hpo_core.plugin: "For authors of plugins. These names for users are here as well: {}.",
    hpo_core.testing: "For authors' tests.",
}
"""The namespaces, and what the page says of each; a name is described where it is first."""

RETURNED = (
    Copied,
    Difference,
    DryRun,
    Imported,
    Misfit,
    Overview,
    Point,
    Replayed,
    Summary,
    TrialResult,
)
RETURNED_SAID = "Properties and methods of `Study` return these. They have no public name."


def page() -> str:
    parts = [HEAD]
    described: set[str] = set()
    for module, said in SECTIONS.items():
        names = sorted(public_names(module), key=lambda name: (name.lower(), name))
        shared = ", ".join(f"`{name}`" for name in names if name in described)
        parts.append(f"## {module.__name__}\n\n{said.format(shared)}\n")
        parts += [entry(name, getattr(module, name)) for name in names if name not in described]
        described |= set(names)
    parts.append(f"## Returned by methods\n\n{RETURNED_SAID}\n")
    parts += [entry(value.__name__, value) for value in RETURNED]
    return "\n".join(parts)


def public_names(module: ModuleType) -> set[str]:
    named = (name for name in module.__all__ if name != "__version__")
    return {name for name in named if not inspect.ismodule(getattr(module, name))}


def entry(name: str, value: Any) -> str:
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return f"### {name}\n\n```text\n{name} = {constant(value)}\n```\n"
    parts = [f"### {name}", called(name, value), prose(value)]
    parts += members(value) if inspect.isclass(value) else []
    return "\n\n".join(filter(None, parts)) + "\n"


def called(name: str, value: Any) -> str:
    """Return how something is called, as a block of code; nothing if it is not to be called."""
    if inspect.isclass(value) and (
        issubclass(value, enum.Enum | Exception) or getattr(value, "_is_protocol", False)
    ):
        return ""
    try:
        parameters = inspect.signature(value).parameters.values()
    except ValueError:  # of a type that Python itself makes
        return ""
    shown = list(written(parameters))
    line = f"{name}({', '.join(shown)})"
    lines = [line] if len(line) <= 100 else [f"{name}(", *(f"    {one}," for one in shown), ")"]
    return "\n".join(["```text", *lines, "```"])


PARTS = {
    "Study": ("hpo_core.study.whole", "hpo_core.study.view"),
    "RemoteBackend": (
        "hpo_core.backends.remote.engine_side",
        "hpo_core.backends.remote.agent_host",
    ),
}
"""The modules of the classes that a public one is made of, which are not public themselves."""


def members(value: type) -> Iterator[str]:
    """Yield what is public in a class: each with its signature and its docstring."""
    if issubclass(value, enum.Enum):
        yield "\n".join(f"- `{value.__name__}.{one.name}`" for one in value)
        return
    modules = PARTS.get(value.__name__, ())
    parts = [one for one in value.__mro__ if one is value or one.__module__ in modules]
    found: dict[str, Any] = {}
    for part in parts:
        for name, each in vars(part).items():
            found.setdefault(name, each)
    for name, each in found.items():
        if name.startswith("_") or name == "faults" or not inspect.getdoc(each):
            continue  # (faults are for the core: they come as InvalidInput)
        if isinstance(each, property):
            yield f"**`.{name}`**\n\n{prose(each)}"
        elif isinstance(each, classmethod | staticmethod) or inspect.isfunction(each):
            yield f"**`.{name}{arguments(getattr(value, name))}`**\n\n{prose(each)}"


def arguments(method: Any) -> str:
    parameters = inspect.signature(method).parameters.values()
    return f"({', '.join(written(one for one in parameters if one.name != 'self'))})"


def written(parameters: Iterable[inspect.Parameter]) -> Iterator[str]:
    """Yield parameters as they are written, without their types."""
    before = inspect.Parameter.POSITIONAL_OR_KEYWORD
    for one in parameters:
        if before is one.POSITIONAL_ONLY is not one.kind:
            yield "/"
        if one.kind is one.KEYWORD_ONLY and before not in (one.KEYWORD_ONLY, one.VAR_POSITIONAL):
            yield "*"
        before = one.kind
        text = str(one.replace(annotation=one.empty)).replace("<factory>", "{}")
        text = re.sub(r"<class '(?:\w+\.)*(\w+)'>", r"\1", text)
        text = re.sub(r"<function (?:\w+\.)*(\w+) at 0x\w+>", r"\1", text)
        yield one.name if " object at 0x" in text else text
    if before is inspect.Parameter.POSITIONAL_ONLY:
        yield "/"


def constant(value: Any) -> str:
    if isinstance(value, frozenset):  # whose order differs from process to process
        return f"frozenset({{{', '.join(map(repr, sorted(value)))}}})"
    if isinstance(value, int | str):
        return repr(value)
    if " object at 0x" in repr(value):
        return type(value).__name__
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", str(value))  # without their modules


def test_the_page_has_every_public_name_and_no_other() -> None:
    headings = re.findall(r"^### (\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(set(headings)) == len(headings), AGAIN
    returned = {value.__name__ for value in RETURNED}
    assert set(headings) == returned.union(*map(public_names, SECTIONS)), AGAIN


def test_the_page_is_what_the_docstrings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), AGAIN


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
