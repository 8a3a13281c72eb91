"""What tests of a strategy on a library need: its suggestions, and its options."""

from __future__ import annotations

import msgspec

from hpo_core.plugin import Float, Objective, Problem, SearchSpace, StrategyChoice, build_strategy
from hpo_core.testing import options_table, other_defaults, suggestions

PROBLEM = Problem(
    space=SearchSpace((Float("x", 0.0, 2.0, step=1.0),)),
    objectives=(Objective("loss", "minimize"),),
    seed=7,
)


class Options(msgspec.Struct):
    """Options, some of which are a library's."""

    size: int = 3
    rate: float = 0.1
    names: list[str] = []
    own: bool = True


def library(size: int = 3, rate: float = 0.5, *, names: object = ()) -> None:
    """Stands for a function of a library."""


def test_suggestions_end_where_the_strategy_is_exhausted() -> None:
    found = suggestions(build_strategy(StrategyChoice("grid"), PROBLEM).strategy, lambda c: 1.0, 9)
    assert [each["x"] for each in found] == [0.0, 1.0, 2.0]


def test_each_loss_is_told_before_the_next_suggestion() -> None:
    seen = []

    def loss(configuration: object) -> float:
        seen.append(configuration)
        return 1.0

    strategy = build_strategy(StrategyChoice("random"), PROBLEM).strategy
    assert suggestions(strategy, loss, 2) == seen


def test_options_that_the_library_lacks_or_has_otherwise_are_named() -> None:
    assert other_defaults(Options, library) == [
        "rate: 0.1, in the library 0.5",
        "names: [], in the library ()",
        "own: True, in the library 'unknown'",
    ]
    assert other_defaults(Options, library, own={"rate", "names", "own"}) == []


def test_a_table_has_a_row_for_each_strategy() -> None:
    assert options_table({"a": Options, "b": msgspec.defstruct("None_", [])}) == (
        "| strategy | options, with their defaults |\n"
        "|---|---|\n"
        "| `a` | `size` `3`, `rate` `0.1`, `names` `[]`, `own` `True` |\n"
        "| `b` | none |"
    )
