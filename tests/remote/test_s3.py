"""Checkpoints in S3: s3fs speaks with a server of moto, a local object store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from hpo_core import Int, Study, load_study

TRAIN = """
import json, os, sys
from pathlib import Path
from hpo_core import job, report

at = Path(job().checkpoint_dir) / "deep" / "step"
step = int(at.read_text()) if at.exists() else 0
at.parent.mkdir(exist_ok=True)
print("begins at", step, flush=True)
while step < job().iterations:
    step += 1
    at.with_suffix(".new").write_text(str(step))
    os.replace(at.with_suffix(".new"), at)
    (at.parent / "weights").write_bytes(bytes(100_000 * step))
    report(step, loss=1 / step + int(sys.argv[1]))
"""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem()
    files.makedirs("checkpoints", exist_ok=True)  # moto's content outlives its server
    yield "s3://checkpoints/team"
    files.invalidate_cache()
    files.rm("checkpoints/team", recursive=True)
    server.stop()


def study(folder: Path, address: str, **settings: Any) -> Study:
    (folder / "train.py").write_text(TRAIN)
    given: dict[str, Any] = {
        "command": ["{python}", "train.py", "{x}"],
        "parameters": [Int("x", 0, 99)],
        "objective": "loss",
        "direction": "minimize",
        "strategy": "asha",
        "options": {"searcher": "random"},
        "max_iterations": 9,
        "budget": {"jobs": 6},
        "workers": 2,
        "directory": folder,
        "checkpoints": address,
        "store": folder / "hpo.db",
        "seed": 3,
    }
    return Study(**{**given, **settings})


def begun(folder: Path) -> dict[str, int]:
    """Return at which step each job began."""
    logs = folder.glob("hpo.files/*/logs/*.log")
    return {log.stem: int(log.read_text().split()[2]) for log in logs}


def stored() -> dict[str, set[str]]:
    """Return the files of each trial in the object store."""
    files = s3fs.S3FileSystem()
    files.invalidate_cache()
    found: dict[str, set[str]] = {}
    for name in files.find("checkpoints/team"):
        _, _, _, trial, rest = name.split("/", 4)
        found.setdefault(trial, set()).add(rest)
    return found


def test_promoted_trials_go_on_from_what_is_in_the_object_store(
    bucket: str, tmp_path: Path
) -> None:
    study(tmp_path, bucket).run(progress=False)
    before = begun(tmp_path)
    assert set(stored()) == {job.partition(".")[0] for job in before}
    for path in tmp_path.glob("hpo.files/*/checkpoints"):  # as on another machine
        shutil.rmtree(path)
    again = load_study(tmp_path / "hpo.db", "study")
    again.extend(jobs=14)
    again.resume(progress=False)
    later = {job: step for job, step in begun(tmp_path).items() if job not in before}
    assert later
    promoted = [step for job, step in later.items() if not job.endswith(".1")]
    assert promoted
    assert all(step > 0 for step in promoted)
    for names in stored().values():  # one state of each trial
        (number,) = {name.partition("/")[0] for name in names} - {"latest"}
        assert names == {"latest", f"{number}/deep/step", f"{number}/deep/weights"}


def test_checkpoints_that_are_not_kept_are_deleted_there_too(bucket: str, tmp_path: Path) -> None:
    study(tmp_path, bucket, keep_checkpoints=2, strategy="random", options=None).run(progress=False)
    assert len(stored()) == 2
