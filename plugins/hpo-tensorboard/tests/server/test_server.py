"""A real TensorBoard shows the scalars and the tab HPARAMS of a study."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from hpo_core import Categorical, Float, Int, Study, report

Get = Callable[..., Any]


def trains(configuration: Any) -> None:
    for epoch in (1, 2, 3):
        report(epoch, **{"val/loss": configuration["x"] / epoch})


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("study")
    made = Study(
        function=trains,
        parameters=[
            Float("x", 0.0, 1.0),
            Categorical("kind", ("tree", "line")),
            Int("depth", 1, 3, when={"kind": "tree"}),
        ],
        objective="val/loss",
        direction="minimize",
        budget={"jobs": 6},
        backend="inline",
        seed=3,
        name="shown",
        directory=folder,
        store=folder / "hpo.db",
        observers=["tensorboard"],
    )
    return made.run(progress=False)


@pytest.fixture(scope="module")
def get(study: Study) -> Iterator[Get]:
    """Return what asks a server, which has read all event files once it says its address."""
    runs = Path(study.store).parent / "runs"
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(runs), "--port", "0"]
    command += ["--load_fast", "false", "--reload_interval", "0", "--host", "127.0.0.1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if "http://127.0.0.1:" in line:
            break
    else:
        pytest.fail("".join(said))
    address = "http://127.0.0.1:" + line.partition("http://127.0.0.1:")[2].split("/")[0]

    def ask(path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        with urlopen(Request(f"{address}/data/{path}", data, headers)) as answer:
            return json.loads(answer.read())

    yield ask
    process.terminate()
    process.wait()


def test_scalars_are_shown_by_step(study: Study, get: Get) -> None:
    tags = get("plugin/scalars/tags")
    for trial in study.trials:
        run = f"shown/trial-{trial.trial_id}"
        assert "val/loss" in tags[run]
        points = get(f"plugin/scalars/scalars?run={quote(run)}&tag={quote('val/loss')}")
        expected = [(epoch, trial.configuration["x"] / epoch) for epoch in (1, 2, 3)]
        assert [(step, value) for _, step, value in points] == [
            (step, pytest.approx(value)) for step, value in expected
        ]


def test_the_tab_hparams_has_each_trial_with_its_parameters_and_objective(
    study: Study, get: Get
) -> None:
    experiment = get("plugin/hparams/experiment", {"experimentName": ""})
    assert {info["name"] for info in experiment["hparamInfos"]} == {"x", "kind", "depth"}
    metrics = [{"metric": {"tag": info["name"]["tag"]}} for info in experiment["metricInfos"]]
    assert metrics == [{"metric": {"tag": "val/loss"}}]
    found = get(
        "plugin/hparams/session_groups",
        {
            "experimentName": "",
            "allowedStatuses": ["STATUS_SUCCESS"],
            "aggregationType": "AGGREGATION_AVG",
            "colParams": metrics,
            "startIndex": 0,
            "sliceSize": 100,
        },
    )
    groups = {group["sessions"][0]["name"]: group for group in found["sessionGroups"]}
    assert len(groups) == len(study.trials)
    for trial in study.trials:
        group = groups[f"shown/trial-{trial.trial_id}"]
        assert group["hparams"]["x"] == pytest.approx(trial.configuration["x"])
        assert group["hparams"]["kind"] == trial.configuration["kind"]
        assert [value["value"] for value in group["metricValues"]] == [pytest.approx(trial.value)]
