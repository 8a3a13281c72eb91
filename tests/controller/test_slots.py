"""`job.resources` with the backend local: devices are names here, processes and kills are real."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hpo_core import Int, InvalidInput, Study
from hpo_core.errors import PluginError

JOB = """
import fcntl, json, os, sys
# A lock for each device: a second job on it would fail.
shared = int(sys.argv[1]) if len(sys.argv) > 1 else 1
for gpu in os.environ["CUDA_VISIBLE_DEVICES"].split(","):
    for part in range(shared):
        lock = open(f"lock-{gpu.replace('/', '_')}-{part}", "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        globals()[f"held_{gpu}_{part}"] = lock
        break
    else:
        sys.exit(f"two jobs on {gpu}")
"""

COMMAND = (
    JOB
    + """
from hpo_core import report
with open("seen", "a") as seen:
    own = {name: os.environ.get(name) for name in
           ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "HPO_WORKER", "CUDA_DEVICE_ORDER")}
    seen.write(json.dumps({**own, "args": sys.argv}) + "\\n")
report(loss=1.0)
"""
)

FUNCTION = """
import os
AT_IMPORT = os.environ.get("CUDA_VISIBLE_DEVICES")

def fit(configuration):
    with open("seen", "a") as seen:
        own = os.getpid(), AT_IMPORT, os.environ["CUDA_VISIBLE_DEVICES"], os.environ["HPO_WORKER"]
        seen.write(" ".join(map(str, own)) + "\\n")
    return 1.0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "job.py").write_text(COMMAND)
    (tmp_path / "work.py").write_text(FUNCTION)
    return tmp_path


def study(folder: Path, resources: dict[str, Any], gpus: Sequence[object], **other: Any) -> Study:
    given: dict[str, Any] = {
        "command": ["{python}", "job.py"],
        "parameters": [Int("x", 1, 99)],
        "objective": "loss",
        "direction": "minimize",
        "budget": {"jobs": 8},
        "directory": folder,
        "resources": resources,
        "backend_options": {"gpus": list(gpus)} if gpus else None,
        "seed": 7,
    }
    return Study(**{**given, **other})


def seen(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "seen").read_text().splitlines()]


def states(ran: Study) -> Counter[str]:
    return Counter(job.state.value for job in ran.jobs)


def test_each_job_has_its_own_gpu_and_workers_follow_from_them(folder: Path) -> None:
    ran = study(folder, {"gpus": 1}, [0, "MIG-a/7/0", 2])
    assert ran.config.workers == 3
    ran.run(progress=False)
    assert states(ran) == {"completed": 8}
    for job in seen(folder):
        gpu = {"0": "0", "1": "MIG-a/7/0", "2": "2"}[job["HPO_WORKER"]]
        assert job["CUDA_VISIBLE_DEVICES"] == job["HIP_VISIBLE_DEVICES"] == gpu
        assert job["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_a_job_may_have_two_gpus_or_half_of_one(folder: Path) -> None:
    study(folder, {"gpus": 2}, [0, 1, 2, 3], name="pairs").run(progress=False)
    assert {job["CUDA_VISIBLE_DEVICES"] for job in seen(folder)} <= {"0,1", "2,3"}
    (folder / "seen").unlink()
    halves = study(
        folder, {"gpus": 0.5}, [0, 1], command=["{python}", "job.py", "2"], name="halves"
    )
    assert halves.config.workers == 4
    halves.run(progress=False)
    assert states(halves) == {"completed": 8}


def test_more_workers_than_gpus_wait_for_one(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ran = study(folder, {"gpus": 1}, [0, 1], workers=4)
    ran.run(progress=False)
    assert states(ran) == {"completed": 8}
    assert "workers is 4, but this machine has job.resources for 2 jobs at a time" in caplog.text


def test_a_command_may_name_its_gpu_and_its_worker(folder: Path) -> None:
    command = ["{python}", "job.py", "1", "--device={gpu}", "{worker}"]
    ran = study(folder, {"gpus": 1}, [5], command=command, environment={"PORT": "290{worker}"})
    ran.run(progress=False)
    assert {tuple(job["args"][2:]) for job in seen(folder)} == {("--device=5", "0")}
    with pytest.raises(InvalidInput, match=r"command\[3\]: \{gpu\} stands for the GPUs of a job"):
        study(folder, {"cpus": 1}, [], command=command).run(progress=False)


def test_a_parameter_with_the_name_of_a_placeholder_takes_its_place(folder: Path) -> None:
    command = ["{python}", "job.py", "1", "{worker}"]
    parameters = [Int("worker", 7, 7)]
    ran = study(folder, {"gpus": 1}, [0], command=command, parameters=parameters)
    ran.run(progress=False)
    assert {job["args"][2] for job in seen(folder)} == {"7"}


def test_warm_workers_of_a_function_keep_their_gpu_from_before_the_import(folder: Path) -> None:
    ran = study(folder, {"gpus": 1}, [3, 4], function="work:fit", command=None)
    ran.run(progress=False)
    assert states(ran) == {"completed": 8}
    rows = {tuple(line.split()) for line in (folder / "seen").read_text().splitlines()}
    assert len({process for process, *_ in rows}) == len(rows) <= 2
    assert {row[1:] for row in rows} <= {("3", "3", "0"), ("4", "4", "1")}


def test_a_function_that_workers_cannot_import_has_its_own_gpu_too(folder: Path) -> None:
    def fit(configuration: dict[str, Any]) -> float:
        return float(os.environ["CUDA_VISIBLE_DEVICES"])

    ran = study(folder, {"gpus": 1}, [3, 4], command=None, function=fit)
    ran.run(progress=False)
    assert states(ran) == {"completed": 8}
    assert {trial.values["loss"] for trial in ran.trials} <= {3.0, 4.0}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs CPU affinity")
@pytest.mark.parametrize("kind", ["command", "function"])
def test_each_job_runs_on_its_own_cpus(folder: Path, kind: str) -> None:
    (folder / "cpus.py").write_text(
        "import os\n"
        "def fit(configuration): return float(min(os.sched_getaffinity(0)))\n"
        "if __name__ == '__main__':\n"
        "    from hpo_core import report\n"
        "    report(loss=fit({}))\n"
    )
    work = {
        "command": {"command": ["{python}", "cpus.py"]},
        "function": {"command": None, "function": "cpus:fit"},
    }[kind]
    ran = study(folder, {"cpus": 1}, [], **work)
    cpus = sorted(os.sched_getaffinity(0))
    assert ran.config.workers == len(cpus)
    ran.run(progress=False)
    assert {trial.values["loss"] for trial in ran.trials} <= {float(cpu) for cpu in cpus}
    assert states(ran) == {"completed": 8}


@pytest.mark.parametrize("kind", ["command", "function"])
def test_a_job_that_needs_more_memory_than_it_may_use_is_told_apart(
    folder: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "big.py").write_text(
        "def fit(configuration): return float(len(bytearray(3 * 10**9)))\n"
        "if __name__ == '__main__': fit({})\n"
    )
    work = {
        "command": {"command": ["{python}", "big.py"]},
        "function": {"command": None, "function": "big:fit"},
    }[kind]
    ran = study(folder, {"memory": "1GB"}, [], budget={"jobs": 1}, workers=1, **work)
    ran.run(progress=False)
    (job,) = ran.jobs
    assert job.cause is not None
    assert job.cause.value == "out_of_memory"


def test_a_machine_with_too_little_refuses_the_study(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InvalidInput, match="asks for 1, but no GPU was found here"):
        study(folder, {"gpus": 1}, []).run(progress=False)
    assert "workers is 1, since this machine has too little for a job" in caplog.text
    with pytest.raises(InvalidInput, match="asks for 4, but there are only 0, 1; ask for fewer"):
        study(folder, {"gpus": 4}, [0, 1]).run(progress=False)


def test_variables_that_would_hide_the_gpus_are_refused(folder: Path) -> None:
    own = {"CUDA_VISIBLE_DEVICES": "0"}
    with pytest.raises(InvalidInput, match=r"hides GPUs that job\.resources\.gpus gives"):
        study(folder, {"gpus": 1}, [0], environment=own).run(progress=False)


def test_the_backend_inline_refuses_resources(folder: Path) -> None:
    with pytest.raises(PluginError, match=r"'inline' does not support job\.resources\.gpus"):
        study(folder, {"gpus": 1}, [], function="work:fit", command=None, backend="inline").run(
            progress=False
        )


GROUPS = Path("/sys/fs/cgroup/memory")


@pytest.mark.skipif(not os.access(GROUPS, os.W_OK), reason="needs a cgroup that can be written")
def test_a_job_that_the_kernel_kills_at_a_limit_of_memory_is_told_apart(folder: Path) -> None:
    """The limit is a cgroup of version 1 here, since a kernel has memory in one version alone."""
    group = GROUPS / f"hpo-test-{os.getpid()}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(64 * 2**20))
        script = 'echo 0 >"$0/tasks" && exec "$@"'
        code = "print(len(bytearray(10**9)))"
        command = ["sh", "-c", script, str(group), "{python}", "-c", code]
        ran = study(folder, {"cpus": 1}, [], command=command, budget={"jobs": 1}, workers=1)
        ran.run(progress=False)
    finally:
        group.rmdir()
    (job,) = ran.jobs
    assert job.cause is not None
    assert (job.cause.value, job.reason.split(",")[0]) == ("out_of_memory", "killed by SIGKILL")
