"""What can be said of hpo-dask without Dask: its options, and what becomes of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hpo_dask.backend import check_size, settings_of
from hpo_dask.code import MOST, digest, pack, unpack
from hpo_dask.devices import Devices, NoDevice, visible
from hpo_dask.options import DaskOptions, check
from hpo_dask.settings import Upload

from hpo_core.plugin import BackendContext, InvalidInput, Resources, Work


class StillClock:
    def now(self) -> float:
        return 0.0


def context(directory: Path, **told: Any) -> BackendContext:
    return BackendContext(
        study="valley",
        study_uid="u1",
        work=Work(command=("true",), directory=str(directory)),
        workers=64,
        clock=StillClock(),
        decides=False,
        deliver=lambda event: None,
        **told,
    )


def faults(options: DaskOptions) -> set[str]:
    with pytest.raises(InvalidInput) as caught:
        check(options)
    return {fault.path.removeprefix("backend.options.") for fault in caught.value.faults}


def test_all_faults_of_options_are_said_at_once_with_their_place() -> None:
    existing = DaskOptions(
        address="head",
        scheduler_file="scheduler.json",
        gpus=(0,),
        resources={"GPU": 1, "licence": 0},
        port=70_000,
        reach="head:first",
        patience="soon",
    )
    assert faults(existing) == {
        "address", "scheduler_file", "gpus", "resources.GPU", "resources.licence", "port", "reach",
        "patience",
    }  # fmt: skip
    own = DaskOptions(resources={"licence": 1}, restrict_to=("one",), gpus=(0, "0"))
    assert faults(own) == {"resources", "restrict_to", "gpus"}


def test_a_cluster_that_is_started_has_a_thread_for_each_worker(tmp_path: Path) -> None:
    plain = settings_of(context(tmp_path), DaskOptions())
    assert plain.own is not None
    assert (plain.own.threads, plain.needs, plain.upload) == (64, {}, None)


def test_what_a_job_needs_becomes_dask_resources(tmp_path: Path) -> None:
    told = context(tmp_path, resources=Resources(cpus=2, gpus=0.4, memory=10**9))
    settings = settings_of(told, DaskOptions(address="head:8786", resources={"licence": 1.0}))
    needs = {"licence": 1, "GPU": 0.5, "CPU": 2, "MEMORY": 1e9}
    assert settings.needs == needs, "two jobs with 0.4 share a GPU, and a third has no room"


def test_a_cluster_that_is_started_has_the_gpus_that_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = context(tmp_path, resources=Resources(gpus=1))
    for variable in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(InvalidInput, match="CUDA_VISIBLE_DEVICES"):
        settings_of(told, DaskOptions())
    named = settings_of(told, DaskOptions(gpus=(1, "GPU-x")))
    assert named.own is not None
    assert (named.own.gpus, named.own.resources["GPU"]) == (["1", "GPU-x"], 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 4")
    seen = settings_of(told, DaskOptions())
    assert seen.own is not None
    assert seen.own.gpus == ["3", "4"]


def test_the_folder_of_jobs_is_sent_without_the_store_and_only_elsewhere(tmp_path: Path) -> None:
    stored = context(tmp_path, folder=str(tmp_path / "runs" / "hpo.files" / "u1" / "backend"))
    sent = settings_of(stored, DaskOptions(address="head:8786"))
    without = ["runs/hpo.files", "runs/hpo.db", "runs/hpo.db-wal", "runs/hpo.db-shm"]
    assert sent.upload == Upload(str(tmp_path), without)
    for options in (DaskOptions(), DaskOptions(address="head:8786", upload=False)):
        assert settings_of(stored, options).upload is None


def test_a_folder_arrives_as_it_is_without_what_jobs_do_not_need(tmp_path: Path) -> None:
    code = tmp_path / "code"
    for folder in ("sub", ".git", "__pycache__", "env", "out"):
        (code / folder).mkdir(parents=True)
        (code / folder / "file").write_text(folder)
    (code / "env" / "pyvenv.cfg").touch()
    (code / "run").write_text("#!/bin/sh")
    (code / "run").chmod(0o755)
    os.mkfifo(code / "pipe")
    archive = pack(str(code), ["out"])
    unpack(archive, str(tmp_path / "there"))
    arrived = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("there/**/*"))
    assert arrived == ["there/run", "there/sub", "there/sub/file"]
    assert os.access(tmp_path / "there" / "run", os.X_OK)
    os.utime(code / "run", (1, 1))
    assert digest(pack(str(code), ["out"])) == digest(archive), "its times are no part of it"


def test_a_folder_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with open(tmp_path / "data", "wb") as file:
        file.truncate(MOST + 1)
    with pytest.raises(InvalidInput, match="100 MiB are not sent"):
        check_size(Upload(str(tmp_path), []))
    check_size(Upload(str(tmp_path), ["data"]))


def test_each_task_has_gpus_of_its_own_or_its_share_of_one() -> None:
    devices = Devices(visible({"CUDA_VISIBLE_DEVICES": "4,5"}))
    with devices.lent(0.5) as one, devices.lent(0.5) as other:
        names = {told["CUDA_VISIBLE_DEVICES"] for told in (one, other)}
        assert names == {"4", "5"}
        with devices.lent(0.5), devices.lent(0.5), pytest.raises(NoDevice), devices.lent(0.5):
            pass
    with devices.lent(2) as both:
        assert both == {"CUDA_VISIBLE_DEVICES": "4,5", "HIP_VISIBLE_DEVICES": "4,5"}
    with devices.lent(0) as none:
        assert none == {}
