"""SearchSpace: conditions, forbidden combinations, and valid configurations."""

import itertools
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core import (
    Categorical,
    Configuration,
    Constant,
    Float,
    Int,
    InvalidInput,
    ParameterSet,
    SearchSpace,
)
from hpo_core.model.values import identity, is_one_of, same_values
from hpo_core.plugin import Parameter, Value

MODEL = Categorical("model", ("tree", "net", "none"))
DEPTH = Int("depth", 1, 3, when={"model": "tree"})
SOLVER = Categorical("solver", ("sgd", "adam"), when={"model": "net"})
MOMENTUM = Float("momentum", 0, 1, step=0.5, when={"solver": "sgd"})
NESTED = SearchSpace((MOMENTUM, SOLVER, DEPTH, MODEL))


def faults_of(space: SearchSpace, **values: object) -> list[str]:
    return [str(fault) for fault in space.wrong(values)]  # type: ignore[arg-type]  # as it comes


def chooser(values: Mapping[str, Any]) -> Callable[[Parameter], Any]:
    return lambda axis: values[axis.name]


def refused(parameters: tuple[Parameter, ...], **more: object) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        SearchSpace(parameters, **more)  # type: ignore[arg-type]  # what is tested
    return [str(fault) for fault in caught.value.faults]


# -- conditions -----------------------------------------------------------------------------


def test_parents_stand_before_children_and_all_else_as_declared() -> None:
    assert NESTED.names == ("model", "solver", "momentum", "depth")
    assert SearchSpace((Int("b", 0, 1), Int("a", 0, 1))).names == ("b", "a")


def test_a_parameter_is_active_for_the_given_values_of_its_parents_alone() -> None:
    assert NESTED.is_conditional
    allowed: list[dict[str, Value]] = [
        {"model": "none"},
        {"model": "tree", "depth": 1},
        {"model": "net", "solver": "adam"},
        {"model": "net", "solver": "sgd", "momentum": 0.5},
    ]
    for values in allowed:
        assert NESTED.wrong(values) == []
        assert NESTED.configuration(values) == values


def test_a_list_of_values_makes_active_for_each() -> None:
    space = SearchSpace((MODEL, Int("depth", 1, 3, when={"model": ("tree", "net")})))
    assert faults_of(space, model="tree", depth=1) == faults_of(space, model="net", depth=1) == []
    assert faults_of(space, model="none") == []


def test_all_conditions_must_hold() -> None:
    space = SearchSpace(
        (Int("a", 0, 1), Int("b", 0, 1), Constant("both", 1, when={"a": 1, "b": 1}))
    )
    built = [
        dict(space.build(chooser({"a": a, "b": b, "both": 1})))
        for a, b in itertools.product((0, 1), repeat=2)
    ]
    assert [values for values in built if "both" in values] == [{"a": 1, "b": 1, "both": 1}]


def test_an_inactive_parameter_with_a_value_and_an_active_one_without_are_faults() -> None:
    assert faults_of(NESTED, model="tree", solver="adam") == [
        "depth: is active but has no value",
        "solver: is not active with these values; leave it out",
    ]


def test_a_child_of_an_inactive_parent_is_inactive_whatever_value_the_parent_is_given() -> None:
    assert faults_of(NESTED, model="none", solver="sgd") == [
        "solver: is not active with these values; leave it out"
    ]
    assert faults_of(NESTED, model="none", solver="sgd", momentum=0.5) == [
        "solver: is not active with these values; leave it out",
        "momentum: is not active with these values; leave it out",
    ]


def test_members_of_a_set_can_be_parents_and_a_set_a_child() -> None:
    space = SearchSpace(
        (
            ParameterSet("preset", ({"size": "s", "cache": True}, {"size": "l", "cache": False})),
            Int("layers", 1, 2, when={"size": "l"}),
            ParameterSet("store", ({"host": "a", "port": 1},), when={"cache": True}),
        )
    )
    assert space.names == ("size", "cache", "layers", "host", "port")
    assert faults_of(space, size="l", cache=False, layers=1) == []
    assert faults_of(space, size="s", cache=True, host="a", port=1) == []
    assert faults_of(space, size="s", cache=True, host="a") == ["port: is active but has no value"]
    assert faults_of(space, size="s", cache=False) == [
        "preset: size='s', cache=False is not one of its combinations"
    ]


def test_a_whole_number_asked_of_a_float_is_the_float_that_it_is() -> None:
    space = SearchSpace((Float("x", 0, 2, step=1), Constant("c", 1, when={"x": 1})), ({"x": 2},))
    assert faults_of(space, x=1.0, c=1) == []
    assert faults_of(space, x=0.0) == []
    assert faults_of(space, x=2.0) == ["the combination x=2.0 is forbidden"]


def test_a_condition_tells_types_apart() -> None:
    space = SearchSpace((Categorical("a", (1, True, 1.0, "1")), Constant("c", 0, when={"a": True})))
    assert ["c" in space.build(chooser({"a": a, "c": 0})) for a in (1, True, 1.0, "1")] == [
        False,
        True,
        False,
        False,
    ]


def test_a_cycle_is_an_error_that_shows_it() -> None:
    assert refused(
        (
            Constant("a", 1, when={"c": 1}),
            Constant("b", 1, when={"a": 1}),
            Constant("c", 1, when={"b": 1}),
            Constant("d", 1, when={"a": 1}),
        )
    ) == ["parameters.a.when: the conditions form a cycle: a -> c -> b -> a"]


def test_a_cycle_through_a_set_is_found() -> None:
    (fault,) = refused(
        (ParameterSet("s", ({"m": 1},), when={"a": 1}), Constant("a", 1, when={"m": 1}))
    )
    assert fault.endswith("the conditions form a cycle: s -> a -> s")


def test_unknown_parents_and_impossible_values_are_errors_with_their_place_all_at_once() -> None:
    assert refused(
        (
            MODEL,
            Constant("a", 1, when={"modle": "tree"}),
            Constant("b", 1, when={"model": ("tree", "nett")}),
            Int("i", 1, 3),
            Constant("c", 1, when={"i": 1.0}),
            Constant("d", 1, when={"i": 4}),
        ),
        forbidden=({"q": 1}, {"model": ("net", "tre")}, {}),
    ) == [
        "parameters.a.when.modle: there is no parameter 'modle'; did you mean 'model'?",
        "parameters.b.when.model: model is one of 'tree', 'net', 'none'; got 'nett'; "
        "did you mean 'net'?",
        "parameters.c.when.i: i takes an integer, got 1.0",
        "parameters.d.when.i: i lies between 1 and 3, got 4",
        "forbidden[0].q: there is no parameter 'q'",
        "forbidden[1].model: model is one of 'tree', 'net', 'none'; got 'tre'; "
        "did you mean 'tree'?",
        "forbidden[2]: give at least one parameter",
    ]


def test_a_name_stands_for_one_parameter() -> None:
    twice = "the name 'a' is used twice"
    assert refused((Int("a", 0, 1), Int("a", 0, 1))) == [f"parameters.a: {twice}"]
    assert f"parameters.s: {twice}" in refused((Int("a", 0, 1), ParameterSet("s", ({"a": 1},))))
    assert f"parameters.t: {twice}" in refused(
        (ParameterSet("s", ({"a": 1},)), ParameterSet("t", ({"a": 1},)))
    )
    assert refused(()) == ["parameters: give at least one parameter"]


def test_a_set_may_have_a_member_of_its_own_name() -> None:
    assert SearchSpace((ParameterSet("a", ({"a": 1}, {"a": 2})),)).names == ("a",)


# -- values ---------------------------------------------------------------------------------

FLAT = SearchSpace((Float("lr", 0, 1), Int("depth", 1, 8), Categorical("act", ("relu", None))))
GOOD = {"lr": 0.5, "depth": 3, "act": None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *itertools.product(["lr"], [1, True, "1", None, np.float64(0.5), 1.5, []]),
        *itertools.product(["depth"], [1.0, True, "1", None, np.int64(1), 9, {}]),
        *itertools.product(["act"], [0, False, "null", "", np.str_("x"), []]),
    ],
)
def test_a_value_of_another_type_or_out_of_range_is_a_fault_of_its_parameter(
    name: str, value: Any
) -> None:
    assert FLAT.wrong(GOOD) == []
    assert [fault.path for fault in FLAT.wrong(GOOD | {name: value})] == [name]


def test_all_faults_of_a_configuration_are_named_at_once() -> None:
    assert faults_of(FLAT, lr=2.0, detph=1) == [
        "lr: lr lies between 0.0 and 1.0, got 2.0",
        "depth: is active but has no value",
        "act: is active but has no value",
        "detph: there is no parameter 'detph'; did you mean 'depth'?",
    ]


def test_a_configuration_comes_in_the_space_s_order_with_floats_as_floats() -> None:
    given = FLAT.configuration({"act": "relu", "depth": 1, "lr": 1})
    assert isinstance(given, Configuration)
    assert list(given.items()) == [("lr", 1.0), ("depth", 1), ("act", "relu")]
    assert type(given["lr"]) is float
    with pytest.raises(InvalidInput, match="lr takes a number with a fraction"):
        FLAT.configuration(GOOD | {"lr": True})
    with pytest.raises(InvalidInput, match="lr takes a number with a fraction"):
        FLAT.configuration(GOOD | {"lr": 10**400})


@pytest.mark.parametrize("name", ["a b", "", "ü.x", "{x}", "validation/loss", "when", "a\nb", "名"])
def test_any_name_but_none_will_do(name: str) -> None:
    if not name:
        with pytest.raises(InvalidInput, match="name: a parameter needs a name"):
            Int(name, 0, 1)
    else:
        space = SearchSpace((Int(name, 0, 1), Constant("child", 1, when={name: 1})))
        back = msgspec.json.decode(msgspec.json.encode(space), type=SearchSpace)
        assert back.configuration({name: 1, "child": 1}) == {name: 1, "child": 1}


# -- forbidden combinations -----------------------------------------------------------------


def test_a_forbidden_combination_may_list_values() -> None:
    space = SearchSpace((MODEL, Int("i", 1, 3)), ({"model": ("tree", "net"), "i": (2, 3)},))
    allowed = [
        (model, i)
        for model, i in itertools.product(MODEL.choices, (1, 2, 3))
        if not space.wrong({"model": model, "i": i})
    ]
    assert allowed == [("tree", 1), ("net", 1), ("none", 1), ("none", 2), ("none", 3)]
    assert faults_of(space, model="net", i=2) == ["the combination model='net', i=2 is forbidden"]


def test_a_combination_with_an_inactive_parameter_is_not_met() -> None:
    space = SearchSpace((MODEL, DEPTH), ({"model": "none"}, {"depth": 1}))
    assert not space.is_forbidden({"model": "net"})
    assert space.is_forbidden({"model": "tree", "depth": 1})
    assert space.is_forbidden({"model": "none"})


def test_a_space_of_which_nothing_is_allowed_is_an_error() -> None:
    none_left = ["forbidden: no configuration is left; allow at least one"]
    assert refused((Int("i", 0, 1),), forbidden=({"i": 0}, {"i": 1})) == none_left
    assert refused((Constant("c", 1), Float("x", 0, 1)), forbidden=({"c": 1},)) == none_left
    assert (
        refused((Int("i", 0, 1), Constant("c", 1, when={"i": 1})), forbidden=({"i": 0}, {"c": 1}))
        == none_left
    )


# -- building and starting values -----------------------------------------------------------


def test_build_asks_for_the_active_parameters_alone_parents_first() -> None:
    asked = []

    def choose(axis: Parameter) -> Value:
        asked.append(axis.name)
        return {"model": "net", "solver": "adam"}[axis.name]

    assert NESTED.build(choose) == {"model": "net", "solver": "adam"}
    assert asked == ["model", "solver"]


def test_the_defaults_are_the_starting_values_of_what_is_active() -> None:
    assert NESTED.defaults() == {"model": "tree", "depth": 2}
    space = SearchSpace((Float("x", 0, 1), ParameterSet("s", ({"a": 1, "b": 2}, {"a": 2, "b": 1}))))
    assert space.defaults() == {"x": 0.5, "a": 1, "b": 2}


def test_forbidden_defaults_move_on_to_an_allowed_configuration() -> None:
    space = SearchSpace((MODEL, Int("i", 0, 2), Float("x", 0, 1)), ({"model": "tree", "i": 1},))
    assert space.defaults() == {"model": "tree", "i": 0, "x": 0.5}
    space = SearchSpace((MODEL, Int("i", 0, 2)), ({"model": "tree"}, {"model": "net", "i": (1, 0)}))
    assert space.defaults() == {"model": "net", "i": 2}
    space = SearchSpace((Float("x", 0, 1), Int("i", 0, 1)), ({"x": 0.5},))
    assert not space.wrong(space.defaults())
    space = SearchSpace((ParameterSet("s", ({"a": 1, "b": 2}, {"a": 2, "b": 1})),), ({"a": 1},))
    assert space.defaults() == {"a": 2, "b": 1}


def test_a_thousand_parameters_are_no_trouble() -> None:
    many = tuple(Int(f"p{number}", 0, 1) for number in range(2000))
    space = SearchSpace(many, ({"p0": 0, "p1999": 0},))
    assert len(space.defaults()) == 2000
    assert not space.wrong(space.defaults())


# -- for any space at all -------------------------------------------------------------------


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    """Small spaces: each parameter may depend on earlier ones, and some combinations are out."""
    parameters: list[Parameter] = []
    values: dict[str, tuple[Value, ...]] = {}
    items: tuple[dict[str, Value], ...]

    def picked(names: int) -> dict[str, tuple[Value, ...]]:
        chosen = draw(st.lists(st.sampled_from(sorted(values)), max_size=names, unique=True))
        return {
            name: tuple(
                draw(st.lists(st.sampled_from(values[name]), min_size=1, unique_by=identity))
            )
            for name in chosen
        }

    for name in "abcd"[: draw(st.integers(1, 4))]:
        when = picked(2) if values else {}
        axis: Parameter
        kind = draw(st.sampled_from(["int", "float", "choice", "set"]))
        if kind == "int":
            axis = Int(name, 0, 2, when=when)
        elif kind == "float":
            axis = Float(name, 0, 0.2, step=0.1, when=when)
        elif kind == "choice":
            axis = Categorical(name, (1, True, 1.0), when=when)
        else:
            items = ({f"{name}1": 1, f"{name}2": "x"}, {f"{name}1": True, f"{name}2": "y"})
            axis = ParameterSet(name, items, when=when)
        parameters.append(axis)
        for member in axis.names:
            alone = axis.member(member)
            values[member] = tuple(alone.at(point) for point in range(alone.size or 0))
    shuffled = tuple(draw(st.permutations(parameters)))
    forbidden = tuple(filter(None, (picked(2) for _ in range(draw(st.integers(0, 2))))))
    try:
        return SearchSpace(shuffled, forbidden)
    except InvalidInput as error:
        if "no configuration is left" not in str(error):
            raise
        free = SearchSpace(shuffled)
        for configuration in configurations(free):
            assert any(
                all(
                    name in configuration and is_one_of(configuration[name], wanted)
                    for name, wanted in clause.items()
                )
                for clause in forbidden
            )
        return free


def configurations(space: SearchSpace) -> list[Configuration]:
    """All configurations, forbidden ones left out, by brute force."""
    choices = [
        [axis.values_at(index) for index in range(axis.size or 0)] for axis in space.parameters
    ]
    found: dict[frozenset[object], Configuration] = {}
    for picked in itertools.product(*choices):
        by_axis = dict(zip((axis.name for axis in space.parameters), picked, strict=True))
        built = space.build(chooser(by_axis))
        if not space.is_forbidden(built):
            found[frozenset((name, identity(value)) for name, value in built.items())] = built
    return list(found.values())


@given(spaces())
def test_what_is_built_and_not_forbidden_is_right_and_the_defaults_are_among_it(
    space: SearchSpace,
) -> None:
    built = configurations(space)
    assert built
    for configuration in built:
        assert space.wrong(configuration) == []
        again = space.configuration(dict(reversed(configuration.items())))
        assert same_values(again, configuration)
        assert list(again) == list(configuration)
    assert any(same_values(space.defaults(), configuration) for configuration in built)


@given(spaces(), st.data())
def test_a_value_left_out_or_one_too_many_is_always_a_fault(
    space: SearchSpace, data: st.DataObject
) -> None:
    configuration = data.draw(st.sampled_from(configurations(space)))
    for name in space.names:
        changed = dict(configuration)
        if name in changed:
            del changed[name]
        else:
            changed[name] = space.by_name[name].at(0)
        assert name in [fault.path for fault in space.wrong(changed)]


@given(spaces())
def test_a_space_comes_back_from_json_and_pickle_the_same(space: SearchSpace) -> None:
    space.wrong(space.defaults())  # so that what it keeps for speed is there too
    for back in (
        msgspec.json.decode(msgspec.json.encode(space), type=SearchSpace),
        pickle.loads(pickle.dumps(space)),
    ):
        assert msgspec.json.encode(back) == msgspec.json.encode(space)
        assert list(map(repr, configurations(back))) == list(map(repr, configurations(space)))
