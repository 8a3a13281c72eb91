"""The observer: event files with the scalars of each trial by step, and its hyperparameters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hpo_tensorboard.records import records
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

from hpo_core import Categorical, Constant, Float, Int, Study, load_study, report


def trains(configuration: Any) -> dict[str, float] | None:
    if configuration["kind"] == "bad":
        raise ValueError("bad")
    for epoch in (1, 2, 3):
        report(epoch, loss=configuration["x"] / epoch, accuracy=0.5)
    return None


def study(folder: Path, **changes: Any) -> Study:
    given: dict[str, Any] = {
        "function": trains,
        "parameters": [
            Float("x", 0.0, 1.0),
            Categorical("kind", ("good", "bad")),
            Categorical("is_fast", (True, False)),
            Int("depth", 1, 3, when={"kind": "good"}),
            Constant("seed", 7),
        ],
        "objective": "loss",
        "direction": "minimize",
        "budget": {"jobs": 8},
        "max_failures_at_start": 0,
        "backend": "inline",
        "seed": 3,
        "name": "shown",
        "directory": folder,
        "store": folder / "hpo.db",
        "observers": ["tensorboard"],
    }
    return Study(**{**given, **changes})


def events(folder: Path) -> Iterator[Any]:
    for file in sorted(folder.glob("*tfevents*")):
        for data, _ in records(file.read_bytes()):
            yield Event.FromString(data)


def scalars(folder: Path) -> list[tuple[str, int, float]]:
    return [
        (value.tag, event.step, value.simple_value)
        for event in events(folder)
        for value in event.summary.value
        if value.WhichOneof("value") == "simple_value"
    ]


def hparams(folder: Path) -> dict[str, Any]:
    found = {}
    for event in events(folder):
        for value in event.summary.value:
            if value.tag.startswith("_hparams_/"):
                data = HParamsPluginData.FromString(value.metadata.plugin_data.content)
                kind = data.WhichOneof("data")
                found[kind] = getattr(data, kind)
    return found


def test_each_trial_has_its_scalars_by_step_and_its_parameters(tmp_path: Path) -> None:
    done = study(tmp_path).run(progress=False)
    root = tmp_path / "runs" / "shown"
    columns = hparams(root)["experiment"]
    assert [info.name for info in columns.hparam_infos] == ["x", "kind", "is_fast", "depth", "seed"]
    assert [info.name.tag for info in columns.metric_infos] == ["loss"]
    states = set()
    for trial in done.trials:
        folder = root / f"trial-{trial.trial_id}"
        found = hparams(folder)
        given = found["session_start_info"].hparams
        configuration = trial.configuration
        assert set(given) == set(configuration)
        assert given["x"].number_value == configuration["x"]
        assert given["kind"].string_value == configuration["kind"]
        assert given["is_fast"].bool_value == configuration["is_fast"]
        assert given["seed"].number_value == 7.0
        is_good = trial.state.value == "completed"
        states.add(is_good)
        assert found["session_end_info"].status == (1 if is_good else 2)
        losses = [(step, value) for tag, step, value in scalars(folder) if tag == "loss"]
        assert [step for step, _ in losses] == ([1, 2, 3] if is_good else [])
    assert states == {True, False}


def test_a_returned_value_is_a_scalar(tmp_path: Path) -> None:
    study(tmp_path, function=lambda c: {"loss": 0.5, "size": 2.0}, budget={"jobs": 1}).run(
        progress=False
    )
    assert scalars(tmp_path / "runs" / "shown" / "trial-1") == [
        ("loss", 0, 0.5),
        ("size", 0, 2.0),
    ]


def test_a_resumed_study_continues_the_same_folders(tmp_path: Path) -> None:
    study(tmp_path).run(progress=False).extend(jobs="+2")
    load_study(tmp_path / "hpo.db", "shown").resume(function=trains, progress=False)
    folders = {each.name for each in (tmp_path / "runs" / "shown").iterdir() if each.is_dir()}
    assert folders == {f"trial-{number}" for number in range(1, 11)}


def test_a_folder_that_cannot_be_written_is_said_and_the_study_ends(
    tmp_path: Path, caplog: Any
) -> None:
    (tmp_path / "runs").write_text("a file")
    done = study(tmp_path).run(progress=False)
    assert len(done.trials) == 8
    assert [text for text in caplog.messages if "missed" in text and "failed" in text]
