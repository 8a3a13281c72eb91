"""docs/reference/study-file.md lists every key of a study file, as the code reads it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from hpo_core import (
    Budget,
    Categorical,
    Constant,
    Constraint,
    Float,
    Int,
    Objective,
    ParameterSet,
    StudyConfig,
)
from hpo_core.config import NEW_JOB, NEW_STUDY
from hpo_core.config_file import _KEYS
from hpo_core.model.durations import DURATIONS
from hpo_core.plugin import JobSettings, PluginChoice

sys.path.insert(0, str(Path(__file__).parent))

from rendering import AGAIN, FOLDER, attributes, kind, table

PAGE = FOLDER / "study-file.md"

HEAD = """\
# Every key of a study file

Made from the code (`make reference`): each key with its type and default. How to use them, with
examples, is in [the study file](../configuration.md). A *duration* is a number of seconds, or text
such as `"1h30m"`.
"""

FIELDS = {"objective": "objectives", "parameters": "space", "forbidden": "space", "linear": "space"}
"""The keys that `StudyConfig` has under another name."""

IN_A_FILE = {
    "seed": ("integer", "drawn, and stored"),
    "strategy": ("text or table", "required"),
    "backend": ("text or table", '`"local"`'),
    "observers": ("list of texts and tables", "none"),
    "objective": ("table, or list of tables", "required"),
    "constraints": ("list of texts and tables", "none"),
    "budget": ("table", "no limits"),
    "job": ("table", "required"),
    "parameters": ("table of tables", "required"),
    "forbidden": ("list of tables", "none"),
    "linear": ("list of text", "none"),
}
"""The keys whose form in a file is another one than in `StudyConfig`: their types and defaults."""

SAID = {
    "parameters": "The search space: a table for each parameter, with the keys of its `type`.",
    "forbidden": "Combinations that are never run: a value or values for some parameters.",
    "linear": "Linear inequalities between floats and ints, such as ``x + 2 * y <= 1``.",
}

TABLES: list[tuple[str, type]] = [
    ("`strategy`, `backend`, as tables", PluginChoice),
    ("`[objective]`", Objective),
    ("`[[constraints]]`", Constraint),
    ("`[budget]`", Budget),
    ("`[job]`", JobSettings),
    ('`[parameters.NAME]`, `type = "float"`', Float),
    ('`[parameters.NAME]`, `type = "int"`', Int),
    ('`[parameters.NAME]`, `type = "categorical"`', Categorical),
    ('`[parameters.NAME]`, `type = "constant"`', Constant),
    ('`[parameters.NAME]`, `type = "set"`', ParameterSet),
]


def page() -> str:
    parts = [HEAD, "## The study\n", table(("key", "type", "default", "meaning"), study_rows())]
    for heading, struct in TABLES:
        parts += [f"## {heading}\n", table(("key", "type", "default", "meaning"), rows(struct))]
    return "\n".join(parts)


def study_rows() -> Iterator[list[str]]:
    said = attributes(StudyConfig)
    fields = {field.name: field for field in msgspec.structs.fields(StudyConfig)}
    for key in _KEYS:
        field = fields[FIELDS.get(key, key)]
        form = IN_A_FILE.get(key) or (kind(field.type), default(key, field, NEW_STUDY))
        words = SAID.get(key) or said[FIELDS.get(key, key)]
        yield [f"`{key}`", *form, in_a_file(words)]


def rows(struct: type) -> Iterator[list[str]]:
    said = attributes(struct)
    is_parameter = struct.__name__ in {"Float", "Int", "Categorical", "Constant", "ParameterSet"}
    for field in msgspec.structs.fields(struct):
        if is_parameter and field.name == "name":
            continue  # the name of its table
        form = "duration" if field.name in DURATIONS else kind(field.type)
        given = default(field.name, field, NEW_JOB if struct is JobSettings else {})
        yield [f"`{field.name}`", form, given, in_a_file(said[field.name])]


def in_a_file(said: str) -> str:
    """Return what a docstring says for readers of files, in which there is no None."""
    without = re.sub(r"(?:[.;]|^) ?None (?:for|as|to)[^.]*\.", ".", said)
    return without.replace("if None", "if it is left out")


def default(key: str, field: Any, of_new_studies: dict[str, Any]) -> str:
    """Return a key's default as it would be written in a file."""
    value = of_new_studies.get(key, field.default)
    if value is None or field.default_factory is not msgspec.NODEFAULT or value in ((), {}):
        return "none"
    if value is msgspec.NODEFAULT:
        return "required"
    text = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else None
    return f"`{text or msgspec.json.encode(value).decode()}`"


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), AGAIN


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
