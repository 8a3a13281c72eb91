"""Studies on a real Ray cluster, to which everything happens that can happen to one."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from nodes import Nodes

HPO = [sys.executable, "-c", "from hpo_core.cli.main import main; main()"]
HANGS = 300
WORKER = "hpo_core.backends.remote.worker"

MODULE = """
import os
import hpo_core
from helper import loss

def gated(configuration):
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES") or "-1"
    hpo_core.report(1, loss=loss(configuration), gpu=float(gpu))
    with open(os.environ["BEGUN"], "w") as begun:
        print(os.getpid(), file=begun)
    with open(os.environ["GATE"]) as gate:  # waits for the gate to open
        gate.read()
    hpo_core.report(2, loss=loss(configuration), gpu=float(gpu))

def moved(configuration):
    with open("data.txt") as file:
        assert file.read() == "data"
    assert os.getcwd() != os.environ["GATE"].replace("gate", "code"), "this is the folder itself"
    hpo_core.report(loss=loss(configuration))
"""


class Study:
    """A study in a folder, whose jobs wait at a gate: a pipe.

    Attributes:
        pids: The processes of the jobs that have begun. They say so through another pipe.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gate, self.begun = folder / "gate", folder / "begun"
        os.mkfifo(self.gate)
        os.mkfifo(self.begun)
        self.pids: list[int] = []
        self._lines = os.open(self.begun, os.O_RDWR)
        self._began: list[subprocess.Popen[str]] = []

    def write(
        self, number: int, function: str, *, job: dict[str, Any] = {}, **options: Any
    ) -> None:
        (self.folder / "code").mkdir()
        (self.folder / "code" / "tune.py").write_text(MODULE)
        (self.folder / "code" / "helper.py").write_text("def loss(values): return values['x']")
        (self.folder / "code" / "data.txt").write_text("data")
        study = {
            "name": "valley",
            "seed": 1,
            "workers": 2,
            "strategy": "random",
            "objective": {"metric": "loss", "direction": "minimize"},
            "budget": {"jobs": number},
            "backend": {"name": "ray", "options": {"host": "127.0.0.1", **options}},
            "job": {
                "function": f"tune:{function}",
                "directory": "code",
                "environment": {"GATE": str(self.gate), "BEGUN": str(self.begun)},
                "grace": 1,
                **job,
            },
            "parameters": {"x": {"type": "float", "low": 0, "high": 1}},
        }
        (self.folder / "study.json").write_text(json.dumps(study))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command of hpo."""
        self._began.append(
            subprocess.Popen(
                [*HPO, *arguments],
                cwd=self.folder,
                env={**os.environ, **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return self._began[-1]

    def finish(self, process: subprocess.Popen[str], status: int = 0) -> str:
        """Wait for the end of a command; return what it says."""
        out, _ = process.communicate(timeout=HANGS)
        assert process.returncode == status, out
        assert "Traceback" not in out
        return out

    def run(self, *arguments: str, status: int = 0, **environment: str) -> str:
        return self.finish(self.start(*arguments, **environment), status)

    def until_jobs_wait(self, number: int) -> list[dict[str, Any]]:
        """Wait until so many more jobs wait and their reports are stored; return all that have."""
        self.pids += self._until_begun(number)
        until = time.monotonic() + HANGS
        while time.monotonic() < until:
            listed = jobs_of(self.run("jobs", "valley", "--json"))
            reported = [job for job in listed if job["iteration"] == 1]
            if len(reported) == len(self.pids):
                return reported
        raise AssertionError(f"{len(self.pids)} jobs have not reported")

    def _until_begun(self, number: int) -> list[int]:
        """Wait until so many more jobs have begun; return their processes."""
        found: list[bytes] = []
        controller = next(each for each in reversed(self._began) if "jobs" not in each.args)
        ended = os.pidfd_open(controller.pid)
        while len(found) < number:
            ready, _, _ = select.select([self._lines, ended], [], [], HANGS)
            if self._lines not in ready:
                why = controller.communicate()[0] if ready else f"nothing in {HANGS} s"
                raise AssertionError(f"{number} jobs have not begun: {why}")
            found += os.read(self._lines, select.PIPE_BUF).splitlines()
        os.close(ended)
        return [int(line) for line in found]

    def open_gate(self) -> None:
        """Let all jobs pass, those that come later, too."""
        writer = os.open(self.gate, os.O_RDWR)
        (self.folder / "open").touch()
        os.replace(self.folder / "open", self.gate)
        os.close(writer)

    def states(self) -> dict[str, str]:
        """Return the state of each job."""
        return {job["id"]: job["state"] for job in jobs_of(self.run("jobs", "valley", "--json"))}

    def close(self) -> None:
        for process in self._began:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        os.close(self._lines)


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = Study(tmp_path)
    yield study
    study.close()


def jobs_of(listed: str) -> list[dict[str, Any]]:
    """Return the jobs that ``hpo jobs --json`` lists."""
    found: list[dict[str, Any]] = json.loads(listed)
    return found


def actor_of(job: int) -> psutil.Process:
    """Return the process of the actor that runs a job: its worker is a child of it."""
    for process in psutil.Process(job).parents():
        if WORKER in process.cmdline():
            return process.parent()
    raise AssertionError("the job does not descend from a worker")


def test_jobs_outlive_a_killed_controller_and_none_runs_twice(study: Study, address: str) -> None:
    study.write(4, "gated", address=address)
    run = study.start("run", "study.json")
    study.until_jobs_wait(2)
    run.kill()
    run.wait()
    resumed = study.start("resume", "valley")
    study.open_gate()
    study.finish(resumed)
    assert study.states() == dict.fromkeys(["1.1", "2.1", "3.1", "4.1"], "completed")


def test_the_job_of_a_worker_killed_under_load_is_run_again(study: Study, address: str) -> None:
    study.write(4, "gated", address=address)
    run = study.start("run", "study.json")
    study.until_jobs_wait(2)
    actor = actor_of(study.pids[0])
    doomed = actor.children(recursive=True)
    actor.kill()
    psutil.wait_procs(doomed, HANGS)  # its job does not pass the gate
    study.open_gate()
    study.finish(run)
    states = study.states()
    assert sorted(states.values()) == ["completed"] * 4 + ["lost"]
    (lost,) = [name for name, state in states.items() if state == "lost"]
    assert states[lost.replace(".1", ".2")] == "completed"


def test_a_node_that_is_added_is_used_at_once(study: Study) -> None:
    with Nodes(1) as nodes:
        study.write(2, "gated", address=nodes.address)
        run = study.start("run", "study.json")
        study.until_jobs_wait(1)
        nodes.add(1)
        study.until_jobs_wait(1)
        study.open_gate()
        assert "1 of 2 workers have room in the Ray cluster" in study.finish(run)
        assert study.states() == {"1.1": "completed", "2.1": "completed"}


def test_a_cluster_that_is_gone_fails_the_study_which_can_be_resumed(study: Study) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Nodes(2, port) as nodes:
        study.write(2, "gated", address=nodes.address)
        run = study.start("run", "study.json", RAY_gcs_rpc_server_reconnect_timeout_s="5")
        study.until_jobs_wait(2)
        nodes.crash()
        out = study.finish(run, status=1)
        assert f"the Ray cluster at {nodes.address} is gone" in out
        assert "resume" in out
    assert "cannot be reached" in study.run("resume", "valley", status=2)
    with Nodes(2, port):
        study.open_gate()
        study.run("resume", "valley")
    assert study.states() == {
        "1.1": "lost", "2.1": "lost", "1.2": "completed", "2.2": "completed",
    }  # fmt: skip


def test_code_reaches_workers_whose_folder_is_another_one(study: Study, address: str) -> None:
    study.write(2, "moved", address=address)
    study.run("run", "study.json")
    assert study.states() == {"1.1": "completed", "2.1": "completed"}


def test_a_cluster_of_its_own_shares_gpus_and_ends_with_the_study(study: Study) -> None:
    study.write(4, "gated", num_gpus=2, num_cpus=4, job={"resources": {"gpus": 0.5}})
    run = study.start("run", "study.json", "--workers", "4")
    gpus = [job["metrics"]["gpu"] for job in study.until_jobs_wait(4)]
    assert sorted(gpus) == [0, 0, 1, 1]
    actors = {actor_of(job) for job in study.pids}
    cluster = psutil.Process(run.pid).children(recursive=True)
    assert actors <= set(cluster)
    study.open_gate()
    study.finish(run)
    assert psutil.wait_procs(actors, timeout=0)[1] == []
    assert psutil.wait_procs(cluster, timeout=HANGS)[1] == []


def test_a_job_that_no_machine_has_room_for_is_refused(study: Study) -> None:
    study.write(1, "gated", num_gpus=1, job={"resources": {"gpus": 2}})
    out = study.run("run", "study.json", status=2)
    assert "a job needs CPU 1, GPU 2, and this machine has" in out
