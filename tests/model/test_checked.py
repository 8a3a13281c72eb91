"""Checked structs, and `read`: all faults of plain data at once, each with its path."""

import enum
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import msgspec
import numpy as np
import pytest

from hpo_core import Categorical, InvalidInput, SearchSpace
from hpo_core.model.checked import Checked, read, read_value
from hpo_core.plugin import Fault


class Point(Checked, frozen=True):
    x: float
    y: float = 0.0

    def faults(self) -> list[Fault]:
        return [Fault("x", "must not be above y")] if self.x > self.y else []


class Circle(Checked, frozen=True, tag_field="shape", tag="circle"):
    radius: int


class Square(Checked, frozen=True, tag_field="shape", tag="square"):
    side: int


class Drawing(Checked, frozen=True):
    title: str
    shapes: tuple[Circle | Square, ...] = ()
    origin: Point | None = None
    border: str | Point = "thin"
    colours: tuple[str, ...] = ()
    notes: Mapping[str, tuple[Point, ...]] = {}
    mode: Literal["fill", "line"] | None = None


class Fit(enum.Enum):
    FULL = "full"
    HALF = "half"


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As a plugin's author writes them: not of our base class, with bounds of msgspec's."""

    points: Annotated[int, msgspec.Meta(ge=1)] = 5
    ratio: Annotated[float, msgspec.Meta(gt=0)] | None = None
    fit: Fit = Fit.FULL
    seeds: list[int] = []

    def __post_init__(self) -> None:
        if self.points == 13:
            raise ValueError("13 points bring no luck")


def said(cls: type, data: object) -> list[str]:
    value, faults = read(cls, data, "drawing")
    assert (value is None) == bool(faults)
    return list(map(str, faults))


# -- made in Python -------------------------------------------------------------------------


def test_values_are_taken_as_their_field_s_type() -> None:
    point = Point(-1, 1)
    assert [type(point.x), type(point.y)] == [float, float]
    assert Drawing("a", colours=["red"]).colours == ("red",)  # type: ignore[arg-type]  # a list


def test_every_field_of_a_wrong_type_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        Point("a", None)  # type: ignore[arg-type]  # what is tested
    assert str(caught.value) == "x: expected a number, got 'a'\ny: expected a number, got None"


def test_ranges_are_checked_once_the_types_are_right() -> None:
    with pytest.raises(InvalidInput, match=r"^x: must not be above y$"):
        Point(2, 1)
    with pytest.raises(InvalidInput, match=r"^y: expected a number, got '1'$"):
        Point(2, "1")  # type: ignore[arg-type]  # what is tested


def test_a_text_of_another_class_is_refused_wherever_it_stands() -> None:
    text = np.str_("b")
    makers: list[Callable[[], object]] = [
        lambda: Drawing(text),
        lambda: Drawing("a", colours=(text,)),
        lambda: Drawing("a", notes={text: ()}),
    ]
    for make in makers:
        with pytest.raises(InvalidInput, match=r"got np.str_\('b'\); give it as plain Python"):
            make()


def test_a_struct_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Point(0, 1).x = 5  # type: ignore[misc]  # what is tested


# -- read from plain data -------------------------------------------------------------------


def test_nested_tables_lists_and_either_of_two_are_read() -> None:
    data = {
        "title": "a",
        "shapes": [{"shape": "circle", "radius": 1}, {"shape": "square", "side": 2}],
        "origin": {"x": 0, "y": 1},
        "border": {"x": 0},
        "notes": {"first": [{"x": 0}]},
        "mode": "fill",
    }
    value, faults = read(Drawing, data)
    assert faults == []
    assert value == Drawing(
        "a",
        (Circle(1), Square(2)),
        Point(0, 1),
        Point(0),
        notes={"first": (Point(0),)},
        mode="fill",
    )
    assert read(Drawing, {"title": "a", "origin": None, "border": "none"})[1] == []


def test_all_faults_are_named_at_once_each_at_its_place() -> None:
    assert said(
        Drawing,
        {
            "titel": "a",
            "shapes": [
                {"shape": "circel", "radius": 1},
                {"radius": 1},
                {"shape": ["circle"]},
                {"shape": "square", "sied": 2},
                7,
            ],
            "origin": {"x": 3, "y": 1},
            "border": {"x": "1"},
            "colours": ["red", 3],
            "notes": {"first": [{"x": 0}, {"x": None}], "second": 3},
            "mode": "filled",
        },
    ) == [
        "drawing.titel: unknown key; did you mean 'title'?",
        "drawing.title: missing; give text",
        "drawing.shapes[0].shape: 'circel' is not one of circle, square; did you mean 'circle'?",
        "drawing.shapes[1].shape: missing; give one of circle, square",
        "drawing.shapes[2].shape: ['circle'] is not one of circle, square",
        "drawing.shapes[3].sied: unknown key; did you mean 'side'?",
        "drawing.shapes[3].side: missing; give an integer",
        "drawing.shapes[4]: expected a table, got 7",
        "drawing.origin.x: must not be above y",
        "drawing.border.x: expected a number, got '1'",
        "drawing.colours[1]: expected text, got 3",
        "drawing.notes.first[1].x: expected a number, got None",
        "drawing.notes.second: expected a list, got 3",
        "drawing.mode: expected 'fill' or 'line', got 'filled'; did you mean 'fill'?",
    ]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ([], "drawing: expected a table, got []"),
        ({"title": 1}, "drawing.title: expected text, got 1"),
        ({"title": "a", "origin": 3}, "drawing.origin: expected a table, got 3"),
        ({"title": "a", "border": 3}, "drawing.border: expected text or a table, got 3"),
        ({"title": "a", "shapes": {}}, "drawing.shapes: expected a list, got {}"),
        (
            {"title": "a", 3: 4},
            "drawing.3: unknown key; known: title, shapes, origin, border, colours, notes, mode",
        ),
    ],
)
def test_a_fault_says_what_was_expected_there(data: object, fault: str) -> None:
    assert said(Drawing, data) == [fault]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ({"points": 0}, "drawing.points: expected int >= 1, got 0"),
        ({"points": "3"}, "drawing.points: expected an integer, got '3'"),
        ({"points": True}, "drawing.points: expected an integer, got True"),
        ({"ratio": 0.0}, "drawing.ratio: expected float > 0.0, got 0.0"),
        ({"fit": "ful"}, "drawing.fit: expected 'full' or 'half', got 'ful'"),
        ({"seeds": [1, 2.5]}, "drawing.seeds[1]: expected an integer, got 2.5"),
        ({"points": 13}, "drawing: 13 points bring no luck"),
    ],
)
def test_structs_of_a_plugin_s_own_are_read_in_the_same_words(data: object, fault: str) -> None:
    assert read(Options, {})[0] == Options()
    assert said(Options, data) == [fault]


def test_a_struct_without_fields_takes_no_keys() -> None:
    class Nothing(msgspec.Struct, forbid_unknown_fields=True):
        pass

    assert said(Nothing, {"a": 1}) == ["drawing.a: unknown key; this takes no keys"]


NAMES = frozenset({"adam", "sgd"})


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda: Categorical("x", NAMES), "choices"),
        (lambda: Categorical("x", ("a",), when={"y": set(NAMES)}), "when.y"),
        (lambda: SearchSpace((Categorical("x", ("a",)),), [{"x": {"a"}}]), "forbidden[0].x"),
    ],
)
def test_a_set_is_refused_where_several_values_are_expected(make, path) -> None:
    with pytest.raises(InvalidInput) as caught:
        make()
    (fault,) = caught.value.faults
    assert fault.path == path
    assert fault.message.startswith("a set has no order")


def test_a_set_is_taken_where_a_set_is_expected() -> None:
    assert read_value(frozenset[str], {"a"}, "x") == ({"a"}, [])
