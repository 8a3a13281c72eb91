"""Reports from a file with the metrics of a job, while it grows or is written again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hpo_core.plugin import ReadReport
from hpo_core.readers.columns import Columns
from hpo_core.readers.file import FileReader

Make = Callable[..., FileReader]


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a reader of a file of the working directory."""
    monkeypatch.chdir(tmp_path)

    def make(
        name: str,
        iteration: str | None = "epoch",
        recorded: int | None = None,
        **metrics: str,
    ) -> FileReader:
        columns = Columns(metrics, ["loss"], iteration)
        return FileReader(name, columns, memo=f"{name}.before", recorded=recorded)

    return make


def add(name: str, text: str) -> None:
    with open(name, "a") as file:
        file.write(text)


def losses(reports: Sequence[ReadReport]) -> list[tuple[int | None, float]]:
    return [(report.iteration, report.metrics["loss"]) for report in reports]


# -- forms ----------------------------------------------------------------------------------

ROWS = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.csv", "epoch,loss\n1,0.5\n2,0.25\n"),
        ("m.csv", "﻿epoch ; loss\r\n1;0.5\r\n2;0.25\r\n"),
        ("m.tsv", "# epoch\tloss\n\n1\t0.5\n2\t0.25\n"),
        ("m.csv", 'note,loss,epoch\n"a, b",0.5,1\n"c",0.25,2'),
        ("log.txt", "epoch,loss\n1,0.5\n2,0.25\n"),
        ("m.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS)),
        ("log.txt", "".join(json.dumps(row) + "\n" for row in ROWS)),
        ("m.json", "".join(json.dumps(row) + "\n" for row in ROWS)),
        ("m.json", json.dumps(ROWS)),
        ("m.json", json.dumps(ROWS, indent=2)),
        ("m.json", json.dumps({"epoch": [1, 2], "loss": [0.5, 0.25]}, indent=1)),
    ],
)
def test_its_form_is_found(reader: Make, name: str, text: str) -> None:
    made = reader(name)
    Path(name).write_bytes(text.encode())
    assert losses([*made.read(), *made.finish()]) == [(1, 0.5), (2, 0.25)]
    assert made.missing() == ""


def test_metrics_have_names_of_their_own_and_columns_may_lie_deep(reader: Make) -> None:
    made = reader("state.json", "log.step", loss="log.eval.loss")
    log = [{"step": 5}, {"step": 9, "eval": {"loss": 2.0}}, {"step": 9, "train": 1}]
    Path("state.json").write_text(json.dumps({"log": log, "best": None}, indent=1))
    assert made.read() == [(9, {"loss": 2.0})]


def test_all_columns_of_numbers_are_metrics_if_none_is_named(reader: Make) -> None:
    made = reader("m.csv")
    add("m.csv", "epoch,loss,accuracy,note\n1,0.5,0.9,fine\n")
    assert made.read() == [(1, {"loss": 0.5, "accuracy": 0.9})]


def test_empty_cells_are_no_metrics(reader: Make) -> None:
    made = reader("m.csv")
    add("m.csv", "epoch,train,loss\n1,0.7,\n1,,0.5\n2,,\n2,,nan\n")
    assert [str(report.metrics) for report in made.read()] == [
        "{'train': 0.7}", "{'loss': 0.5}", "{'loss': nan}",
    ]  # fmt: skip


# -- followed -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl"])
def test_rows_are_read_once_and_half_a_row_is_left(reader: Make, name: str) -> None:
    made = reader(name)
    rows = ["1,0.5\n", "2,0.2", "5\n3,0.1"] if name == "m.csv" else [
        '{"epoch": 1, "loss": 0.5}\n', '{"epoch": 2, ', '"loss": 0.25}\n{"epoch": 3, "loss": 0.1}',
    ]  # fmt: skip
    assert made.read() == []
    add(name, "epoch,loss\n" if name == "m.csv" else "")
    found = []
    for row in rows:
        add(name, row)
        found.append(losses(made.read()))
    assert [*found, losses(made.finish())] == [[(1, 0.5)], [], [(2, 0.25)], [(3, 0.1)]]


def test_rewritten_csv_file_with_another_column_is_read_on(reader: Make) -> None:
    made = reader("m.csv", loss="loss")
    add("m.csv", "epoch,loss\n1,0.5\n2,0.25\n")
    assert len(made.read()) == 2
    Path("m.csv").write_text("epoch,loss,test\n1,0.5,\n2,0.25,\n3,0.1,\n")
    assert losses(made.read()) == [(3, 0.1)]


def test_a_document_that_is_written_again_is_a_report_each_time(reader: Make) -> None:
    made = reader("m.json")
    found = []
    for epoch in (1, 2, 2):
        Path("m.json").write_text(json.dumps({"epoch": epoch, "loss": 1 / epoch}))
        found += made.read()
    Path("m.json").write_text('{"epoch": 3, "lo')
    assert losses([*found, *made.read()]) == [(1, 1.0), (2, 0.5)]
    Path("m.json").write_text('{"epoch": 3, "loss": 0}')
    assert losses(made.finish()) == [(3, 0.0)]


def test_a_list_in_a_document_grows(reader: Make) -> None:
    made = reader("m.json")
    for rows in (ROWS[:1], ROWS):
        Path("other").write_text(json.dumps(rows))
        os.replace("other", "m.json")
        assert losses(made.read()) == [(rows[-1]["epoch"], rows[-1]["loss"])]


# -- what was there before --------------------------------------------------------------------


@pytest.mark.parametrize("is_adopted", [False, True])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("epoch,loss\n1,9\n2,8\n", "epoch,loss\n1,9\n2,8\n3,7\n"),  # it goes on
        ("epoch,loss\n1,9\n2,8\n", "epoch,loss\n3,7\n"),  # it begins again
        ("epoch,loss\n3,7\n", "epoch,loss\n3,7\n"),  # it writes the same again
        ("rubbish \0\n", "epoch,loss\n3,7\n"),
    ],
)
def test_what_an_earlier_job_has_written_is_not_this_one_s(
    reader: Make, before: str, after: str, is_adopted: bool
) -> None:
    Path("m.csv").write_text(before)
    os.utime("m.csv", (1, 1))
    made = reader("m.csv")
    assert made.read() == []
    with open("m.csv", "w") as file:
        file.write(after)
    if is_adopted:
        made = reader("m.csv", recorded=0)
    assert losses([*made.read(), *made.finish()]) == [(3, 7.0)]
    assert os.listdir() == ["m.csv"]


def test_a_file_that_only_an_earlier_job_has_written_is_missing(reader: Make) -> None:
    Path("m.csv").write_text("epoch,loss\n1,9\n")
    made = reader("m.csv")
    assert [*made.read(), *made.finish()] == []
    assert "the file m.csv was never written" in made.missing()


def test_a_document_without_a_history_is_not_lost_when_a_job_is_taken_over(reader: Make) -> None:
    Path("m.json").write_text('{"epoch": 7, "loss": 3}')
    found = reader("m.json", recorded=4).read()
    assert losses(found[4:]) == [(7, 3.0)]


# -- faults ---------------------------------------------------------------------------------


def test_a_column_that_is_not_there_names_those_that_are(reader: Make) -> None:
    made = reader("m.csv", loss="val_los")
    add("m.csv", "epoch,val_loss\n1,0.5\n")
    assert [*made.read(), *made.finish()] == []
    assert made.missing() == (
        "job.metrics.loss: the file m.csv has no values in a column 'val_los'; it has epoch, "
        "val_loss; did you mean 'val_loss'?"
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("m.csv", "epoch,loss\n1,high\n", "the column 'loss' holds 'high', which is not a number"),
        ("m.csv", "epoch,loss\n1.5,1\n", "job.iteration: the column 'epoch' holds 1.5"),
        ("m.jsonl", '{"loss": 1\n', "is no JSON"),
        ("m.jsonl", "[1]\n", "is no JSON object"),
        ("m.json", '{"loss": [1, true]}', "which is not a number"),
    ],
)
def test_what_is_not_a_metric_is_an_error(reader: Make, name: str, text: str, said: str) -> None:
    made: Any = reader(name)
    add(name, text)
    with pytest.raises(ValueError, match=said):
        [*made.read(), *made.finish()]
