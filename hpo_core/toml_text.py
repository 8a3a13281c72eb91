"""Write TOML that is easy to edit; the standard library only reads TOML.

A nested table is written inline if it fits in a line, else under its own header. A list that does
not fit in a line is written with one element per line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_WIDTH = 100
"""Maximum width of a line, where its content can be split."""

_BARE = re.compile(r"[A-Za-z0-9_-]+").fullmatch
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")  # characters that JSON does not escape


def toml_text(tables: Mapping[str, Any], headed: Iterable[str] = ()) -> str:
    """Format tables as TOML.

    Args:
        tables: Plain data: strings, numbers, booleans, lists and mappings.
        headed: Keys of the outermost table whose tables get headers even if they fit in a line. For
            a key that ends with ``.*``, each table in that table gets a header.

    Raises:
        ValueError: If a value is None, which TOML cannot express. The message has the path of the
            key.
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
    """Format a table under its header, followed by its nested tables that get headers."""
    too_wide = [key for key, value in table.items() if _is_too_wide((*path, key), value)]
    lines = [f"{header.format('.'.join(map(_key, path)))}\n"]
    lines += [_line((*path, key), value) for key, value in table.items() if key not in too_wide]
    return "\n".join(["".join(lines), *(_section((*path, key), table[key]) for key in too_wide)])


def _is_too_wide(path: tuple[str, ...], value: object) -> bool:
    """Return whether a value is a table that does not fit in a line."""
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
            return repr(value)  # also inf and nan, as in TOML
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
    """Quote a string: in single quotes if it contains double quotes or backslashes."""
    if ("\\" in text or '"' in text) and "'" not in text and text.isprintable():
        return f"'{text}'"
    quoted = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
