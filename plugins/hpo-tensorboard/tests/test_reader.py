"""The reader: the scalars of event files while a job runs, as reports."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hpo_tensorboard.options import ReaderOptions
from hpo_tensorboard.reader import EventFilesReader
from hpo_tensorboard.records import record, records
from tensorboardX import SummaryWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.proto.tensor_pb2 import TensorProto

from hpo_core import Configuration, Float, Study, TrialState, load_study
from hpo_core.plugin import BaseStrategy, Decision, Job, JobOutput, Report, Start

STUDY = """
name = "read"
seed = 3
strategy = { name = "asha", options = { eta = 2 } }

[objective]
metric = "val/loss"
direction = "minimize"

[budget]
jobs = 4

[job]
command = ["{python}", "train.py", "{x}", "{checkpoint_dir}"]
max_iterations = 4
metrics_reader = "tensorboard"

[parameters.x]
type = "float"
low = 0.0
high = 1.0
"""

TRAIN = """
import sys
from tensorboardX import SummaryWriter

x, folder = float(sys.argv[1]), sys.argv[2]
with SummaryWriter(folder) as writer:
    for epoch in range(1, 5):
        writer.add_scalar("train/loss", 2 * x, epoch)
        writer.add_scalar("val/loss", x, epoch)
        writer.flush()
"""


def output(folder: Path, *metrics: str) -> JobOutput:
    job = Job(
        id="1.1",
        trial_id=1,
        name="a",
        configuration={"x": 1},
        checkpoint_dir=str(folder / "trial"),
        log=str(folder / "logs" / "1.1.log"),
    )
    return JobOutput(job=job, directory=str(folder), metrics=metrics or ("loss",))


def reader(folder: Path, *metrics: str, **options: Any) -> EventFilesReader:
    return EventFilesReader(output(folder, *metrics), ReaderOptions(**options))


def append(path: Path, step: int, **values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    found = [Summary.Value(tag=tag.replace("__", "/"), **value) for tag, value in values.items()]
    event = Event(step=step, summary=Summary(value=found))
    with path.open("ab") as file:
        file.write(record(event.SerializeToString()))


def simple(value: float) -> dict[str, float]:
    return {"simple_value": value}


FILE = "events.out.tfevents.1"


def test_scalars_of_a_step_are_a_report_once_it_has_what_the_study_needs(tmp_path: Path) -> None:
    path = tmp_path / "trial" / FILE
    found = reader(tmp_path)
    assert found.read() == []
    append(path, 1, accuracy=simple(0.5))
    assert found.read() == []
    append(path, 1, loss=simple(2.0))
    assert found.read() == [(1, {"accuracy": 0.5, "loss": 2.0})]
    append(path, 2, loss=simple(1.0))
    assert found.read() == [(2, {"loss": 1.0})]
    assert found.finish() == []
    assert found.missing() == ""


def test_an_incomplete_record_is_left_for_the_next_call(tmp_path: Path) -> None:
    path = tmp_path / "trial" / FILE
    found = reader(tmp_path)
    append(path, 1, loss=simple(2.0))
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        assert found.read() == []
    path.write_bytes(whole)
    assert found.read() == [(1, {"loss": 2.0})]


def test_a_step_that_lacks_a_metric_is_a_report_when_the_next_begins(tmp_path: Path) -> None:
    path = tmp_path / "trial" / FILE
    found = reader(tmp_path, "loss", "size")
    append(path, 1, loss=simple(2.0))
    assert found.read() == []
    append(path, 2, loss=simple(1.0))
    assert found.read() == [(1, {"loss": 2.0})]
    assert found.finish() == [(2, {"loss": 1.0})]
    assert "'size'" in found.missing()


def test_a_new_reader_of_the_same_job_returns_the_same_reports(tmp_path: Path) -> None:
    path = tmp_path / "trial" / FILE
    first = reader(tmp_path)
    one: list[Any] = []
    for step in range(1, 5):
        append(path, step, other=simple(7.0), loss=simple(step))
        one += first.read()
    assert reader(tmp_path).read() == one


def test_files_of_earlier_jobs_are_passed_over(tmp_path: Path) -> None:
    append(tmp_path / "trial" / FILE, 1, loss=simple(9.0))
    found = reader(tmp_path)
    append(tmp_path / "trial" / "events.out.tfevents.2", 2, loss=simple(1.0))
    assert found.read() == [(2, {"loss": 1.0})]
    assert reader(tmp_path).read() == [(2, {"loss": 1.0})], "also for the next controller"


def tensor(form: str, kind: int, value: float) -> dict[str, Any]:
    return {"tensor": TensorProto(dtype=kind, tensor_content=struct.pack(form, value))}


def test_tensors_of_keras_in_folders_below_are_scalars(tmp_path: Path) -> None:
    path = tmp_path / "trial" / "validation" / FILE
    tags = {"loss": "validation/epoch_loss"}
    found = reader(tmp_path, metrics=tags)
    append(path, 0, epoch_loss=tensor("<f", 1, 0.5))
    append(path, 1, epoch_loss={"tensor": TensorProto(dtype=2, double_val=[0.25])})
    assert found.read() == [(0, {"loss": 0.5}), (1, {"loss": 0.25})]


def test_the_iteration_may_be_a_tag(tmp_path: Path) -> None:
    path = tmp_path / "trial" / FILE
    found = reader(tmp_path, iteration="epoch")
    append(path, 937, epoch=simple(3.0), loss=simple(0.5))
    assert found.read() == [(3, {"loss": 0.5})]
    append(path, 938, epoch=simple(3.5))
    with pytest.raises(ValueError, match=r"has 3\.5 with the tag 'epoch' of the iteration"):
        found.read()


def test_what_is_missing_is_named_with_what_was_found(tmp_path: Path) -> None:
    found = reader(tmp_path, "val_loss")
    assert "no event file of TensorBoard was written below" in found.missing()
    append(tmp_path / "trial" / FILE, 1, val__loss=simple(0.5))
    assert found.read() == []
    assert "has the tag 'val_loss'; did you mean 'val/loss'?" in found.missing()


def test_a_file_that_this_job_writes_again_is_read(tmp_path: Path) -> None:
    """A job that resumes its trial within a second has a writer with the same file name."""
    path = tmp_path / "trial" / FILE
    append(path, 1, loss=simple(0.5))
    found = reader(tmp_path)
    assert found.read() == []
    path.unlink()
    append(path, 2, loss=simple(0.25))
    assert found.read() == [(2, {"loss": 0.25})]


def test_the_folder_may_have_placeholders_and_an_unknown_one_is_said(tmp_path: Path) -> None:
    found = reader(tmp_path, directory="runs/{trial_id}-{x}")
    append(tmp_path / "runs" / "1-1" / FILE, 1, loss=simple(0.5))
    assert found.read() == [(1, {"loss": 0.5})]
    with pytest.raises(ValueError, match=r"has \{lr\}, but this job has no 'lr'"):
        reader(tmp_path, directory="runs/{lr}")


def test_a_file_of_something_else_is_said_with_its_path(tmp_path: Path) -> None:
    found = reader(tmp_path)
    path = tmp_path / "trial" / FILE
    path.parent.mkdir()
    path.write_bytes(b"no events, but some other text")
    with pytest.raises(ValueError, match=f"{path} is no event file of TensorBoard"):
        found.read()


def test_records_are_those_of_tensorboardx(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 0.5, 3)
    (file,) = tmp_path.iterdir()
    found = [Event.FromString(data) for data, _ in records(file.read_bytes())]
    assert b"".join(record(each.SerializeToString()) for each in found) == file.read_bytes()


@pytest.mark.parametrize("strategy", ["random", "asha"])
def test_a_job_is_read_while_it_runs_and_needs_no_change(tmp_path: Path, strategy: str) -> None:
    text = STUDY
    if strategy == "random":
        text = text.replace('{ name = "asha", options = { eta = 2 } }', '"random"')
    (tmp_path / "study.toml").write_text(text)
    (tmp_path / "train.py").write_text(TRAIN)
    study = Study.from_file(tmp_path / "study.toml", store=tmp_path / "hpo.db").run(progress=False)
    assert {trial.state.value for trial in study.trials} <= {"completed", "stopped", "paused"}
    first = study.curve(1)
    assert [point.iteration for point in first][:1] == [1]
    for point in first:
        assert point.metrics["train/loss"] == pytest.approx(2 * point.metrics["val/loss"])
    if strategy == "random":
        assert [point.iteration for point in first] == [1, 2, 3, 4]
        assert load_study(tmp_path / "hpo.db", "read").best.value == pytest.approx(
            study.best.configuration["x"]
        )


def test_a_star_stands_for_a_folder_of_any_name(tmp_path: Path) -> None:
    found = reader(tmp_path, directory="{checkpoint_dir}/*/logs")
    append(tmp_path / "trial" / "2026-11-29" / "logs" / FILE, 1, loss=simple(2.0))
    append(tmp_path / "trial" / "2026-11-29" / "logs" / "val" / FILE, 1, loss=simple(3.0))
    append(tmp_path / "trial" / "2026-11-29" / "other" / FILE, 1, loss=simple(4.0))
    assert found.read() == [(1, {"loss": 2.0})]
    assert found.missing() == ""
    assert any(path.startswith(f"{tmp_path}/trial/2026-11-29/logs") for path in found.watched)


def test_a_folder_that_the_script_makes_is_named_with_the_remedy(tmp_path: Path) -> None:
    found = reader(tmp_path)
    append(tmp_path / "trial" / "2026-11-29" / FILE, 1, loss=simple(2.0))
    assert found.read() == []
    assert "there is '2026-11-29/loss'" in found.missing()
    assert 'directory = "{checkpoint_dir}/*" in the options' in found.missing()


SLOW = """
import signal, sys
from tensorboardX import SummaryWriter
writer = SummaryWriter(sys.argv[1], flush_secs=100)
for epoch in (1, 2):
    writer.add_scalar("loss", 1.0 / epoch, epoch)
signal.pause()
"""


class StopsAtTheSecond(BaseStrategy):
    """Stops each trial at its second report."""

    def ask(self, trial_id: int, /) -> Start:
        return Start(Configuration(x=0.5))

    def tell(self, report: Report, /) -> Decision:
        return Decision.STOP if report.iteration == 2 else Decision.CONTINUE


def test_events_of_a_program_that_never_flushes_are_read_while_it_runs(tmp_path: Path) -> None:
    """The program would run for ever."""
    (tmp_path / "slow.py").write_text(SLOW)
    command = ["{python}", "-m", "hpo_tensorboard", "slow.py", "{checkpoint_dir}", "{x}"]
    study = Study(
        command=command,
        directory=str(tmp_path),
        parameters=[Float("x", 0, 1)],
        objective="loss",
        direction="minimize",
        budget={"jobs": 1},
        strategy=StopsAtTheSecond(),
        metrics_reader="tensorboard",
        store=tmp_path / "hpo.db",
        grace=0.5,
    )
    study.run(progress=False)
    (trial,) = study.trials
    assert trial.state is TrialState.STOPPED
    assert [report.metrics for report in study.curve(1)] == [{"loss": 1.0}, {"loss": 0.5}]
    study.close()


def test_without_a_program_it_says_how_to_name_one() -> None:
    command = [sys.executable, "-m", "hpo_tensorboard", "absent.py"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "there is no file 'absent.py'; usage: python -m hpo_tensorboard" in ended.stderr
