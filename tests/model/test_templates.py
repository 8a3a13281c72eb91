"""Templates: placeholders are replaced but never evaluated; the arguments of a command."""

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.model.templates import Command, Known, Variables, misfits, template, wrong
from hpo_core.plugin import Value

KNOWN: Known = {"lr": (0.5,), "depth": (1,), "tied": (True, False), "act": ("relu", "tanh")}


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
    (fault,) = wrong(text, KNOWN, "job_name")
    assert str(fault).startswith(f"job_name: there is no {text[1:-1]!r} to fill in")
    assert rendered(text, lr=0.5) == "-"


def test_a_parameter_s_name_may_hold_dots_and_brackets() -> None:
    assert wrong("{model.depth} {a[0]}", {"model.depth": (1,), "a[0]": (1,)}, "") == []
    assert template("{model.depth} {a[0]}").render({"model.depth": 3, "a[0]": 1}) == "3 1"


@pytest.mark.parametrize(
    "text", ["{", "}", "{lr", "lr}", "{lr!r}", "{}", "{:.3g}", "{lr!}", "{{}", '{"what?": 1}']
)
def test_braces_out_of_order_are_one_sentence_with_the_text(text: str) -> None:
    (fault,) = wrong(text, KNOWN, "job.command[2]")
    assert fault.path == "job.command[2]"
    assert repr(text) in fault.message
    assert "for a literal brace" in fault.message


@pytest.mark.parametrize("spec", ["zz", ".3q", "3.3.3"])
def test_a_format_that_fits_no_kind_of_value_is_an_error(spec: str) -> None:
    with pytest.raises(ValueError, match="there is no format"):
        template(f"{{lr:{spec}}}")


@pytest.mark.parametrize("text", ["{lr:99999999999}", "{lr:1000}", "{lr:.4000f}", "{lr:0>9999}"])
def test_a_format_is_at_most_999_wide(text: str) -> None:
    (fault,) = wrong(text, KNOWN, "job_name")
    assert "too wide; the maximum is 999" in fault.message
    assert wrong("{lr:999}{lr:.999f}{lr:0999}", KNOWN, "job_name") == []


def test_a_format_for_none_of_the_values_is_found_and_one_for_some_is_not() -> None:
    mixed: Known = {**KNOWN, "mixed": ("auto", 0.5), "unread": ()}
    assert misfits("{lr:.3g}{depth:03d}{depth:.2f}{tied:d}{act:>9}{mixed:.2f}", mixed, "") == []
    assert misfits("{lr}{act}{unread:d}{gone:d}", mixed, "") == []
    faults = misfits("{lr:d}-{act:.3g}", KNOWN, "job_name")
    assert list(map(str, faults)) == [
        "job_name: the format 'd' applies to no value of lr and would be ignored; write {lr}, "
        "or {lr:.3g} for three digits",
        "job_name: the format '.3g' applies to no value of act and would be ignored; write {act}",
    ]


def test_every_unknown_placeholder_is_named_with_the_nearest_known_one() -> None:
    assert list(map(str, wrong("{deth} {lr} {x}", KNOWN, "job_name"))) == [
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


# -- numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-5.6e-05, "-0.000056"),
        (1e-05, "0.00001"),
        (1e16, "10000000000000000.0"),
        (1.5e300, "15" + "0" * 299 + ".0"),
        (0.1, "0.1"),
        (2.0, "2.0"),
        (-0.0, "-0.0"),
        (10**20, "1" + "0" * 20),
        ("1e-05", "1e-05"),
    ],
)
def test_an_argument_has_plain_decimals(value: Value, text: str) -> None:
    assert Command(["{x}"]).render({"x": value}) == [text]
    assert Variables({"X": "{x}"}).render({"x": value}) == {"X": text}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_an_argument_gives_back_the_same_float_and_is_taken_by_argparse(value: float) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shift", type=float)
    (argument,) = Command(["{x}"]).render({"x": value})
    assert repr(parser.parse_args(["--shift", argument]).shift) == repr(value)
    assert "e" not in argument
    assert "." in argument


def test_a_format_of_one_s_own_stays_as_it_is() -> None:
    assert Command(["{x:.1e}", "{x:g}"]).render({"x": -5.6e-05}) == ["-5.6e-05", "-5.6e-05"]


# -- flags ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "value", "left"),
    [
        ("{tied?--tied:--no-tied}", True, ["--tied"]),
        ("{tied?--tied:--no-tied}", False, ["--no-tied"]),
        ("{tied?--tied:--no-tied}", None, []),
        ("{tied?--tied:}", False, []),
        ("{tied?--tied}", True, ["--tied"]),
        ("{tied?--tied}", False, []),
        ("{tied?:--untied}", True, []),
        ("--tied={tied?yes:no}", True, ["--tied=yes"]),
        ("--tied={tied?yes:no}", None, []),
        ("--tied={tied?yes:}", False, ["--tied="]),
        ("{tied?a b!r[0]:c:d?e}", True, ["a b!r[0]"]),
        ("{tied?a b!r[0]:c:d?e}", False, ["c:d?e"]),
        ("{{{tied?a:b}}}", True, ["{a}"]),
    ],
)
def test_a_flag_is_one_of_two_texts_and_an_empty_one_drops_its_argument_alone(
    argument: str, value: bool | None, left: list[str]
) -> None:
    values: dict[str, Value] = {} if value is None else {"tied": value}
    assert wrong(argument, KNOWN, "") == []
    assert Command(["t", "--verbose", argument, "x"]).render(values) == [
        "t", "--verbose", *left, "x",
    ]  # fmt: skip


def test_the_exact_name_of_a_parameter_comes_before_a_flag() -> None:
    known: Known = {"tied": (True, False), "tied?--tied": (0.5,)}
    assert wrong("{tied?--tied:.3f}", known, "") == []
    command = Command(["{tied?--tied:.3f}", "{tied?a:b}"])
    assert command.render({"tied": True, "tied?--tied": 0.5}) == ["0.500", "a"]
    assert Command(["--x", "{tied?--tied}"]).render({"tied?--tied": ""}) == ["--x", ""]


def test_a_flag_needs_a_boolean_parameter() -> None:
    known: Known = {**KNOWN, "three": (True, False, None), "unread": ()}
    assert wrong("{unread?a:b}", known, "") == []
    for name in ("lr", "depth", "act", "three"):
        (fault,) = wrong(f"{{{name}?a:b}}", known, "job.command[0]")
        assert f"{name} is not always true or false" in fault.message
    (fault,) = wrong("{teid?a:b}", known, "")
    assert fault.message == "there is no 'teid' to fill in; did you mean 'tied'?"


# -- variables ------------------------------------------------------------------------------


def test_variables_are_filled_in_and_an_inactive_parameter_leaves_its_own_unset() -> None:
    variables = Variables({"LR": "{lr}", "D": "d{depth}", "J": '{{"a": {lr}}}', "T": "{tied?1:}"})
    assert variables.render({"lr": 1e-7, "depth": 3, "tied": True}) == {
        "LR": "0.0000001", "D": "d3", "J": '{"a": 0.0000001}', "T": "1",
    }  # fmt: skip
    assert variables.render({"lr": 0.5, "tied": False}) == {
        "LR": "0.5", "D": None, "J": '{"a": 0.5}', "T": None,
    }  # fmt: skip


def test_a_variable_may_be_empty() -> None:
    assert Variables({"A": "", "B": "{x}"}).render({"x": ""}) == {"A": "", "B": ""}
