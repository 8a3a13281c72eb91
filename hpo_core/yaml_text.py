"""Read YAML 1.2 as plain tables. ruamel.yaml, from the extra ``yaml``, is imported when needed."""

from __future__ import annotations

import datetime
from typing import Any

_MOST = 100_000
"""Maximum number of values, with those of an alias counted at each place."""

_PLAIN = (str, int, float, bool, type(None), datetime.date)  # a date is a fault of its key


def yaml_tables(text: str) -> Any:
    """Read a document of YAML 1.2.

    Raises:
        ValueError: If it is not one, has a key twice, holds what JSON has not, or ruamel.yaml is
            not installed.
    """
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError
    except ModuleNotFoundError:
        raise ValueError(
            "is YAML, for which ruamel.yaml is missing: pip install 'hpo-core[yaml]', or write "
            "TOML or JSON (study.toml, study.json)"
        ) from None
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    try:
        tree = reader.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
        raise ValueError(f"is not YAML 1.2: {place}{error.problem}") from error
    except YAMLError as error:
        raise ValueError(f"is not YAML 1.2: {' '.join(str(error).split())}") from error
    _check(tree)
    return tree


def _check(tree: object) -> None:
    """Check that a tree is one of JSON."""
    left, count = [tree], 0
    while left:
        value = left.pop()
        count += 1
        if count > _MOST:
            raise ValueError(f"holds more than {_MOST:,} values; use fewer aliases")
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    raise ValueError(f"a key must be text, got {key!r}; write it in quotes")
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif not isinstance(value, _PLAIN):
            raise ValueError(f"holds {value!r}, which is neither a list, a table nor a plain value")
