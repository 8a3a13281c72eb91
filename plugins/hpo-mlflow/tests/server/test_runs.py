"""Runs on a real server: nested, with parameters, metrics by step, tags, states and the report."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from hpo_core import Float, Study, load_study

STUDY = """
name = "{name}"
seed = 3
strategy = "random"
tags = ["baseline", "team=vision"]
observers = [{{ name = "mlflow", options = {{ tracking_uri = "{server}" }} }}]

[objective]
metric = "val/loss"
direction = "minimize"

[budget]
jobs = 6

[job]
command = ["{{python}}", "train.py", "{{x}}", "{{kind}}"]
max_iterations = 4
tags = ["model={{kind}}"]

[parameters.x]
type = "float"
low = 0.0
high = 1.0

[parameters.kind]
type = "categorical"
choices = ["tree", "line"]
"""

TRAIN = """
import sys
import hpo_core

x, kind = float(sys.argv[1]), sys.argv[2]
if kind == "tree" and x > 0.5:
    sys.exit("too deep")
for epoch in range(1, 5):
    hpo_core.report(epoch, **{"val/loss": x / epoch, "acc%": 1.0 - x})
"""


class Logged:
    """What a server has of a study."""

    def __init__(self, server: str, name: str) -> None:
        self.client = MlflowClient(server)
        experiment = self.client.get_experiment_by_name(name)
        runs = self.client.search_runs([experiment.experiment_id])
        self.study = [run for run in runs if run.data.tags["hpo.kind"] == "study"]
        self.trials = {
            int(run.data.tags["hpo.trial_id"]): run
            for run in runs
            if run.data.tags["hpo.kind"] == "trial"
        }
        assert len(runs) == len(self.study) + len(self.trials)

    def history(self, trial: int, metric: str) -> list[tuple[int, float]]:
        run = self.trials[trial].info.run_id
        return [(point.step, point.value) for point in self.client.get_metric_history(run, metric)]


def write(folder: Path, server: str, name: str) -> Path:
    (folder / "train.py").write_text(TRAIN)
    (folder / "study.toml").write_text(STUDY.format(name=name, server=server))
    return folder / "study.toml"


def test_each_trial_has_a_run_nested_in_that_of_the_study(server: str, tmp_path: Path) -> None:
    file = write(tmp_path, server, "nested")
    study = Study.from_file(file, store=tmp_path / "hpo.db").run(progress=False)
    logged = Logged(server, "nested")
    (own,) = logged.study
    assert own.info.status == "FINISHED"
    assert own.data.tags["hpo.state"] == "finished"
    assert (own.data.tags["baseline"], own.data.tags["team"]) == ("true", "vision")
    assert own.data.tags["hpo.objective"] == "minimize val/loss"
    best = study.best
    assert own.data.tags["hpo.best_job"] == f"{best.trial_id}.1"
    assert own.data.metrics["best.val/loss"] == best.value

    assert sorted(logged.trials) == [trial.trial_id for trial in study.trials]
    states = set()
    for trial in study.trials:
        run = logged.trials[trial.trial_id]
        states.add(trial.state.value)
        assert run.data.tags["mlflow.parentRunId"] == own.info.run_id
        assert run.info.run_name == trial.name
        assert run.data.tags["hpo.state"] == trial.state.value
        assert run.data.tags["model"] == trial.configuration["kind"]
        assert float(run.data.params["x"]) == trial.configuration["x"]
        assert run.data.params["kind"] == trial.configuration["kind"]
        if trial.state.value == "failed":
            assert run.info.status == "FAILED"
            assert run.data.tags["hpo.cause"] == "error"
            assert "too deep" in run.data.tags["hpo.reason"]
            continue
        assert run.info.status == "FINISHED"
        x = trial.configuration["x"]
        expected = [(epoch, float(x) / epoch) for epoch in range(1, 5)]
        assert logged.history(trial.trial_id, "val/loss") == expected
        assert len(logged.history(trial.trial_id, "acc_")) == 4
    assert states == {"completed", "failed"}


def test_the_report_is_an_artifact_of_the_studys_run(server: str, tmp_path: Path) -> None:
    file = write(tmp_path, server, "reported")
    Study.from_file(file, store=tmp_path / "hpo.db").run(progress=False)
    logged = Logged(server, "reported")
    run = logged.study[0].info.run_id
    assert [each.path for each in logged.client.list_artifacts(run)] == ["report.html"]
    downloaded = logged.client.download_artifacts(run, "report.html", str(tmp_path))
    assert "reported" in Path(downloaded).read_text()


def test_a_resumed_study_continues_the_same_runs(server: str, tmp_path: Path) -> None:
    file = write(tmp_path, server, "resumed")
    Study.from_file(file, store=tmp_path / "hpo.db").run(progress=False)
    before = Logged(server, "resumed")
    again = load_study(tmp_path / "hpo.db", "resumed")
    again.extend(jobs="+3")
    again.resume(progress=False)
    after = Logged(server, "resumed")
    assert [run.info.run_id for run in after.study] == [run.info.run_id for run in before.study]
    assert after.study[0].info.status == "FINISHED"
    assert len(after.trials) == 9
    for trial, run in before.trials.items():
        assert after.trials[trial].info.run_id == run.info.run_id


def started(file: Path, store: Path) -> subprocess.Popen[str]:
    """Return a process that runs one job of a study, once the job has reported."""
    code = textwrap.dedent(
        f"""
        from hpo_core import Study
        from hpo_core.plugin import JobReported
        class Says:
            def observe(self, event, /):
                if isinstance(event, JobReported):
                    print("reported", flush=True)
        Study.from_file({str(file)!r}, store={str(store)!r},
                        observers=[Says()], jobs=1).run(progress=False)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "reported\n"
    return process


def test_a_trial_that_is_run_again_after_ctrl_c_has_one_run(server: str, tmp_path: Path) -> None:
    file = write(tmp_path, server, "interrupted")
    (tmp_path / "train.py").write_text(
        "import os, signal, hpo_core\n"
        "hpo_core.report(1, **{'val/loss': 1.0})\n"
        "if not os.path.exists('again'): signal.pause()\n"
        "hpo_core.report(2, **{'val/loss': 0.5})\n"
    )
    process = started(file, tmp_path / "hpo.db")
    process.send_signal(signal.SIGINT)
    process.wait()
    (tmp_path / "again").touch()
    study = load_study(tmp_path / "hpo.db", "interrupted").resume(progress=False)
    logged = Logged(server, "interrupted")
    assert list(logged.trials) == [1]
    assert [job.state.value for job in study.jobs] == ["lost", "completed"]
    run = logged.trials[1]
    assert (run.info.status, run.data.tags["hpo.job"]) == ("FINISHED", "1.2")
    assert logged.history(1, "val/loss")[-1] == (2, 0.5)
    assert logged.study[0].info.status == "FINISHED"


def test_a_job_that_outlives_its_killed_controller_has_one_run(server: str, tmp_path: Path) -> None:
    file = write(tmp_path, server, "killed")
    os.mkfifo(tmp_path / "go")
    (tmp_path / "train.py").write_text(
        "import hpo_core\n"
        "hpo_core.report(1, **{'val/loss': 1.0})\n"
        "open('go').read()\n"
        "hpo_core.report(2, **{'val/loss': 0.5})\n"
    )
    process = started(file, tmp_path / "hpo.db")
    process.kill()
    process.wait()
    (tmp_path / "go").write_text("")
    study = load_study(tmp_path / "hpo.db", "killed").resume(progress=False)
    assert [job.state.value for job in study.jobs] == ["completed"]
    logged = Logged(server, "killed")
    assert list(logged.trials) == [1]
    run = logged.trials[1]
    assert (run.info.status, run.data.tags["hpo.job"]) == ("FINISHED", "1.1")
    assert logged.history(1, "val/loss")[-1] == (2, 0.5)
    assert len(logged.study) == 1
    assert logged.study[0].info.status == "FINISHED"


def test_returned_values_are_metrics(server: str, tmp_path: Path) -> None:
    Study(
        function=lambda configuration: {"loss": configuration["x"], "size": 2.0},
        parameters=[Float("x", 0.0, 1.0)],
        objective="loss",
        direction="minimize",
        budget={"jobs": 2},
        backend="inline",
        name="returned",
        observers=[{"name": "mlflow", "options": {"tracking_uri": server}}],
    ).run(progress=False)
    logged = Logged(server, "returned")
    assert {run.data.metrics["size"] for run in logged.trials.values()} == {2.0}


def test_a_dead_server_is_said_and_the_study_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any, capfd: Any
) -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    file = write(tmp_path, f"http://127.0.0.1:{port}", "dead")
    study = Study.from_file(file, store=tmp_path / "hpo.db").run(progress=False)
    assert len(study.trials) == 6
    failed = [text for text in caplog.messages if "failed to handle an event" in text]
    assert len(failed) == 1
    (account,) = [text for text in caplog.messages if "missed" in text and "events:" in text]
    assert account.startswith("the observer 'mlflow' missed ")
    assert capfd.readouterr().out == ""
