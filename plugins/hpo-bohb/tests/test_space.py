"""Search spaces as ConfigurationSpaces, and conversion of configurations in both directions."""

from __future__ import annotations

import math
from typing import Any

import pytest
from ConfigSpace import Configuration as Theirs
from hpo_bohb.masters import quiet
from hpo_bohb.options import BOHBOptions, RandomOptions
from hpo_bohb.plugin import build
from hpo_bohb.space import Translation, faults

from hpo_core.plugin import (
    Categorical,
    Constant,
    Float,
    Int,
    InvalidInput,
    Objective,
    ParameterSet,
    Problem,
    SearchSpace,
)

YES_NO = (True, False)
ALL = {
    "float": (Float("x", -2.0, 3.5),),
    "log float": (Float("x", 1e-8, 1e-2, log=True),),
    "ends of many digits": (Float("x", 0.12345678901234567, 1 / 3),),
    "tiny": (Float("x", 1e-30, 1e-20, log=True),),
    "tiny and linear": (Float("x", 0.0, 1e-20),),
    "huge": (Float("x", -1e300, 1e300),),
    "huge and log": (Float("x", 1e-300, 1e300, log=True),),
    "stepped float": (Float("x", 0.0, 0.3, step=0.1),),
    "step that does not divide": (Float("x", 0.0, 1.05, step=0.25),),
    "step beyond the range": (Float("x", 0.5, 0.6, step=0.25),),
    "no width": (Float("x", 0.1, 0.1), Int("n", 3, 3), Int("m", 3, 3, log=True)),
    "int": (Int("n", -3, 9),),
    "stepped int": (Int("n", 0, 10, step=3),),
    "far from zero": (Int("n", 2**60, 2**60 + 7),),
    "log int": (Int("n", 1, 10_000, log=True), Int("m", 1, 2**40, log=True)),
    "choices": (Categorical("c", ("red", "1", 1, 1.0, True, None, 0, False)),),
    "one choice": (Categorical("c", ("only",)),),
    "constants": (Constant("k", None), Constant("l", True), Constant("m", 1.0)),
    "set": (ParameterSet("s", ({"a": 1, "b": None}, {"a": 1.0, "b": "q"}, {"a": True, "b": 0})),),
    "conditions": (
        Categorical("kind", ("sgd", "adam", None)),
        Float("momentum", 0, 1, when={"kind": "sgd"}),
        Int("depth", 1, 9, when={"kind": ("adam", None)}),
        Categorical("warm", YES_NO, when={"kind": "sgd", "depth": 3}),  # never active
        Int("units", 4, 512, log=True, when={"depth": (1, 2, 3), "kind": "adam"}),
        Constant("fixed", "yes", when={"kind": "adam"}),
        Float("rate", 0, 1, when={"fixed": "yes"}),
    ),
    "conditions on numbers": (
        Int("n", 1, 30, log=True),
        Float("step", 0.0, 0.9, step=0.1),
        Float("tiny", 0.0, 1e-20),
        Float("a", 0, 1, when={"n": (1, 2, 3, 5, 8, 13, 21)}),
        Float("b", 0, 1, when={"step": (0.1, 0.3, 0.7), "n": (1, 2)}),
        Float("c", 0, 1, when={"tiny": 0.0}),
    ),
    "conditions on a set": (
        ParameterSet("s", ({"a": 1, "b": "p"}, {"a": 2, "b": "q"}, {"a": 1, "b": "q"})),
        Float("x", 0, 1, when={"a": 1}),
        Float("y", 0, 1, when={"a": 1, "b": "q"}),
        Float("z", 0, 1, when={"a": 2, "b": "p"}),  # never active
        Float("never", 0, 1, when={"z": 0.5}),
    ),
    "a parent that is active late": (
        Categorical("a", YES_NO),
        Categorical("b", YES_NO, when={"a": True}),
        Categorical("d", YES_NO, when={"b": True}),
        Float("e", 0, 1, when={"a": True, "d": True}),
    ),
}
FORBIDDEN = {
    "types": (
        (Categorical("c", (1, 1.0, True, "1")), Float("x", 0, 0.9, step=0.1)),
        ({"c": 1}, {"c": (1.0, True), "x": (0.3, 0.6, 0.9)}),
    ),
    "log int": (
        (Int("n", 1, 1_000, log=True), Int("m", 1, 5)),
        ({"n": tuple(range(1, 1_000, 2))}, {"n": (2, 4, 8, 16), "m": (1, 2)}),
    ),
    "set": (
        (
            ParameterSet("s", ({"a": 1, "b": "p"}, {"a": 2, "b": "q"}, {"a": 1, "b": "q"})),
            Int("n", 0, 3),
        ),
        ({"a": 1, "b": "q"}, {"a": 2, "b": "p"}, {"b": "p", "n": (0, 1)}),
    ),
    "what starts forbidden": (
        (Categorical("c", ("x", "y")), Int("n", 0, 2), Float("f", 0, 1, when={"c": "y"})),
        ({"c": "x"}, {"n": 1}),
    ),
    "what is not active": (
        (Categorical("c", ("x", "y")), Int("n", 0, 2, when={"c": "x"})),
        ({"c": "x", "n": (0, 1)},),
    ),
}
SPACES = {name: SearchSpace(axes) for name, axes in ALL.items()} | {
    f"forbidden: {name}": SearchSpace(axes, clauses) for name, (axes, clauses) in FORBIDDEN.items()
}


@pytest.mark.parametrize("name", SPACES)
def test_whatever_is_drawn_lies_in_the_space_and_is_the_same_there_and_back(name: str) -> None:
    space = SPACES[name]
    with quiet():
        translation = Translation(space, 1)
        for drawn in translation.configspace.sample_configuration(300):
            configuration = translation.configuration(drawn)
            assert not space.wrong(configuration)

            natives = translation.natives(configuration)
            again = translation.configuration(natives)
            assert translation.natives(again) == natives
            Theirs(translation.configspace, values=natives)  # raises if it is invalid


@pytest.mark.parametrize("name", SPACES)
def test_the_default_configuration_is_valid_in_configspace(name: str) -> None:
    space = SPACES[name]
    with quiet():
        translation = Translation(space, 1)
        natives = translation.natives(space.defaults())
        theirs = dict(Theirs(translation.configspace, values=natives))
    assert theirs == pytest.approx(natives)


def test_what_configspace_rounds_to_a_forbidden_value_is_not_its_default() -> None:
    axis = Float("c", 0.001, 10, log=True)
    starts = (0.001, SearchSpace((axis,)).defaults()["c"])
    space = SearchSpace((axis, Float("d", 0, 0.9, step=0.1)), ({"c": starts},))
    assert space.defaults()["c"] == math.nextafter(0.001, 1)
    with quiet():
        translation = Translation(space, 1)
        default = translation.configuration(translation.configspace.get_default_configuration())
    assert not space.wrong(default)


def test_every_choice_is_drawn_with_its_own_type() -> None:
    space = SPACES["choices"]
    with quiet():
        translation = Translation(space, 1)
        drawn = {
            repr(translation.configuration(each)["c"])
            for each in translation.configspace.sample_configuration(300)
        }
    assert drawn == {"'red'", "'1'", "1", "1.0", "True", "None", "0", "False"}


def test_every_allowed_integer_on_a_log_scale_is_drawn_and_no_forbidden_one() -> None:
    space = SearchSpace((Int("n", 1, 30, log=True),), ({"n": tuple(range(1, 31, 3))},))
    with quiet():
        translation = Translation(space, 1)
        drawn = {
            translation.configuration(each)["n"]
            for each in translation.configspace.sample_configuration(5_000)
        }
    assert drawn == set(range(1, 31)) - set(range(1, 31, 3))


def test_a_log_scale_whose_ends_would_be_rounded_is_covered_evenly() -> None:
    space = SPACES["tiny"]
    with quiet():
        translation = Translation(space, 1)
        logs = [
            math.log10(translation.configuration(each)["x"])  # type: ignore[arg-type]  # a float
            for each in translation.configspace.sample_configuration(2_000)
        ]
    decades = [sum(low <= each < low + 1 for each in logs) for low in range(-30, -20)]
    assert sum(decades) == 2_000
    assert min(decades) > 140


def problem(*axes: Any, forbidden: Any = ()) -> Problem:
    return Problem(
        space=SearchSpace(axes, forbidden),
        objectives=(Objective("loss", "minimize"),),
        seed=1,
        max_iterations=9,
    )


def test_what_configspace_cannot_tell_apart_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as raised:
        build(
            problem(
                Int("wide", 0, 2**41),
                Int("long", 1, 2**41, log=True),
                Float("fine", 0.0, 1.0, step=1e-13),
                Int("fit", 0, 2**40 - 1),
            ),
            BOHBOptions(),
        )
    assert [fault.path for fault in raised.value.faults] == [
        "parameters.wide",
        "parameters.long",
        "parameters.fine",
    ]


def test_nearly_forbidden_space_is_rejected() -> None:
    needle = {"n": tuple(range(1, 100_000))}
    with pytest.raises(InvalidInput, match="random configurations are all forbidden"):
        build(problem(Int("n", 0, 99_999), forbidden=(needle,)), RandomOptions())

    half = SearchSpace((Int("n", 0, 99),), ({"n": tuple(range(50))},))
    assert not list(faults(half))
