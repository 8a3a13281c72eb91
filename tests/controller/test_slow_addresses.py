"""`keep_checkpoints` with an address that answers slowly: the controller never waits for it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem

from hpo_core import (
    Budget,
    Configuration,
    HyperParameterOptimizer,
    Int,
    JobInfo,
    Study,
    load_study,
    report,
)
from hpo_core.errors import StudyFailed
from hpo_core.plugin import BaseStrategy, Decision, Exhausted, Resume, Start

HANGS = 60.0

TRAIN = """
from pathlib import Path
from hpo_core import report

def fit(configuration, job):
    at = Path(job.checkpoint_dir, "step")
    print("begins at", at.read_text() if at.exists() else 0, flush=True)
    at.write_text(str(job.iterations or 1))
    report(job.iterations or 1, loss=-float(job.trial_id))
"""


class SlowFiles(LocalFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Files of this machine, at an address that is asked in threads alone.

    Attributes:
        gate: What trial 1 is stored is waited for.
        is_late: Whether it came too late: the controller has waited for the transfer.
    """

    protocol = "slow"
    cachable = False
    gate = threading.Event()
    is_late = False
    asked = 0

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(str(path).removeprefix("slow://")))

    def _ask(self) -> None:
        assert threading.current_thread() is not threading.main_thread(), "the controller waits"
        type(self).asked += 1

    def cat_file(self, *told: Any, **more: Any) -> Any:
        self._ask()
        return super().cat_file(*told, **more)

    def exists(self, *told: Any, **more: Any) -> Any:
        self._ask()
        return super().exists(*told, **more)

    def rm(self, *told: Any, **more: Any) -> Any:
        self._ask()
        return super().rm(*told, **more)

    def put_file(self, source: str, target: str, *told: Any, **more: Any) -> Any:
        self._ask()
        if target.split("/")[-3] == "1" and not self.gate.wait(HANGS):
            type(self).is_late = True
        return super().put_file(source, target, *told, **more)


@pytest.fixture
def slow() -> Iterator[type[SlowFiles]]:
    fsspec.register_implementation("slow", SlowFiles, clobber=True)
    SlowFiles.gate.clear()
    SlowFiles.is_late, SlowFiles.asked = False, 0
    yield SlowFiles
    SlowFiles.gate.set()


def study(folder: Path, **settings: Any) -> Study:
    (folder / "train.py").write_text(TRAIN)
    given: dict[str, Any] = {
        "function": "train:fit",
        "parameters": [Int("x", 0, 99)],
        "objective": "loss",
        "direction": "minimize",
        "workers": 1,
        "directory": folder,
        "checkpoints": f"slow://{folder}/far",
        "store": folder / "hpo.db",
        "keep_checkpoints": 1,
        "seed": 3,
    }
    return Study(**{**given, **settings})


def test_a_trial_that_is_still_being_stored_is_deleted_without_waiting(
    tmp_path: Path, slow: type[SlowFiles]
) -> None:
    last = 4

    def finished(job: Any) -> None:
        if job.job.trial_id == last:
            slow.gate.set()

    given = study(tmp_path, strategy="random", budget={"jobs": last})
    given.run(progress=False, on_job_finished=finished)
    assert slow.asked
    assert not slow.is_late
    assert [path.parent.name for path in tmp_path.glob("far/*/*/latest")] == [str(last)]
    (left,) = (path for path in tmp_path.glob("hpo.files/*/checkpoints/*") if path.name.isdecimal())
    assert left.name == str(last)


class Promotes(BaseStrategy):
    """Runs two trials to iteration 1, and then resumes others, if any."""

    def __init__(self, *resumed: int) -> None:
        self._resumed = list(resumed)

    def ask(self, trial_id: int, /) -> Start | Resume | Exhausted:
        if trial_id <= 2:
            return Start(Configuration(x=trial_id), iterations=1)
        return Resume(self._resumed.pop(), iterations=2) if self._resumed else Exhausted()

    def adopt(self, trial_id: int, suggestion: Any, /) -> None:
        pass

    def tell(self, report: Any, /) -> Decision:
        return Decision.CONTINUE


def trains(configuration: Any, job: JobInfo) -> None:
    at = Path(job.checkpoint_dir, "step")
    assert int(at.read_text() if at.exists() else 0) == (job.iterations or 0) - 1
    at.write_text(str(job.iterations))
    report(job.iterations, loss=float(configuration["x"]))


def resumed(lab: Any, *, kept_before: int | None) -> HyperParameterOptimizer:
    """Run a study, remove the checkpoints here, and return its extension, which resumes trial 2."""
    changes = {"max_iterations": 2, "checkpoints": f"slow://{lab.folder}/far"}
    before = {"keep_checkpoints": kept_before, **changes}
    lab.study(trains, strategy=Promotes(), budget=Budget(jobs=2), **before).run()
    for path in lab.folder.glob("*.files/*/checkpoints"):
        shutil.rmtree(path)
    load_study(lab.store, "s").extend(Budget(jobs=3))
    found: HyperParameterOptimizer = lab.study(
        trains, strategy=Promotes(2), budget=Budget(jobs=3), keep_checkpoints=1, **changes
    )
    return found


def test_whether_a_trial_can_be_resumed_is_asked_in_a_thread(
    lab: Any, slow: type[SlowFiles]
) -> None:
    slow.gate.set()
    resumed(lab, kept_before=None).run()
    assert lab.rows("SELECT state, iteration FROM job WHERE trial = 2 AND attempt = 2") == [
        ("completed", 2)
    ]


def test_a_trial_whose_checkpoints_are_deleted_at_the_address_fails_the_study(
    lab: Any, slow: type[SlowFiles]
) -> None:
    slow.gate.set()
    said = r"resumes from trial 2, whose checkpoints job\.keep_checkpoints has deleted"
    with pytest.raises(StudyFailed, match=said):
        resumed(lab, kept_before=1).run()
    ((state, reason),) = lab.rows("SELECT state, reason FROM job WHERE trial = 2 AND attempt = 2")
    assert state == "failed"
    assert "has deleted" in reason
