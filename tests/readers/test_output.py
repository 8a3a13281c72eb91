"""Lines and reports from the output of a job."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.readers.lines import LONGEST_LINE, PrintedLines
from hpo_core.readers.output import OutputReader


def lines_of(folder: Path, *parts: bytes) -> list[str]:
    """Return the lines that are read when a job prints these parts, one after the other."""
    log = folder / "1.1.log"
    log.unlink(missing_ok=True)
    printed = PrintedLines(str(log))
    found = list(printed.new())
    for part in parts:
        with log.open("ab") as file:
            file.write(part)
        found += printed.new()
    return [*found, *printed.rest()]


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\r\ntwo", ["one", "two"]),
        (b"\r 10%\r 20%\r100%\ndone", [" 10%", " 20%", "100%", "done"]),
        (b"\x1b[1;32mloss\x1b[0m: \x1b[38;2;0;0;9m0.5\x1b[K\n", ["loss: 0.5"]),
        (b"\x1b]0;title\x07loss 1\x1b[2A\n", ["loss 1"]),
        (b"5/5 \x08\x08\x08loss 2\n", ["5/5 loss 2"]),
        ("für 2 µm\n".encode(), ["für 2 µm"]),
        (b"\xff loss 3\n", ["� loss 3"]),
    ],
)
def test_lines_are_read_as_a_person_sees_them(
    tmp_path: Path, printed: bytes, lines: list[str]
) -> None:
    assert [line for line in lines_of(tmp_path, printed) if line] == lines


def test_a_line_without_an_end_waits_for_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    printed = PrintedLines(str(log))
    log.write_bytes(b"loss: 0.")
    assert list(printed.new()) == []
    log.write_bytes(b"loss: 0.25\n")
    assert list(printed.new()) == ["loss: 0.25"]


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\x1b[0m", b"b" * LONGEST_LINE]), max_size=9))
def test_how_output_was_cut_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]
) -> None:
    """A controller that takes over a job reads at once what came bit by bit."""
    folder = tmp_path_factory.getbasetemp()
    assert lines_of(folder, *parts) == lines_of(folder, b"".join(parts))


def test_the_metric_at_the_end_of_a_very_long_line_is_read(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"." * 5_000_000 + b" loss: 0.5\nloss: 1\n")
    reader = OutputReader(str(tmp_path / "log"), {"loss": r"loss: (\S+)"}, None)
    assert [report.metrics["loss"] for report in reader.read()] == [0.5, 1.0]


def read(folder: Path, printed: str, iteration: str | None = None, **metrics: str) -> OutputReader:
    (folder / "log").write_text(printed)
    return OutputReader(str(folder / "log"), metrics, iteration)


def test_a_matching_line_is_one_report_with_the_last_iteration_seen(tmp_path: Path) -> None:
    printed = "loss 9\nepoch 1\nloss 5 acc 0.5\nnothing\nacc 0.75\nepoch 2: loss 4\n"
    reader = read(tmp_path, printed, r"epoch (\d+)", loss=r"loss (\d+)", acc=r"acc (\S+)")
    assert reader.read() == [
        (None, {"loss": 9.0}),
        (1, {"loss": 5.0, "acc": 0.5}),
        (1, {"acc": 0.75}),
        (2, {"loss": 4.0}),
    ]
    assert reader.missing() == ""


def test_numbers_are_read_as_programs_print_them(tmp_path: Path) -> None:
    reader = read(tmp_path, "loss=1e-3\nloss=nan\nloss=-inf\nloss=5.\n", loss=r"loss=(\S+)")
    assert [str(report.metrics["loss"]) for report in reader.read()] == [
        "0.001", "nan", "-inf", "5.0",
    ]  # fmt: skip


def test_a_pattern_that_never_matched_is_missing(tmp_path: Path) -> None:
    reader = read(tmp_path, "loss 1\n", r"epoch (\d+)", loss=r"loss (\d+)", acc=r"acc (\d+)")
    reader.read()
    assert reader.missing() == (
        "job.metrics.acc: the pattern 'acc (\\d+)' matched no line of the output; "
        "job.iteration: the pattern 'epoch (\\d+)' matched no line of the output"
    )


def test_non_numeric_group_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"job\.metrics\.loss: .* is 'n/a', .* line 'loss: n/a'"):
        read(tmp_path, "loss: n/a\n", loss=r"loss: (\S+)").read()
    with pytest.raises(ValueError, match=r"job\.iteration: .* is '1\.5', which is not an integer"):
        read(tmp_path, "epoch 1.5 loss 1\n", r"epoch (\S+)", loss=r"loss (\d)").read()
