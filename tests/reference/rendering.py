"""Common parts of the generated reference pages: docstrings, types and tables as text."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Union

FOLDER = Path(__file__).parents[2] / "docs/reference"
AGAIN = "the code says something else than the page; `make reference` writes the page again"


def attributes(documented: Any) -> dict[str, str]:
    """Return what a docstring says of each attribute or argument, each on one line."""
    text = inspect.getdoc(documented) or ""
    found: dict[str, str] = {}
    name = ""
    section = re.search(r"^(?:Attributes|Args):\n((?:[ ]{4}.*\n?|\n)*)", text, re.MULTILINE)
    for line in section[1].splitlines() if section else ():
        begins = re.match(r" {4}(\w+): (.*)", line)
        if begins:
            name = begins[1]
        if name:
            found[name] = f"{found.get(name, '')} {begins[2] if begins else line.strip()}".strip()
    return {name: sentence(text) for name, text in found.items()}


def prose(documented: Any) -> str:
    """Return a docstring as Markdown: its sections are lists, its indented lines code."""
    parts = re.split(
        r"^(Attributes|Args|Returns|Raises):\n",
        inspect.getdoc(documented) or "",
        flags=re.MULTILINE,
    )
    written = [_paragraphs(parts[0])]
    for heading, body in zip(parts[1::2], parts[2::2], strict=True):
        section, _, rest = f"{body}\n".partition("\n\n")
        items = re.split(r"^ {4}(?=\S)", section, flags=re.MULTILINE)
        if heading == "Returns":
            written.append(f"**{heading}:** {_marked(' '.join(section.split()))}")
        else:
            listed = [_item(" ".join(item.split())) for item in items if item.strip()]
            written.append("\n".join([f"**{heading}:**\n", *listed]))
        written.append(_paragraphs(rest))
    return "\n\n".join(filter(None, written))


def _paragraphs(text: str) -> str:
    code = re.compile(r"((?:^ {4}.*\n?|^\n(?= {4}))+)", re.MULTILINE)
    parts = code.split(text.strip("\n"))
    return "\n\n".join(
        f"```python-fragment\n{inspect.cleandoc(part)}\n```" if is_code else _marked(part.strip())
        for part, is_code in zip(parts, [False, True] * len(parts), strict=False)
        if part.strip()
    )


def _item(text: str) -> str:
    name, colon, said = text.partition(": ")
    return f"- `{name}`: {_marked(said)}" if colon else f"- {_marked(text)}"


def _marked(text: str) -> str:
    return re.sub(r"``(.+?)``", r"`\1`", text, flags=re.DOTALL)


def sentence(text: str) -> str:
    """Return a docstring's text for a page: its code marks are Markdown's."""
    return cell(re.sub(r"``(.+?)``", r"`\1`", " ".join(text.split())))


def kind(annotation: Any) -> str:
    """Return a type in the words that the documentation has for it."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    plain = {int: "integer", float: "number", str: "text", bool: "boolean", dict: "table"}
    if annotation in plain:
        return plain[annotation]
    if origin is Literal:
        return " or ".join(f'`"{one}"`' for one in inner)
    if origin in (Union, types.UnionType):
        named = [kind(one) for one in inner if one is not type(None)]
        return "any value" if len(named) > 2 else " or ".join(named)
    if origin is tuple:
        many = {"text": "texts", "table": "tables"}
        return f"list of {many.get(kind(inner[0]), 'values')}"
    if origin is not None and issubclass(origin, Mapping):
        return "table"
    return "any value" if annotation is Any else "table"


def cell(text: str) -> str:
    """Return a text that does not end its cell."""
    return text.replace("|", "\\|")


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    written = [f"| {' | '.join(line)} |" for line in lines]
    written[1] = "|" + "---|" * len(heads)
    return "\n".join(written) + "\n"
