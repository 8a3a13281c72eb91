"""Writes TOML that is pleasant to edit; the standard library only reads it.

A table in a table is written inline where it fits into a line, and under its own header
where it does not. A list that does not fit into a line takes a line for each element.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_WIDTH = 100
"""The columns of a line, as far as its content can be divided."""

_BARE = re.compile(r"[A-Za-z0-9_-]+").fullmatch
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")  # what JSON leaves as it is


def toml_text(tables: Mapping[str, Any], headed: Iterable[str] = ()) -> str:
    """Return tables as the text of a TOML file.

    Args:
        tables: Plain data: texts, numbers, booleans, lists and mappings.
        headed: Keys of the outermost table whose tables get headers, also where they would fit
            into a line. Of a key that ends with ``.*`` each table in the table does.

    Raises:
        ValueError: If a value is None, which TOML can't express; with its key's path.
    """
    plain, sections = [], []
    headers = set(headed)
    for key, value in tables.items():
        if f"{key}.*" in headers:
            sections += [_section((key, inner), table) for inner, table in value.items()]
        elif key in headers and isinstance(value, Mapping):
            sections.append(_section((key,), value))
        elif key in headers and _is_list_of_tables(value):
            sections += [_section((key,), table, "[[{}]]") for table in value]
        elif _is_too_wide((key,), value):
            sections.append(_section((key,), value))
        else:
            plain.append(_line((key,), value))
    return "\n".join(["".join(plain), *sections] if plain else sections)


def _section(path: tuple[str, ...], table: Mapping[str, Any], header: str = "[{}]") -> str:
    """Return a table under its header, followed by those of its tables that get one."""
    too_wide = [key for key, value in table.items() if _is_too_wide((*path, key), value)]
    lines = [f"{header.format('.'.join(map(_key, path)))}\n"]
    lines += [_line((*path, key), value) for key, value in table.items() if key not in too_wide]
    return "\n".join(["".join(lines), *(_section((*path, key), table[key]) for key in too_wide)])


def _is_too_wide(path: tuple[str, ...], value: object) -> bool:
    """Say whether a value is a table that does not fit into a line."""
    return isinstance(value, Mapping) and len(f"{path[-1]} = {_value(path, value)}") > _WIDTH


def _is_list_of_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, Mapping) for item in value)


def _line(path: tuple[str, ...], value: object) -> str:
    line = f"{_key(path[-1])} = {_value(path, value)}\n"
    if len(line) > _WIDTH and isinstance(value, list | tuple):
        items = "".join(f"    {item},\n" for item in _items(path, value))
        return f"{_key(path[-1])} = [\n{items}]\n"
    return line


def _items(path: tuple[str, ...], values: Iterable[object]) -> Iterator[str]:
    for index, item in enumerate(values):
        yield _value((*path[:-1], f"{path[-1]}[{index}]"), item)


def _value(path: tuple[str, ...], value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value)  # also inf and nan, which TOML calls so
        case str():
            return _text(value)
        case Mapping():
            pairs = [f"{_key(key)} = {_value((*path, key), item)}" for key, item in value.items()]
            return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
        case list() | tuple():
            return f"[{', '.join(_items(path, value))}]"
        case _:
            raise ValueError(f"{'.'.join(path)} is null, which TOML can't express")


def _key(key: str) -> str:
    return key if _BARE(key) else _text(key)


def _text(text: str) -> str:
    """Return a text in quotes: in single ones where it holds double ones or backslashes."""
    if ("\\" in text or '"' in text) and "'" not in text and text.isprintable():
        return f"'{text}'"
    quoted = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
