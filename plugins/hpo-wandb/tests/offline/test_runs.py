"""Offline runs of the real wandb: files for ``wandb sync``, read back here."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from wandb.proto.wandb_internal_pb2 import Record

from hpo_core import Categorical, Float, Study, load_study, report

_BLOCK, _HEADER = 32768, 7


class Run:
    """What the files of a run have."""

    def __init__(self) -> None:
        self.about: Any = None
        self.files = 0
        self.config: dict[str, Any] = {}
        self.history: list[dict[str, Any]] = []
        self.summary: dict[str, Any] = {}
        self.exit_codes: list[int] = []

    def add(self, record: Any) -> None:
        match record.WhichOneof("record_type"):
            case "run":
                self.about = record.run
                self.config |= {
                    item.key: json.loads(item.value_json) for item in record.run.config.update
                }
            case "history":
                row = {
                    item.key or ".".join(item.nested_key): json.loads(item.value_json)
                    for item in record.history.item
                }
                self.history.append(row)
            case "summary":
                for item in record.summary.update:
                    key = item.key or ".".join(item.nested_key)
                    self.summary[key] = json.loads(item.value_json)
            case "exit":
                self.exit_codes.append(record.exit.exit_code)


def records(file: Path) -> list[Any]:
    """Return the records of a file, which has the format of a log of LevelDB."""
    data, position, found, parts = file.read_bytes(), _HEADER, [], b""
    while position + _HEADER <= len(data):
        left = _BLOCK - position % _BLOCK
        if left < _HEADER:
            position += left
            continue
        length = int.from_bytes(data[position + 4 : position + 6], "little")
        kind = data[position + 6]
        parts += data[position + _HEADER : position + _HEADER + length]
        position += _HEADER + length
        if kind in (1, 4):  # whole, or the last part
            found.append(Record.FromString(parts))
            parts = b""
    return found


def runs(folder: Path) -> dict[str, Run]:
    found: dict[str, Run] = defaultdict(Run)
    for file in sorted(folder.glob("wandb/offline-run-*/*.wandb")):
        name = file.stem.removeprefix("run-")
        found[name].files += 1
        for record in records(file):
            found[name].add(record)
    return dict(found)


def trains(configuration: Any) -> None:
    if configuration["kind"] == "bad":
        raise ValueError("bad")
    for epoch in (1, 2, 3):
        report(epoch, **{"val/loss": configuration["x"] / epoch})


def study(folder: Path, **changes: Any) -> Study:
    given: dict[str, Any] = {
        "function": trains,
        "parameters": [Float("x", 0.0, 1.0), Categorical("kind", ("good", "bad"))],
        "objective": "val/loss",
        "direction": "minimize",
        "budget": {"jobs": 3},
        "max_failures_at_start": 0,
        "backend": "inline",
        "strategy": "random",
        "enqueue": [{"x": 0.5, "kind": "good"}, {"x": 0.25, "kind": "bad"}],
        "seed": 3,
        "name": "grouped",
        "tags": ["baseline", "a" * 80],
        "directory": folder,
        "store": folder / "hpo.db",
        "observers": [{"name": "wandb", "options": {"mode": "offline", "project": "digits"}}],
    }
    return Study(**{**given, **changes})


def test_each_trial_is_a_run_in_the_group_of_its_study(tmp_path: Path, capfd: Any) -> None:
    done = study(tmp_path).run(progress=False)
    found = {int(name.rpartition("-")[2]): run for name, run in runs(tmp_path).items()}
    assert sorted(found) == [1, 2, 3]
    for trial in done.trials:
        run = found[trial.trial_id]
        assert (run.about.run_group, run.about.project) == ("grouped", "digits")
        assert run.about.display_name == trial.name
        assert list(run.about.tags) == ["baseline", "a" * 63 + "…"]
        assert run.config["x"] == trial.configuration["x"]
        assert run.config["kind"] == trial.configuration["kind"]
        assert run.summary["hpo/state"] == trial.state.value
    good, bad = found[1], found[2]
    assert [(row["iteration"], row["val/loss"]) for row in good.history] == [
        (1, 0.5),
        (2, 0.25),
        (3, pytest.approx(0.5 / 3)),
    ]
    assert (good.exit_codes, bad.exit_codes) == ([0], [1])
    assert bad.summary["hpo/cause"] == "error"
    assert capfd.readouterr().out == ""


def test_a_resumed_study_continues_the_same_runs(tmp_path: Path) -> None:
    study(tmp_path, budget={"jobs": 1}).run(progress=False).extend(jobs="+1")
    load_study(tmp_path / "hpo.db", "grouped").resume(function=trains, progress=False)
    names = [name.rpartition("-") for name in runs(tmp_path)]
    assert sorted(number for _, _, number in names) == ["1", "2"]
    assert len({uid for uid, _, _ in names}) == 1


def test_a_retried_trial_has_one_run(tmp_path: Path) -> None:
    fails: list[int] = []

    def once(configuration: Any) -> float:
        fails.append(1)
        if len(fails) == 1:
            raise ValueError("once")
        return 0.5

    done = study(tmp_path, function=once, budget={"trials": 1}, retries=1, enqueue=[])
    done = done.run(progress=False)
    assert [job.state.value for job in done.jobs] == ["failed", "completed"]
    (run,) = runs(tmp_path).values()
    assert run.files == 2
    assert run.summary["hpo/state"] == "completed"
    assert run.summary["val/loss"] == 0.5
