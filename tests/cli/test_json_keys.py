"""docs/json.md has every key that ``--json`` prints, and no other."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Hpo = Callable[..., Any]

PAGE = (Path(__file__).parents[2] / "docs/json.md").read_text(encoding="utf-8")


def documented(*tables: str) -> set[str]:
    """Return the keys that stand in the first cells of the tables with these headings."""
    keys: set[str] = set()
    for table in tables:
        (rows,) = re.findall(rf"^\| {re.escape(table)} \|.*\n\|---.*\n((?:\|.*\n)+)", PAGE, re.M)
        for row in rows.splitlines():
            keys |= set(re.findall(r"`(\w+)`", row.split("|")[1]))
    return keys


@pytest.mark.parametrize(
    ("arguments", "tables"),
    [
        (["top", "small"], ["key of a trial"]),
        (["jobs", "small"], ["key of a job"]),
        (["curves", "small"], ["key of a report"]),
        (["studies"], ["key of a study"]),
        (["show", "small"], ["key of a study", "key of `show`"]),
        (["run", "study.toml"], ["key of an outcome"]),
        (["try", "study.toml"], ["key of a try"]),
        (["log", "small", "1"], ["key of `log`"]),
        (["replay", "small"], ["key of `replay`"]),
        (["plugins"], ["key of a plugin"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_every_key_is_documented(small: Hpo, arguments: list[str], tables: list[str]) -> None:
    found = small(*arguments, "--json").json()
    keys = found[0].keys() if isinstance(found, list) else found.keys()
    assert set(keys) == documented(*tables)
