"""`job.checkpoints`: fetched when a job starts, stored when it has ended, by the real fsspec."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hpo_core import Int, InvalidInput, Study, load_study

TRAIN = """
import os
from pathlib import Path

def fit(configuration, job):
    folder = Path(job.checkpoint_dir)
    at = folder / "deep" / "step"
    step = int(at.read_text()) if at.exists() else 0
    from hpo_core import report
    print("begins at", step, flush=True)
    at.parent.mkdir(exist_ok=True)
    if os.path.exists("block"):  # a file where a folder is needed
        state = Path("far", folder.parents[1].name, "1", "1")
        state.parent.mkdir(parents=True)
        state.write_text("")
    while step < job.iterations:
        step += 1
        at.with_suffix(".new").write_text(str(step))
        os.replace(at.with_suffix(".new"), at)
        report(step, loss=1.0 / step + configuration["x"])
        if step == 2 and os.path.exists("gate"):
            open("here", "w").close()
            open("gate").close()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(TRAIN)
    return tmp_path


def study(folder: Path, address: str, **settings: Any) -> Study:
    given: dict[str, Any] = {
        "function": "train:fit",
        "parameters": [Int("x", 0, 99)],
        "objective": "loss",
        "direction": "minimize",
        "strategy": "asha",
        "options": {"searcher": "random"},
        "max_iterations": 9,
        "budget": {"jobs": 12},
        "directory": folder,
        "checkpoints": address,
        "store": folder / "hpo.db",
        "seed": 3,
        "grace": 0.5,
    }
    return Study(**{**given, **settings})


def begun(folder: Path) -> dict[str, int]:
    """Return at which step each job began."""
    logs = folder.glob("hpo.files/*/logs/*.log")
    return {log.stem: int(log.read_text().split()[2]) for log in logs}


def local(folder: Path) -> list[Path]:
    return [each for each in folder.glob("hpo.files/*/checkpoints/*") if each.name.isdecimal()]


def test_promoted_trials_go_on_on_a_machine_that_has_only_the_address(folder: Path) -> None:
    address = f"file://{folder}/far"
    study(folder, address, budget={"jobs": 6}).run(progress=False)
    stored = {path.parent.name for path in folder.glob("far/*/*/latest")}
    assert stored == {path.name for path in local(folder)}
    for path in folder.glob("hpo.files/*/checkpoints"):
        shutil.rmtree(path)
    again = load_study(folder / "hpo.db", "study")
    again.extend(jobs=14)
    again.resume(progress=False)
    later = {job: step for job, step in begun(folder).items() if not job.endswith(".1")}
    assert later
    assert all(step > 0 for step in later.values())
    for latest in folder.glob("far/*/*/latest"):  # no other state is left
        assert {each.name for each in latest.parent.iterdir()} == {"latest", latest.read_text()}


def test_a_newer_state_at_the_address_takes_the_place_of_an_older_folder(folder: Path) -> None:
    address = f"file://{folder}/far"
    study(folder, address, budget={"jobs": 6}).run(progress=False)
    for latest in folder.glob("far/*/*/latest"):
        number = int(latest.read_text())
        (latest.parent / str(number)).rename(latest.parent / str(number + 1))
        (latest.parent / str(number + 1) / "deep" / "step").write_text("2")
        latest.write_text(str(number + 1))
    before = begun(folder)
    again = load_study(folder / "hpo.db", "study")
    again.extend(jobs=14)
    again.resume(progress=False)
    numbers = {job.partition(".")[0] for job in before}
    later = {job: step for job, step in begun(folder).items() if job not in before}
    first = [step for job, step in later.items() if job.partition(".")[0] in numbers]
    assert 2 in first
    assert 1 not in first


def test_a_folder_is_used_as_it_is(folder: Path) -> None:
    study(folder, str(folder / "shared")).run(progress=False)
    assert not local(folder)
    (own,) = (folder / "shared").iterdir()
    assert (own / "1" / "deep" / "step").exists()


def test_deleted_checkpoints_are_deleted_at_the_address_too(folder: Path) -> None:
    settings = {"strategy": "random", "options": None, "budget": {"jobs": 5}}
    study(folder, f"file://{folder}/far", keep_checkpoints=2, **settings).run(progress=False)
    assert len(local(folder)) == 2
    assert {path.parent.name for path in folder.glob("far/*/*/latest")} == {
        path.name for path in local(folder)
    }


RUN = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_checkpoints_elsewhere import study
folder = Path(sys.argv[2])
settings = {"strategy": "random", "options": None, "budget": {"jobs": 1}}
study(folder, f"file://{folder}/far", **settings).run(progress=False)
"""


def test_what_a_killed_controller_has_not_stored_is_stored_by_the_next_one(folder: Path) -> None:
    os.mkfifo(folder / "gate")
    os.mkfifo(folder / "here")
    here = str(Path(__file__).parent)
    with subprocess.Popen([sys.executable, "-c", RUN, here, str(folder)]) as controller:
        (folder / "here").read_text()
        controller.send_signal(signal.SIGKILL)
    assert not list(folder.glob("far/*/*/latest"))
    (folder / "gate").write_text("")
    load_study(folder / "hpo.db", "study").resume(progress=False)
    (latest,) = folder.glob("far/*/*/latest")
    assert (latest.parent / latest.read_text() / "deep" / "step").read_text() == "9"
    assert list(begun(folder)) == ["1.1"]  # it was taken over


ONE: dict[str, Any] = {"strategy": "random", "options": None, "budget": {"jobs": 1}}


def test_a_job_fails_if_its_checkpoints_cannot_be_fetched(folder: Path) -> None:
    (folder / "far").write_text("a file, where a folder is needed")
    ran = study(folder, f"file://{folder}/far/inside", **ONE)
    ran.run(progress=False)
    (job,) = ran.jobs
    assert job.reason.startswith("cannot fetch the checkpoints of trial 1: NotADirectoryError")


def test_a_state_that_cannot_be_stored_is_said_and_stored_later(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "block").write_text("")
    study(folder, f"file://{folder}/far", **ONE).run(progress=False)
    assert "the checkpoints of job 1.1 could not be stored (" in caplog.text
    (state,) = folder.glob("far/*/1/1")
    state.unlink()
    (folder / "block").unlink()
    again = load_study(folder / "hpo.db", "study")
    again.extend(jobs=2)
    again.resume(progress=False)
    assert (state / "deep" / "step").read_text() == "9"


def test_an_address_of_an_unknown_kind_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput, match=r"checkpoints: nowhere://x cannot be used"):
        study(folder, "nowhere://x").run(progress=False)
