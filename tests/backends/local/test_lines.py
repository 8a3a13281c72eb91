"""Splitting and parsing the messages of a job."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.backends.local import journal_schema
from hpo_core.backends.local.messages import Malformed, parse_message, parse_report
from hpo_core.backends.supervisor.lines import Lines
from hpo_core.client import ENDLESS, LONGEST


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b""))), st.data())
def test_lines_come_out_whole_however_they_are_cut(lines, data):
    text = b"".join(line + b"\n" for line in lines) + b"rest"
    cutter, out = Lines(), []
    while text:
        size = data.draw(st.integers(1, len(text)))
        out += cutter.feed(text[:size])
        text = text[size:]
    assert out == lines
    assert cutter.pending == 4
    assert cutter.rest() == b"rest"
    assert cutter.pending == 0


@given(
    st.dictionaries(st.text().filter(lambda name: name != "iteration"), st.floats()),
    st.none() | st.integers(0, ENDLESS - 1),
)
def test_any_report_that_python_writes_is_read_back(metrics, iteration):
    said = metrics if iteration is None else {"iteration": iteration, **metrics}
    read_iteration, read = parse_report(json.dumps(said).encode())
    assert read_iteration == iteration
    assert read.keys() == metrics.keys()
    assert all(
        read[name] == value or (math.isnan(value) and math.isnan(read[name]))
        for name, value in metrics.items()
    )


def test_null_is_a_metric_that_is_not_a_number():
    assert math.isnan(parse_report(b'{"loss": null}')[1]["loss"])


def test_numbers_beyond_a_float_are_infinite():
    _, metrics = parse_report(b'{"a": 1e400, "b": -' + b"9" * 400 + b"}")
    assert metrics == {"a": math.inf, "b": -math.inf}


def test_metrics_are_floats_and_the_iteration_is_whole():
    iteration, metrics = parse_report(b'{"iteration": 3.0, "loss": 1}')
    assert (type(iteration), type(metrics["loss"])) == (int, float)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"loss 0.4", "it is not JSON; write one object to a line"),
        (b'{"loss": 0.4', "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[0.4]", "a report is a JSON object of metrics by name"),
        (b"0.4", "a report is a JSON object"),
        (b'{"loss": "0.4"}', "a metric must be a number, and 'loss' is a text"),
        (b'{"loss": true}', "a metric must be a number, and 'loss' is true or false"),
        (b'{"loss": [1]}', "a metric must be a number, and 'loss' is a list"),
        (b'{"loss": {"a": 1}}', "a metric must be a number, and 'loss' is an object"),
        (b'{"iteration": -1}', "the iteration must be an integer, 0 or more"),
        (b'{"iteration": 1.5}', "the iteration must be an integer"),
        (b'{"iteration": "3"}', "the iteration must be an integer"),
        (b'{"iteration": true}', "the iteration must be an integer"),
        (b'{"iteration": null}', "the iteration must be an integer"),
        (b'{"iteration": NaN}', "the iteration must be an integer"),
        (b'{"iteration": Infinity}', "the iteration must be an integer"),
        (b'{"iteration": 9007199254740992}', "the iteration must be an integer"),
        (b'{"iteration": 1' + b"0" * 30 + b"}", "0 or more, and below 2^53"),
        (b'{"\\ud800": 1}', "half a character (a lone surrogate)"),
        (b" " * (LONGEST + 1), "it is longer than 1,048,576 bytes"),
    ],
)
def test_a_malformed_line_is_named_and_explained(line, why):
    with pytest.raises(Malformed) as caught:
        parse_report(line)
    assert str(caught.value).startswith("malformed report line '")
    assert why in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"\xff\xfe", "a job must not write to its worker's connection itself"),
        (b"[" * 100_000, "a job must not write"),
        (b"17", "a job must not write"),
        (b'{"loss": 1}', "a job must not write"),
        (b'["no such kind"]', "a job must not write"),
        (b'["finished", "no such outcome", "", null]', "a job must not write"),
        (b'["report", -1, {}]', "a job must not write"),
        (b'["report", 1.5, {}]', "a job must not write"),
        (b'["report", 1' + b"0" * 30 + b", {}]", "a job must not write"),
        (b'["report", 1, {"loss": "low"}]', "a job must not write"),
        (b'["report", 1, {"loss": 1' + b"0" * 5000 + b"}]", "a job must not write"),
        (b'["report", 1, {"\\ud800": 1}]', "half a character (a lone surrogate)"),
        (b'["finished", "failed", "\\ud800", null]', "half a character (a lone surrogate)"),
        (b" " * (LONGEST + 1), "it is longer than 1,048,576 bytes"),
    ],
)
def test_invalid_message_of_a_worker_is_explained(line, why):
    with pytest.raises(Malformed) as caught:
        parse_message(line)
    assert why in str(caught.value)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_a_report_or_malformed(line):
    for parse in (parse_report, parse_message):
        try:
            parsed = parse(line)
        except Malformed as error:
            parsed = str(error).encode()  # the message can be encoded
        assert parsed


@pytest.mark.parametrize(
    "line",
    [
        ["supervisor", 17, "/tmp/hpo-x/supervisor"],
        ["job", "7.1", 17, 120, 3, 1.5, [1, ["0"], 0.5, [2, 3]]],
        ["data", "7.1", 1.5, "\xff\x00\n"],
        ["ended", "7.1", 9.5, 2.5, -9, ""],
        ["ended", "7.1", 9.5, 2.5, None, "time_limit"],
    ],
)
def test_a_line_of_a_journal_comes_out_as_it_was_written(line):
    entry = journal_schema.read(json.dumps(line).encode())
    assert journal_schema.as_message(entry) == line


def test_a_journal_of_an_earlier_version_says_nothing_of_places():
    entry = journal_schema.read(b'["job", "7.1", 17, 120, 3, 1.5]')
    assert journal_schema.as_message(entry) == ["job", "7.1", 17, 120, 3, 1.5, None]


@pytest.mark.parametrize(
    "line",
    [
        b"\xff",
        b"7",
        b"[]",
        b"[" * 100_000,
        b'["supervisor", 1, "/tmp/x"]',
        b'["supervisor", 0, "/tmp/x"]',
        b'["supervisor", -1, "/tmp/x"]',
        b'["supervisor", 17, 4]',
        b'["job", "7.1", -1, 0, 3, 1.5]',
        b'["job", "7.1", 17, -3, 3, 1.5]',
        b'["job", 7, 17, 3, 3, 1.5]',
        b'["data", "7.1", 1.5, "\\u20ac"]',
        b'["data", "7.1", "now", "x"]',
        b'["ended", "7.1", 9.5, -1, 0, ""]',
        b'["ended", "7.1", 9.5, 1, "0", ""]',
        b'["ended", "7.1", 9.5, 1, 0, "no such"]',
        b'["no such", "7.1"]',
    ],
)
def test_any_other_line_of_a_journal_is_refused(line):
    with pytest.raises(ValueError):  # noqa: PT011  # of several kinds
        journal_schema.read(line)
