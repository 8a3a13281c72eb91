from __future__ import annotations

from hpo_core.model.runnable import unrunnable
from hpo_core.plugin import Categorical, Constant, Fault, Float, Int, ParameterSet, SearchSpace


def faults(*parameters: object, forbidden: object = ()) -> list[str]:
    return [fault.path for fault in unrunnable(SearchSpace(parameters, forbidden))]


def test_nothing_may_hang_on_one_point_of_a_continuous_range() -> None:
    whole = Float("a", 0, 1)
    later = Int("b", 1, 3, when={"a": 0.25})
    assert faults(whole, later, forbidden=[{"a": [0.5, 0.75]}]) == [
        "parameters.b.when.a",
        "forbidden[0].a",
    ]


def test_a_step_or_a_range_of_one_point_makes_it_possible() -> None:
    later = Int("b", 1, 3, when={"a": 0.5})
    assert faults(Float("a", 0, 1, step=0.25), later) == []
    assert faults(Float("a", 0.5, 0.5), later) == []


def test_no_text_holds_the_character_nul() -> None:
    nul = "nul\0"
    assert faults(
        Categorical("a", ("x", nul)),
        Constant("b", nul),
        ParameterSet("c", ({"d": 1, "e": nul},)),
    ) == ["parameters.a.choices[1]", "parameters.b.value", "parameters.c.combinations[0].e"]


def test_the_message_names_the_remedy() -> None:
    (fault,) = unrunnable(SearchSpace((Float("a", 0, 1),), ({"a": 0.5},)))
    assert isinstance(fault, Fault)
    assert "give a a step, or make it a categorical" in fault.message
