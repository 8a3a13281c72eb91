"""Studies on a real Dask cluster, to which everything happens that can happen to one."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from dask_cluster import DaskCluster

HPO = [sys.executable, "-c", "from hpo_core.cli.main import main; main()"]
HANGS = 100
WORKER = "hpo_core.backends.remote.worker"

MODULE = """
import os
import subprocess
import hpo_core
from helper import loss

def gated(configuration):
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0] or "-1"
    hpo_core.report(1, loss=loss(configuration), gpu=float(gpu))
    child = subprocess.Popen(["sleep", "1000"])
    with open(os.environ["BEGUN"], "w") as begun:
        begun.write(f"{gpu} {child.pid}\\n")
    with open(os.environ["GATE"]) as gate:  # waits for the gate to open
        gate.read()
    child.kill()
    child.wait()
    hpo_core.report(2, loss=loss(configuration), gpu=float(gpu))

def moved(configuration):
    with open("data.txt") as file:
        assert file.read() == "data"
    assert os.getcwd() != os.environ["GATE"].replace("gate", "code"), "this is the folder itself"
    hpo_core.report(loss=loss(configuration))
"""


class Study:
    """A study in a folder, whose jobs say that they have begun, and wait at a gate: two pipes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gate, self.begun = folder / "gate", folder / "begun"
        os.mkfifo(self.gate)
        os.mkfifo(self.begun)
        self._lines = open(os.open(self.begun, os.O_RDWR), "rb", buffering=0)  # noqa: SIM115
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
            "backend": {"name": "dask", "options": {"host": "127.0.0.1", **options}},
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

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of hpo."""
        self._began.append(
            subprocess.Popen(
                [*HPO, *arguments],
                cwd=self.folder,
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

    def run(self, *arguments: str, status: int = 0) -> str:
        return self.finish(self.start(*arguments), status)

    def until_jobs_begin(self, number: int) -> list[tuple[int, int]]:
        """Wait until so many more jobs have begun; return the GPU and the child of each."""
        found = []
        for _ in range(number):
            line = b""
            while not line.endswith(b"\n"):
                assert select.select([self._lines], [], [], HANGS)[0], "no job has begun"
                line += self._lines.read(1) or b""
            gpu, child = line.split()
            found.append((int(gpu), int(child)))
        return found

    def until_recorded(self, number: int) -> None:
        """Wait until the reports of so many jobs that wait are stored."""
        while sum(job["iteration"] == 1 for job in self.jobs()) < number:
            pass

    def open_gate(self) -> None:
        """Let all jobs pass, those that come later, too."""
        writer = os.open(self.gate, os.O_RDWR)
        (self.folder / "open").touch()
        os.replace(self.folder / "open", self.gate)
        os.close(writer)

    def jobs(self) -> list[dict[str, Any]]:
        return json.loads(self.run("jobs", "valley", "--json"))

    def states(self) -> dict[str, str]:
        """Return the state of each job."""
        return {job["id"]: job["state"] for job in self.jobs()}

    def close(self) -> None:
        for process in self._began:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        self._lines.close()


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = Study(tmp_path)
    yield study
    study.close()


@pytest.fixture
def cluster() -> Iterator[DaskCluster]:
    with DaskCluster() as cluster:
        yield cluster


def workers_below(pid: int) -> list[psutil.Process]:
    """Return the workers of studies that descend from a process."""
    found = psutil.Process(pid).children(recursive=True)
    return [process for process in found if WORKER in process.cmdline()]


def until_gone(pid: int) -> None:
    """Wait until a process has ended."""
    if psutil.pid_exists(pid):
        psutil.wait_procs([psutil.Process(pid)], HANGS)


def test_jobs_outlive_a_killed_controller_and_none_runs_twice(study: Study, address: str) -> None:
    study.write(4, "gated", address=address)
    run = study.start("run", "study.json")
    study.until_jobs_begin(2)
    study.until_recorded(2)
    run.kill()
    run.wait()
    resumed = study.start("resume", "valley")
    study.open_gate()
    study.finish(resumed)
    assert study.states() == dict.fromkeys(["1.1", "2.1", "3.1", "4.1"], "completed")


@pytest.mark.parametrize("end", [DaskCluster.kill, DaskCluster.close])
def test_jobs_of_a_dask_worker_that_ends_under_load_run_again_on_one_that_is_added(
    study: Study, cluster: DaskCluster, end: Any
) -> None:
    cluster.add("one", 1)
    cluster.add("two", 1)
    study.write(4, "gated", address=cluster.address)
    run = study.start("run", "study.json")
    begun = study.until_jobs_begin(2)
    study.until_recorded(2)
    end(cluster, "one")
    cluster.add("three", 1)
    study.until_jobs_begin(1)
    assert sum(psutil.pid_exists(child) for _, child in begun) == 1, "the lost job still runs"
    study.open_gate()
    study.finish(run)
    states = study.states()
    assert sorted(states.values()) == ["completed"] * 4 + ["lost"]
    (lost,) = [name for name, state in states.items() if state == "lost"]
    assert states[lost.replace(".1", ".2")] == "completed"


def test_a_dask_worker_that_is_added_is_used_at_once(study: Study, cluster: DaskCluster) -> None:
    cluster.add("one", 1)
    study.write(2, "gated", address=cluster.address)
    run = study.start("run", "study.json")
    study.until_jobs_begin(1)
    cluster.add("two", 1)
    study.until_jobs_begin(1)
    study.open_gate()
    assert "1 of 2 workers have room in the Dask scheduler" in study.finish(run)
    assert study.states() == {"1.1": "completed", "2.1": "completed"}


def test_a_restarted_scheduler_fails_the_study_which_can_be_resumed(study: Study) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with DaskCluster(port) as cluster:
        cluster.add("one", 2)
        study.write(2, "gated", address=cluster.address)
        run = study.start("run", "study.json")
        begun = study.until_jobs_begin(2)
        study.until_recorded(2)
        cluster.crash()
        out = study.finish(run, status=1)
        assert f"the Dask scheduler at {cluster.address} is gone or was restarted" in out
        assert "resume" in out
        for _, child in begun:
            until_gone(child)
    assert "cannot be reached" in study.run("resume", "valley", status=2)
    with DaskCluster(port) as cluster:
        cluster.add("one", 2)
        study.open_gate()
        study.run("resume", "valley")
    states = study.states()
    assert sorted(states.values())[:2] == ["completed"] * 2
    assert set(sorted(states.values())[2:]) == {"lost"}
    assert states["1.1"] == states["2.1"] == "lost"


def test_a_cancelled_job_ends_at_its_dask_worker_with_its_children(
    study: Study, address: str
) -> None:
    study.write(2, "gated", address=address)
    run = study.start("run", "study.json")
    begun = study.until_jobs_begin(2)
    study.until_recorded(2)
    study.run("stop", "valley")
    run.communicate(timeout=HANGS)
    assert not any(psutil.pid_exists(child) for _, child in begun)


@pytest.mark.usefixtures("address")
def test_code_reaches_workers_whose_folder_is_another_one(study: Study) -> None:
    study.write(2, "moved", address="auto")
    study.run("run", "study.json")
    assert study.states() == {"1.1": "completed", "2.1": "completed"}


def test_jobs_run_where_their_resources_are_and_where_they_may(study: Study, address: str) -> None:
    resources = {"gpus": 0.5, "cpus": 1}
    study.write(2, "gated", address=address, restrict_to=["two"], job={"resources": resources})
    run = study.start("run", "study.json")
    assert sorted(gpu for gpu, _ in study.until_jobs_begin(2)) == [2, 3], "the GPUs of that worker"
    study.open_gate()
    study.finish(run)


def test_a_cluster_of_its_own_shares_gpus_and_ends_with_the_study(study: Study) -> None:
    study.write(4, "gated", gpus=[6, 7], job={"resources": {"gpus": 0.5}})
    run = study.start("run", "study.json", "--workers", "4")
    assert sorted(gpu for gpu, _ in study.until_jobs_begin(4)) == [6, 6, 7, 7]
    own = workers_below(run.pid)
    assert len(own) == 4
    study.open_gate()
    study.finish(run)
    assert psutil.wait_procs(own, timeout=0)[1] == []


def test_a_job_that_no_machine_has_room_for_is_refused(study: Study) -> None:
    study.write(1, "gated", gpus=[6], job={"resources": {"gpus": 2}})
    out = study.run("run", "study.json", status=2)
    assert "a job needs a thread, GPU 2, and this machine has" in out


def test_a_dask_worker_that_has_fewer_gpus_than_it_offers_is_refused(
    study: Study, cluster: DaskCluster
) -> None:
    cluster.add("one", 1, "GPU=1", CUDA_VISIBLE_DEVICES="")
    study.write(1, "gated", address=cluster.address, job={"resources": {"gpus": 1}})
    out = study.run("run", "study.json", status=1)
    assert "offers GPU=1, and has 0 in CUDA_VISIBLE_DEVICES" in out
