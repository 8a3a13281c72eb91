"""Templates: placeholders are filled in, and never looked into; the arguments of a command."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.model.templates import Command, template, wrong
from hpo_core.model.values import Value


def rendered(text: str, **values: Value) -> str:
    return template(text).render(values)


def test_placeholders_are_filled_in_with_their_formats() -> None:
    assert rendered("{name}-{lr:.3g}-{depth:03d}", name="a", lr=0.012345, depth=7) == "a-0.0123-007"
    assert rendered("{lr} {flag} {none}", lr=1e-05, flag=True, none=None) == "1e-05 true null"


def test_an_inactive_parameter_is_a_dash_in_a_name() -> None:
    assert rendered("{name}-{depth:03d}", name="a") == "a--"


def test_a_format_for_numbers_leaves_a_text_as_it_is() -> None:
    assert rendered("{x:.3g}", x="relu") == "relu"
    assert rendered("{x:.3g}", x=None) == "null"


def test_doubled_braces_are_braces() -> None:
    assert rendered('{{"lr": {lr}}}', lr=0.5) == '{"lr": 0.5}'


@given(st.text())
def test_what_a_value_holds_is_never_read_as_a_placeholder(value: str) -> None:
    assert rendered("<{x}>", x=value, lr=1) == f"<{value}>"


@pytest.mark.parametrize(
    "text", ["{lr.__class__}", "{lr.real}", "{0[x]}", "{lr[0]}", "{0}", "{lr.__init__.__globals__}"]
)
def test_nothing_is_looked_up_in_a_placeholder(text: str) -> None:
    (fault,) = wrong(text, ["lr"], "job_name")
    assert str(fault).startswith(f"job_name: there is no {text[1:-1]!r} to fill in")
    assert rendered(text, lr=0.5) == "-"


def test_a_parameter_s_name_may_hold_dots_and_brackets() -> None:
    assert wrong("{model.depth} {a[0]}", ["model.depth", "a[0]"], "") == []
    assert template("{model.depth} {a[0]}").render({"model.depth": 3, "a[0]": 1}) == "3 1"


@pytest.mark.parametrize("text", ["{", "}", "{lr", "lr}", "{lr!r}", "{}", "{:.3g}", "{lr!}", "{{}"])
def test_braces_out_of_order_are_one_sentence_with_the_text(text: str) -> None:
    (fault,) = wrong(text, ["lr"], "job.command[2]")
    assert fault.path == "job.command[2]"
    assert repr(text) in fault.message
    assert "for a brace" in fault.message


@pytest.mark.parametrize("spec", ["{width}", "zz", ".3q", "3.3.3"])
def test_a_format_that_fits_no_kind_of_value_is_an_error(spec: str) -> None:
    with pytest.raises(ValueError, match="there is no format"):
        template(f"{{lr:{spec}}}")


def test_every_unknown_placeholder_is_named_with_the_nearest_known_one() -> None:
    assert list(map(str, wrong("{deth} {lr} {x}", ["lr", "depth"], "job_name"))) == [
        "job_name: there is no 'deth' to fill in; did you mean 'depth'?",
        "job_name: there is no 'x' to fill in",
    ]


# -- commands -------------------------------------------------------------------------------


def test_an_argument_stays_one_argument_whatever_the_value_holds() -> None:
    command = Command(["echo", "--text", "{text}", "--pair={a}-{b}"])
    assert command.render({"text": "a b; rm -rf / $HOME '\"\n", "a": 1, "b": 2.0}) == [
        "echo", "--text", "a b; rm -rf / $HOME '\"\n", "--pair=1-2.0",
    ]  # fmt: skip


def test_an_empty_value_is_an_empty_argument() -> None:
    assert Command(["t", "--text", "{text}"]).render({"text": ""}) == ["t", "--text", ""]


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["t", "--depth", "{depth}", "x"], ["t", "x"]),
        (["t", "-d", "{depth}", "x"], ["t", "x"]),
        (["t", "--depth={depth}", "x"], ["t", "x"]),
        (["t", "--verbose", "--depth={depth}"], ["t"]),
        (["t", "{depth}", "x"], ["t", "x"]),
        (["t", "--lr", "{lr}", "{depth}"], ["t", "--lr", "0.5"]),
        (["t", "--both", "{lr}-{depth}"], ["t"]),
        (["t", "--a=b", "{depth}"], ["t", "--a=b"]),
        (["t", "--{lr}", "{depth}"], ["t", "--0.5"]),
        (["t", "-", "{depth}"], ["t", "-"]),
        (["t", "--", "{depth}"], ["t", "--"]),
        (["t", "-1", "{depth}"], ["t", "-1"]),
        (["t", "--depth", "{depth}", "{depth}"], ["t"]),
        (["t", "-x", "--depth", "{depth}", "{depth}"], ["t", "-x"]),
    ],
)
def test_an_inactive_parameter_s_argument_is_left_out_with_its_option(
    arguments: list[str], left: list[str]
) -> None:
    assert Command(arguments).render({"lr": 0.5}) == left


def test_a_command_is_rendered_again_and_again() -> None:
    command = Command(["t", "--depth", "{depth}"])
    assert command.render({}) == ["t"]
    assert command.render({"depth": 1}) == ["t", "--depth", "1"]
    assert command.render({}) == ["t"]
