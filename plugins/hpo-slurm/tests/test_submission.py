"""What is submitted, and what is refused before anything is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hpo_slurm import commands, script
from hpo_slurm.batches import Batches
from hpo_slurm.options import SlurmOptions, check

from hpo_core.plugin import BackendContext, BackendError, InvalidInput, Resources, Work


class Clock:
    def now(self) -> float:
        return 0.0


def context(resources: Resources | None = None) -> BackendContext:
    return BackendContext(
        study="digits",
        study_uid="abc",
        work=Work(command=("true",)),
        workers=1,
        clock=Clock(),
        decides=False,
        deliver=lambda _: None,
        folder="/shared",
        resources=resources,
    )


def test_options_and_resources_become_those_of_sbatch() -> None:
    resources = Resources(gpus=2, cpus=4, memory=8_000_000_000)
    options = SlurmOptions(partition="gpu", account="team", qos="high", time="90s")
    given = script.arguments(context(resources), options, options.minutes)
    assert {"--partition=gpu", "--account=team", "--qos=high", "--time=2"} <= set(given)
    assert {"--cpus-per-task=4", "--mem=7812500K", "--gres=gpu:2"} <= set(given)


def test_a_part_of_a_gpu_is_refused_with_a_remedy() -> None:
    with pytest.raises(BackendError, match="Slurm gives whole GPUs; take 1"):
        script.arguments(context(Resources(gpus=0.5)), SlurmOptions(), None)


def test_the_script_has_extra_options_first_and_then_commands(tmp_path: Path) -> None:
    options = SlurmOptions(extra_lines=("module() { echo loaded; }", "#SBATCH --nice", "module"))
    orders = [str(tmp_path / "a b.json"), str(tmp_path / "7.1.json")]
    text = script.text(options, orders, "/bin/echo")
    lines = text.splitlines()
    assert lines[1:4] == ["#SBATCH --no-requeue", "#SBATCH --open-mode=append", "#SBATCH --nice"]
    for index, order in enumerate(orders):
        ran = subprocess.run(
            ["sh"], input=text, env={"SLURM_ARRAY_TASK_ID": str(index)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert ran.stdout.splitlines()[0] == "loaded"
        assert ran.stdout.endswith(f"{order}\n")


def test_all_faults_of_the_options_are_named() -> None:
    options = SlurmOptions(time="soon", interval=0, port=70000, array=0, reach="a:b")
    with pytest.raises(InvalidInput) as caught:
        check(options)
    paths = [fault.path for fault in caught.value.faults]
    names = ("time", "interval", "port", "array", "reach")
    assert paths == [f"backend.options.{name}" for name in names]


def test_without_slurm_the_study_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BackendError, match="there is no command 'scontrol' on PATH"):
        commands.config()


def test_what_an_outer_slurm_job_has_set_does_not_reach_new_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "7")
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm.conf")
    found = commands.environment()
    assert "SLURM_ARRAY_TASK_ID" not in found
    assert found["SLURM_CONF"] == "/etc/slurm.conf"


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("Unable to contact slurm controller (connect failure)", True),
        ("Batch job submission failed: Socket timed out on send/recv operation", True),
        ("Job violates accounting/QOS policy (job submit limit, user's size)", True),
        ("Batch job submission failed: Invalid account or account/partition combination", False),
        ("invalid partition specified: nope", False),
    ],
)
def test_what_passes_is_tried_again_and_a_mistake_is_not(said: str, passes: bool) -> None:
    assert commands.SlurmError("sbatch", said).passes is passes


def test_batches_are_known_to_the_next_controller(tmp_path: Path) -> None:
    name = Batches(str(tmp_path)).write(["7.1", "8.1"])
    later = Batches(str(tmp_path))
    assert (name, later.job_id(name, 1), later.job_id(name, 2)) == ("7.1", "8.1", None)
    assert later.job_id("../elsewhere", 0) is None
