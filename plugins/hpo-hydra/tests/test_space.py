"""Sweep overrides of Hydra as parameters."""

from __future__ import annotations

import pytest
from hpo_hydra.space import SweepSpace, read_sweep
from hydra.core.override_parser.overrides_parser import OverridesParser

from hpo_core import Categorical, Constant, Float, Int, InvalidInput


def space(*overrides: str) -> SweepSpace:
    return read_sweep(OverridesParser.create().parse_overrides(list(overrides)))


@pytest.mark.parametrize(
    ("override", "parameter"),
    [
        ("lr=interval(0.001,1)", Float("lr", 0.001, 1.0)),
        ("lr=tag(log,interval(0.001,1))", Float("lr", 0.001, 1.0, log=True)),
        ("lr=int(interval(1,9))", Int("lr", 1, 9)),
        ("lr=tag(log,int(interval(1,9)))", Int("lr", 1, 9, log=True)),
        ("lr=range(1,5)", Int("lr", 1, 4)),
        ("lr=range(10,1,-3)", Int("lr", 4, 10, step=3)),
        ("lr=range(0,1,0.25)", Float("lr", 0.0, 0.75, step=0.25)),
        ("lr=range(1,2)", Constant("lr", 1)),
        ("lr=1,2", Categorical("lr", (1, 2))),
        ("lr=choice(a,'b c',1.5,true)", Categorical("lr", ("a", "b c", 1.5, True))),
        ("lr=choice([1,2],{k: v})", Categorical("lr", ("[1,2]", "{k:v}"))),
        ("+a.lr=interval(0,1)", Float("a.lr", 0.0, 1.0)),
        ("db@a=mysql,sqlite", Categorical("db@a", ("mysql", "sqlite"))),
    ],
)
def test_a_sweep_becomes_a_parameter(override: str, parameter: object) -> None:
    assert space(override).parameters == [parameter]


def test_configurations_become_overrides_again() -> None:
    read = space(
        "+lr=interval(0,1)", "n=choice(1,'1',[1,2])", "fixed=3", "~gone", "lr=interval(0,2)"
    )
    assert read.overrides({"lr": 0.5, "n": 1}) == ["fixed=3", "~gone", "lr=0.5", "n=1"]
    assert read.overrides({"lr": 1e-7, "n": "1"})[2:] == ["lr=1e-07", "n='1'"]
    assert read.overrides({"lr": 1.0, "n": "[1,2]"})[3] == "n=[1,2]"


def test_other_tags_become_labels_of_the_study() -> None:
    assert space("lr=tag(log,main,interval(0.1,1))").tags == ["lr:main"]


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        space("a=tag(log,interval(-1,1))", "b=tag(log,choice(1,2))", "c=interval(3,1)")
    assert [fault.path for fault in caught.value.faults] == ["a", "b", "c"]
