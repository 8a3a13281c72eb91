"""`hpo try STUDY KEY=VALUE`: one job with given values."""

from __future__ import annotations

from typing import Any

MODEL = """
[parameters.model]
type = "categorical"
choices = ["net", "tree"]

[parameters.depth]
type = "int"
low = 1
high = 9
default = 4
when = { model = "tree" }
"""


def test_values_take_the_place_of_defaults(write: Any, hpo: Any) -> None:
    write()
    ended = hpo("try", "study.toml", "x=0.25")
    assert ended.status == 0
    assert "it reported: loss = 0.25" in ended.out


def test_the_others_have_the_defaults_that_go_with_them(write: Any, hpo: Any) -> None:
    write(
        ("[parameters.x]", f"{MODEL}\n[parameters.x]"),
        ('"{x}"]', '"{x}", "{model}", "{depth}"]'),
    )
    tried = hpo("try", "study.toml", "model=tree", "--json").json()
    assert tried["configuration"] == {"model": "tree", "depth": 4, "x": 0.5}


def test_what_does_not_fit_is_bad_input(write: Any, hpo: Any) -> None:
    write()
    for word, said in (
        ("x=7", "error: x: "),
        ("y=1", "error: y: no such parameter; there are x"),
        ("x", "error: x: expected KEY=VALUE, such as lr=0.01"),
    ):
        ended = hpo("try", "study.toml", word)
        assert (ended.status, ended.out) == (2, "")
        assert said in ended.err
