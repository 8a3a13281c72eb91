"""Errors: all faults at once, each with its path; the nearest known word."""

import pytest

from hpo_core import HpoError, InvalidInput
from hpo_core.model.errors import listed
from hpo_core.plugin import Fault, nearest


@pytest.mark.parametrize(
    ("word", "guess"),
    [
        ("dephth", "depth"), ("DEPTH", "depth"), ("Lr", "lr"), ("learn", "learning_rate"),
        ("learningrate", "learning_rate"), ("zzz", None), ("", None),
    ],
)  # fmt: skip
def test_the_nearest_known_word_is_suggested_if_one_is_near(word: str, guess: str | None) -> None:
    said = nearest(word, ["lr", "depth", "learning_rate"])
    assert said == (f"; did you mean {guess!r}?" if guess else "")


def test_a_close_match_goes_before_one_that_begins_alike() -> None:
    assert nearest("lrr", ["lrr_decay_per_epoch", "lr"]) == "; did you mean 'lr'?"


def test_a_suggestion_is_spelt_as_the_known_word_is() -> None:
    assert nearest("mymodel", ["MyModel"]) == "; did you mean 'MyModel'?"


@pytest.mark.parametrize(
    ("path", "prefix", "whole"),
    [
        ("low", "parameters.lr", "parameters.lr.low: no"),
        ("[1].low", "choices", "choices[1].low: no"),
        ("", "parameters", "parameters: no"),
        ("low", "", "low: no"),
        ("", "", "no"),
    ],
)
def test_a_fault_is_shown_with_its_whole_path(path: str, prefix: str, whole: str) -> None:
    assert str(Fault(path, "no").under(prefix)) == whole


def test_invalid_input_holds_every_fault_and_shows_a_line_each() -> None:
    error = InvalidInput(Fault(name, "no") for name in "ab")
    assert error.faults == (Fault("a", "no"), Fault("b", "no"))
    assert str(error) == "a: no\nb: no"
    assert isinstance(error, HpoError)
    assert isinstance(error, ValueError)


def test_names_are_listed_readably() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([]) == "none"
