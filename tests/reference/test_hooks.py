"""docs/reference/hooks.md lists every hook with its return value, as in the contracts."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from hpo_core.contracts import hookspecs

sys.path.insert(0, str(Path(__file__).parent))

from rendering import AGAIN, FOLDER, attributes, sentence, table

PAGE = FOLDER / "hooks.md"

HEAD = """\
# Every hook

Made from the code (`make reference`): the functions that a plugin's module may have, each marked
with `hookimpl`, and the specs that they return. [Plugins](../plugins.md) shows each in use.
"""


def hooks() -> Iterator[Any]:
    for value in vars(hookspecs).values():
        if inspect.isfunction(value) and hasattr(value, f"{hookspecs.PROJECT}_spec"):
            yield value


def page() -> str:
    parts, shown = [HEAD], []
    for hook in hooks():
        kinds = typing.get_type_hints(hook)
        given = ", ".join(inspect.signature(hook).parameters)
        parts.append(f"## `{hook.__name__}({given})`\n")
        summary, _, rest = (inspect.getdoc(hook) or "").partition("\n\n")
        prose = rest.partition("Args:")[0].partition("Returns:")[0]
        parts.append("\n\n".join(map(sentence, filter(str.strip, (summary, prose)))) + "\n")
        said = attributes(hook)
        if said:
            parts.append(table(("argument", "is"), [[f"`{n}`", text] for n, text in said.items()]))
        (item,) = typing.get_args(kinds["return"])
        if isinstance(item, type) and issubclass(item, msgspec.Struct) and item not in shown:
            shown.append(item)
            parts.append(f"`{item.__name__}`: {sentence(summary_of(item))}\n")
            parts.append(table(("field", "default", "meaning"), fields(item)))
    return "\n".join(parts)


def summary_of(struct: type) -> str:
    return (inspect.getdoc(struct) or "").partition("\n\n")[0]


def fields(struct: type[msgspec.Struct]) -> Iterator[list[str]]:
    said = attributes(struct)
    for field in msgspec.structs.fields(struct):
        yield [f"`{field.name}`", default(field), said[field.name]]


def default(field: Any) -> str:
    if field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT:
        return "required"
    if field.default_factory is not msgspec.NODEFAULT or field.default == frozenset():
        return "none"
    value = field.default
    return f"`{value.__name__ if isinstance(value, type) else repr(value)}`"


def test_the_page_is_what_the_contracts_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), AGAIN


def test_every_hook_is_on_the_page() -> None:
    assert [hook.__name__ for hook in hooks()]
    assert all(f"`{hook.__name__}(" in PAGE.read_text(encoding="utf-8") for hook in hooks())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
