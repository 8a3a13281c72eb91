"""Tables: long cells are cut, and different values look different."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hpo_core.cli.tables import CELL, LAST_CELL, lay_out, shown
from hpo_core.model.text import cut, width

Hpo = Callable[..., Any]
Write = Callable[..., None]

MENTIONS_C = ('["sh", "job.sh", "{x}"]', '["sh", "job.sh", "{x}", "{c}"]')


def test_a_cell_that_is_too_long_is_cut_and_says_so() -> None:
    _, row = lay_out(["a", "b"], [["x" * 1000, "y" * 1000]]).splitlines()
    first, last = row.split()
    assert (len(first), len(last)) == (CELL, LAST_CELL)
    assert first.endswith("…")
    assert last.endswith("…")


def test_characters_of_two_columns_keep_the_next_column_in_its_place() -> None:
    rows = lay_out(["name", "x"], [["深層学習", "1"], ["ab", "2"]]).splitlines()
    assert [width(row.rpartition("  ")[0]) for row in rows[1:]] == [8, 8]
    assert cut("深層学習", 5) == "深層…"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1.0"),
        ("1", '"1"'),
        (True, "true"),
        ("true", '"true"'),
        (None, "null"),
        ("null", '"null"'),
        ("", '""'),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ("tree", "tree"),
        (0.123456, "0.1235"),
        (1e-9, "1e-09"),
        (1e300, "1e+300"),
    ],
)
def test_values_of_different_types_are_told_apart(value: Any, text: str) -> None:
    assert shown({"x": value}) == f"x={text}"


def test_a_long_value_is_cut() -> None:
    assert len(shown({"x": "a" * 1000})) < 70


def test_a_parameter_of_thousands_of_choices_is_a_short_line_of_show(
    write: Write, hpo: Hpo
) -> None:
    choices = ", ".join(f'"choice-{number}"' for number in range(5000))
    parameter = f'[parameters.c]\ntype = "categorical"\nchoices = [{choices}]\n\n[parameters.x]'
    write(
        ('["sh", "job.sh", "{x}"]', '["sh", "job.sh", "{x}", "{c}"]'), ("[parameters.x]", parameter)
    )
    hpo("run", "study.toml", "--quiet")
    (line,) = [line for line in hpo("show", "small").out.splitlines() if line.startswith("c ")]
    assert len(line) < 420
    assert "choice-0, choice-1, " in line
    assert line.endswith(("4980 more values", "…"))


def test_choices_that_differ_in_type_are_told_apart_in_show(write: Write, hpo: Hpo) -> None:
    parameter = (
        '[parameters.c]\ntype = "categorical"\nchoices = [1, "1", true, "true"]\n\n[parameters.x]'
    )
    write(
        ('["sh", "job.sh", "{x}"]', '["sh", "job.sh", "{x}", "{c}"]'), ("[parameters.x]", parameter)
    )
    hpo("run", "study.toml", "--quiet")
    assert 'one of 1, "1", true, "true"' in hpo("show", "small").out


def test_with_two_objectives_show_names_the_first_of_the_front(write: Write, hpo: Hpo) -> None:
    second = '[[objective]]\nmetric = "loss"'
    more = 'direction = "minimize"\n\n[[objective]]\nmetric = "size"\ndirection = "minimize"'
    write(
        ('[objective]\nmetric = "loss"', second),
        ('direction = "minimize"', more),
        job='echo "{\\"loss\\": $1, \\"size\\": 1}" > /dev/fd/$HPO_REPORT_FD',
    )
    hpo("run", "study.toml", "--quiet")
    assert "first of the front  loss = 0" in hpo("show", "small").out


def test_a_hint_about_a_parameters_keys_names_none_that_is_refused(write: Write, hpo: Hpo) -> None:
    write(("low = 0.0", "low = 0.0\nnam = 3"))
    ended = hpo("run", "study.toml")
    assert ended.err.startswith("error: parameters.x.nam: unknown key; known: low, high")


@pytest.mark.parametrize("words", [["x", "=5"], ["=5"]])
def test_a_word_without_a_key_is_named(small: Hpo, words: list[str]) -> None:
    ended = small("enqueue", "small", *words)
    assert "error: =5: expected KEY=VALUE, such as lr=0.01" in ended.err
