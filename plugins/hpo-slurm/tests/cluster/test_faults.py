"""Studies on a real Slurm, to which everything happens that can happen to a cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

HPO = [sys.executable, "-c", "from hpo_core.cli.main import main; main()"]

JOB = """
import os, sys, hpo_core
env = os.environ
slurm_id = env["SLURM_JOB_ID"]
if "SLURM_ARRAY_JOB_ID" in env:
    slurm_id = env["SLURM_ARRAY_JOB_ID"] + "_" + env["SLURM_ARRAY_TASK_ID"]
with open("begun", "a") as file:
    file.write(env["HPO_JOB_ID"] + " " + slurm_id + " " + env["HPO_WORKER"] + "\\n")
hpo_core.report(1, loss=float(sys.argv[1]))
with open("gate") as gate:
    gate.read()
with open("done", "a") as file:
    file.write(os.environ["HPO_JOB_ID"] + "\\n")
hpo_core.report(2, loss=float(sys.argv[1]))
"""

HANGS = 120


class Study:
    """A study in a folder, whose jobs wait at a gate."""

    def __init__(self, folder: Path, cluster: Any) -> None:
        self.folder, self.cluster = folder, cluster
        self.processes: list[subprocess.Popen[str]] = []
        os.mkfifo(folder / "gate")

    def write(
        self, jobs: int, *, script: str = JOB, workers: int = 4, job: Mapping[str, Any] = {},
        **options: Any,
    ) -> None:  # fmt: skip
        (self.folder / "job.py").write_text(script)
        study = {
            "name": "fates",
            "seed": 1,
            "strategy": "random",
            "workers": workers,
            "objective": {"metric": "loss", "direction": "minimize"},
            "budget": {"jobs": jobs},
            "backend": {
                "name": "slurm",
                "options": {"host": "127.0.0.1", "interval": 1, "time": "10m", **options},
            },
            "job": {"command": ["{python}", "job.py", "{x}"], "grace": 1, **job},
            "parameters": {"x": {"type": "float", "low": 0, "high": 1}},
        }
        (self.folder / "study.json").write_text(json.dumps(study))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of hpo."""
        self.processes.append(
            subprocess.Popen(
                [*HPO, *(arguments or ("run", "study.json", "--quiet"))],
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return self.processes[-1]

    def finish(self, process: subprocess.Popen[str], status: int = 0) -> str:
        """Wait for the end of a command; return what it says."""
        try:
            out, errors = process.communicate(timeout=HANGS)
        except subprocess.TimeoutExpired:
            process.kill()
            out, errors = process.communicate()
            jobs = "\n".join(mine(self))
            raise AssertionError(
                f"it hangs\n{out}{errors}\n{jobs}\n{self.cluster.logs()}"
            ) from None
        assert process.returncode == status, out + errors
        assert "Traceback" not in errors
        return out + errors

    def lines(self, name: str) -> list[str]:
        """Return the lines of a file that jobs write."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def slurm_id(self, position: int) -> str:
        """Return the Slurm job of what has begun at a position."""
        return self.lines("begun")[position].split()[1]

    def wait(self, name: str, count: int) -> None:
        """Wait until a file has so many lines."""
        self.cluster.until(lambda: len(self.lines(name)) >= count)

    def open_gate(self) -> None:
        """Let all jobs pass, those that come later, too."""
        gate = self.folder / "gate"
        if gate.is_fifo():
            writer = os.open(gate, os.O_RDWR)
            (self.folder / "open").touch()
            os.replace(self.folder / "open", gate)
            os.close(writer)

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Return the jobs of the study by id."""
        listed = json.loads(self.finish(self.start("jobs", "fates", "--json")))
        return {job["id"]: job for job in listed}

    def states(self) -> dict[str, str]:
        return {name: job["state"] for name, job in self.jobs().items()}


@pytest.fixture
def study(tmp_path: Path, cluster: Any) -> Iterator[Study]:
    cluster.command("scontrol", "update", f"NodeName={cluster.node}", "State=RESUME")
    study = Study(tmp_path, cluster)
    yield study
    for process in study.processes:
        if process.poll() is None:
            process.kill()
            process.wait()
    cluster.command("scancel", "--name=fates", "--full", "--signal=KILL")
    cluster.command("scancel", "--name=fates")


def test_the_time_limit_of_slurm_is_a_time_limit(study: Study, cluster: Any) -> None:
    study.write(1, time="1m", job={"on_time_limit": "fail"})
    study.finish(study.start(), status=1)
    (job,) = study.jobs().values()
    assert (job["state"], job["reason"].splitlines()[0]) == (
        "timed_out",
        "Slurm ended it at its time limit",
    )


def test_jobs_that_start_together_are_one_array(study: Study, cluster: Any) -> None:
    study.write(24, workers=24)
    run = study.start()
    study.wait("begun", 8)
    assert len({line.split()[0].partition("_")[0] for line in mine(study)}) == 1
    study.open_gate()
    study.finish(run)
    assert set(study.states().values()) == {"completed"}
    assert len(study.lines("done")) == 24


def test_a_job_that_is_cancelled_from_outside_is_lost_and_run_again(
    study: Study, cluster: Any
) -> None:
    study.write(2, workers=2)
    run = study.start()
    study.wait("begun", 2)
    lost = study.lines("begun")[0].split()[0]
    cluster.command("scancel", study.slurm_id(0))
    study.wait("begun", 3)
    study.open_gate()
    study.finish(run)
    jobs = study.jobs()
    assert jobs[lost]["state"] == "lost"
    assert "cancelled in Slurm, and not by the study" in jobs[lost]["reason"]
    assert sorted(job["state"] for job in jobs.values()) == ["completed", "completed", "lost"]


def test_a_job_that_is_cancelled_in_the_queue_is_lost_too(study: Study, cluster: Any) -> None:
    cluster.command("scontrol", "update", f"NodeName={cluster.node}", "State=DRAIN", "Reason=test")
    study.write(1)
    run = study.start()
    cluster.until(lambda: any("PENDING" in line for line in mine(study)))
    (job,) = [line.split()[0] for line in mine(study) if "PENDING" in line]
    cluster.command("scancel", job)
    cluster.until(lambda: sum("PENDING" in line for line in mine(study)) == 1 < len(mine(study)))
    cluster.command("scontrol", "update", f"NodeName={cluster.node}", "State=RESUME")
    study.open_gate()
    study.finish(run)
    assert study.states() == {"1.1": "lost", "1.2": "completed"}


def test_jobs_outlive_a_killed_controller_and_none_runs_twice(study: Study, cluster: Any) -> None:
    study.write(6, workers=6, job={"resources": {"cpus": 2}})
    run = study.start()
    study.wait("begun", 4)  # two of them wait in the queue
    run.kill()
    run.wait()
    resumed = study.start("resume", "fates", "--quiet")
    study.open_gate()
    study.finish(resumed)
    assert set(study.states().values()) == {"completed"}
    assert sorted(study.lines("done")) == sorted(study.states())
    assert len(study.lines("begun")) == 6


def test_a_number_of_a_worker_is_that_of_no_other_job_also_after_a_resumption(
    study: Study, cluster: Any
) -> None:
    study.write(3, workers=3, job={"command": ["{python}", "job.py", "{x}", "{worker}"]})
    run = study.start()
    study.wait("begun", 3)
    numbers = {job: (slurm, number) for job, slurm, number in map(str.split, study.lines("begun"))}
    assert sorted(number for _, number in numbers.values()) == ["0", "1", "2"]
    run.kill()
    run.wait()
    resumed = study.start("resume", "fates", "--quiet")
    (slurm_id,) = (slurm for slurm, number in numbers.values() if number == "1")
    cluster.command("scancel", slurm_id)
    study.wait("begun", 4)
    assert study.lines("begun")[3].split()[2] == "1"
    study.open_gate()
    study.finish(resumed)


def test_a_slurm_job_that_the_study_does_not_know_is_cancelled_and_the_others_go_on(
    study: Study, cluster: Any
) -> None:
    study.write(2, workers=2)
    run = study.start()
    study.wait("begun", 2)
    run.kill()
    run.wait()
    (uid,) = {
        line.split()[2] for line in cluster.jobs("%Z %k") if line.startswith(str(study.folder))
    }
    unknown = cluster.command(
        "sbatch", "--parsable", "--job-name=fates", f"--comment=hpo-core {uid} 7.1",
        f"--chdir={study.folder}", "--output=/dev/null", "--wrap=exec sleep 600",
    ).strip()  # fmt: skip
    resumed = study.start("resume", "fates", "--quiet")
    cluster.until(lambda: f"{unknown} CANCELLED" in mine(study))
    study.open_gate()
    study.finish(resumed)
    assert study.states() == {"1.1": "completed", "2.1": "completed"}
    assert len(study.lines("begun")) == 2


def test_what_ends_without_a_controller_counts(study: Study, cluster: Any) -> None:
    study.write(2, workers=2)
    run = study.start()
    study.wait("begun", 2)
    run.kill()
    run.wait()
    study.open_gate()
    cluster.until(lambda: sum('"finished"' in text for text in spools(study)) == 2)
    for position in range(2):  # their agents would wait for a controller, for half a minute
        cluster.command("scancel", study.slurm_id(position))
    cluster.until(lambda: not any(line.endswith("ING") for line in mine(study)))
    study.finish(study.start("resume", "fates", "--quiet"))
    assert study.states() == {"1.1": "completed", "2.1": "completed"}
    assert len(study.lines("begun")) == 2


def test_a_node_daemon_that_is_killed_under_load_costs_no_job(study: Study, cluster: Any) -> None:
    study.write(10, workers=6)
    run = study.start()
    study.wait("begun", 6)
    cluster.signal("slurmd", signal.SIGKILL)
    study.open_gate()
    study.wait("done", 6)
    cluster.start_node()
    study.finish(run)
    assert set(study.states().values()) == {"completed"}
    assert len(study.lines("done")) == 10


def test_a_controller_daemon_that_is_killed_is_waited_for(study: Study, cluster: Any) -> None:
    study.write(8, workers=4)
    run = study.start()
    study.wait("begun", 4)
    cluster.save_jobs(study.slurm_id(0))
    cluster.signal("slurmctld", signal.SIGKILL)
    study.open_gate()
    study.wait("done", 4)
    cluster.start_controller()
    study.finish(run)
    assert set(study.states().values()) == {"completed"}
    assert len(study.lines("done")) == 8


def test_a_drained_node_finishes_its_jobs_and_the_others_wait(study: Study, cluster: Any) -> None:
    study.write(8, workers=4)
    run = study.start()
    study.wait("begun", 4)
    cluster.command("scontrol", "update", f"NodeName={cluster.node}", "State=DRAIN", "Reason=test")
    study.open_gate()
    study.wait("done", 4)
    cluster.until(lambda: any("PENDING" in line for line in mine(study)))
    assert len(study.lines("begun")) == 4
    cluster.command("scontrol", "update", f"NodeName={cluster.node}", "State=RESUME")
    study.finish(run)
    assert set(study.states().values()) == {"completed"}


def test_jobs_of_a_node_that_fails_are_lost_and_run_again(study: Study, cluster: Any) -> None:
    study.write(2, workers=2)
    run = study.start()
    study.wait("begun", 2)
    cluster.command("scontrol", "update", f"NodeName={cluster.node}", "State=DOWN", "Reason=test")
    cluster.until(lambda: any("NODE_FAIL" in line for line in mine(study)))
    cluster.command("scontrol", "update", f"NodeName={cluster.node}", "State=RESUME")
    study.wait("begun", 4)
    study.open_gate()
    study.finish(run)
    jobs = study.jobs()
    assert sorted(job["state"] for job in jobs.values()) == ["completed"] * 2 + ["lost"] * 2
    assert "its node failed" in jobs["1.1"]["reason"]


def test_a_job_that_is_preempted_is_lost_and_run_again(study: Study, cluster: Any) -> None:
    study.write(1, partition="debug")
    run = study.start()
    study.wait("begun", 1)
    urgent = cluster.command(
        "sbatch", "--parsable", "--partition=urgent", "--exclusive", "--output=/dev/null",
        "--wrap=sleep 1",
    ).strip()  # fmt: skip
    assert urgent.isdigit(), urgent
    study.wait("begun", 2)
    study.open_gate()
    study.finish(run)
    jobs = study.jobs()
    assert {name: job["state"] for name, job in jobs.items()} == {"1.1": "lost", "1.2": "completed"}
    assert "preempted" in jobs["1.1"]["reason"]


def test_a_job_that_slurm_puts_back_into_the_queue_is_lost_and_run_again(
    study: Study, cluster: Any
) -> None:
    study.write(1, extra_lines=["#SBATCH --requeue"])
    run = study.start()
    study.wait("begun", 1)
    cluster.command("scontrol", "requeue", study.slurm_id(0))
    study.wait("begun", 2)
    study.open_gate()
    study.finish(run)
    assert study.states() == {"1.1": "lost", "1.2": "completed"}
    assert [line.split()[0] for line in study.lines("begun")] == ["1.1", "1.2"]


def test_a_job_without_enough_memory_has_failed_for_that_reason(study: Study, cluster: Any) -> None:
    if not cluster.limits_memory:
        pytest.skip("Slurm cannot limit memory here: it needs cgroup v1, and root")
    script = "held = bytearray(600 << 20)\n" + JOB
    study.write(1, script=script, job={"resources": {"memory": "200MB"}})
    study.open_gate()
    study.finish(study.start(), status=1)
    (job,) = study.jobs().values()
    assert (job["state"], job["cause"]) == ("failed", "out_of_memory"), job


def test_jobs_get_the_gpus_and_cpus_that_the_study_asks_for(study: Study, cluster: Any) -> None:
    given = "env.get('CUDA_VISIBLE_DEVICES', 'none') + ':' + env['SLURM_CPUS_PER_TASK']"
    script = JOB.replace('with open("begun"', f'slurm_id = {given}\nwith open("begun"')
    study.write(2, script=script, workers=2, job={"resources": {"gpus": 2, "cpus": 3}})
    run = study.start()
    study.wait("begun", 2)
    study.open_gate()
    study.finish(run)
    found = sorted(line.split()[1] for line in study.lines("begun"))
    assert found == ["0,1:3", "2,3:3"]


def test_jobs_that_cannot_reach_the_controller_report_by_files(study: Study, cluster: Any) -> None:
    study.write(3, reach="127.0.0.1:9", workers=3)
    run = study.start()
    study.wait("begun", 3)
    study.open_gate()
    said = study.finish(run)
    assert "do not reach this controller at 127.0.0.1, port 9" in said
    assert set(study.states().values()) == {"completed"}


def test_what_slurm_would_refuse_is_an_error_before_the_first_job(
    study: Study, cluster: Any
) -> None:
    study.write(1, partition="nowhere")
    said = study.finish(study.start(), status=2)
    assert "Slurm refuses the jobs of this study" in said
    assert "invalid partition" in said.lower()


def test_a_program_that_a_node_lacks_is_a_reason(study: Study, cluster: Any) -> None:
    study.write(1, python="/no/such/python")
    study.finish(study.start(), status=1)
    (job,) = study.jobs().values()
    assert job["state"] == "failed"
    assert "/no/such/python" in job["reason"]


def spools(study: Study) -> list[str]:
    """Return what agents have written of their jobs."""
    return [path.read_text() for path in study.folder.glob("**/spools/*")]


def mine(study: Study) -> list[str]:
    """Return the id and state of each Slurm job of a study."""
    lines = [line.split("|") for line in study.cluster.jobs("%i|%T|%Z")]
    return [f"{line[0]} {line[1]}" for line in lines if line[2] == str(study.folder)]
