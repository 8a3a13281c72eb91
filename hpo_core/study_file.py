"""Read a study file, TOML, JSON or YAML, as plain tables, with a precise error if it is invalid."""

from __future__ import annotations

import codecs
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from hpo_core.model.errors import Fault, InvalidInput, nearest

_LEVELS = 32
"""Maximum nesting of tables, which keeps later recursion safe."""

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "UTF-8",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def load(path: str) -> dict[str, Any]:
    """Read a study file: JSON or YAML if its name ends so (``.json``, ``.yaml``), else TOML.

    Raises:
        InvalidInput: If it cannot be read, with the place and the cause.
    """
    try:
        return _table(path, _text(Path(path).read_bytes()))
    except OSError as error:
        message = f"cannot be read: {error.strerror}{_similar(path, error)}"
        raise InvalidInput([Fault(path, message)]) from error
    except RecursionError:
        raise InvalidInput([Fault(path, _TOO_DEEP)]) from None
    except ValueError as error:
        raise InvalidInput([Fault(path, str(error))]) from error


def _similar(path: str, error: OSError) -> str:
    """Suggest a study file with a similar name in the same folder."""
    if not isinstance(error, FileNotFoundError):
        return ""
    folder = Path(path).parent
    try:
        names = [each.name for each in folder.iterdir() if each.suffix in _SUFFIXES]
    except OSError:
        return ""
    return nearest(Path(path).name, names)


_SUFFIXES = (".toml", ".json", ".yaml", ".yml")

_TOO_DEEP = "is nested too deeply; a study needs few levels"


def _text(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            raise ValueError(
                f"begins with a byte order mark (BOM) of {encoding}; save it as UTF-8 without one"
            )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"is not text in UTF-8: {error}") from error


def _table(path: str, text: str) -> dict[str, Any]:
    table = _READERS.get(Path(path).suffix.lower(), _toml)(text)
    if not isinstance(table, dict):
        raise ValueError("must hold a table (an object, {...})")
    if _is_deep(table):
        raise ValueError(_TOO_DEEP)
    return table


def _yaml(text: str) -> Any:
    from hpo_core.yaml_text import yaml_tables

    return yaml_tables(text)


def _json(text: str) -> Any:
    twice: list[str] = []

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Build an object, and reject duplicate keys: the JSON parser would silently keep the last
        one.
        """
        table = dict(pairs)
        if len(table) < len(pairs):
            keys = [key for key, _ in pairs]
            twice.append(next(key for key in keys if keys.count(key) > 1))
        return table

    try:
        table = json.loads(text, object_pairs_hook=build)
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from error
    if twice:
        raise ValueError(f"has the key {twice[0]!r} twice in one object; keep one of them")
    return table


def _toml(text: str) -> Any:
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        return toml.loads(text)
    except ValueError as error:
        if text.lstrip().startswith("{"):
            cause = "it looks like JSON: then its name has to end with .json"
        elif "overwrite" in str(error) or "twice" in str(error) or "Duplicate" in str(error):
            cause = f"a key or a table occurs twice; keep one of them: {error}"
        else:
            cause = str(error)
        raise ValueError(f"is not TOML: {cause}") from error


_READERS = {".json": _json, ".yaml": _yaml, ".yml": _yaml}
"""How a file is read whose name ends so; any other is TOML."""


def _is_deep(table: dict[str, Any]) -> bool:
    level: list[Any] = [table]
    for _ in range(_LEVELS):
        level = [
            child
            for tree in level
            if isinstance(tree, dict | list)
            for child in (tree.values() if isinstance(tree, dict) else tree)
        ]
    return bool(level)
