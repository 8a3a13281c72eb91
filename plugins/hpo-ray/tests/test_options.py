"""What can be said of hpo-ray without Ray: its options, and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hpo_ray.backend import settings_of
from hpo_ray.options import RayOptions, check

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


def test_all_faults_of_options_are_said_at_once_with_their_place() -> None:
    options = RayOptions(
        address="ray://head:10001",
        num_gpus=2,
        resources={"GPU": 1, "tpu": 0},
        port=70_000,
        reach="head:first",
        patience="soon",
    )
    with pytest.raises(InvalidInput) as caught:
        check(options)
    places = {fault.path.removeprefix("backend.options.") for fault in caught.value.faults}
    assert places == {
        "address", "num_gpus", "resources.GPU", "resources.tpu", "port", "reach", "patience",
    }  # fmt: skip


def test_a_cluster_that_is_started_has_a_cpu_for_each_worker_unless_jobs_say(
    tmp_path: Path,
) -> None:
    plain = settings_of(context(tmp_path), RayOptions())
    assert (plain.cluster["num_cpus"], plain.needs) == (64, {"CPU": 1})
    told = context(tmp_path, resources=Resources(cpus=2, gpus=0.5, memory=10**9))
    needs = settings_of(told, RayOptions(resources={"tpu": 1.0}))
    assert needs.cluster["num_cpus"] is None
    assert needs.needs == {"CPU": 2, "GPU": 0.5, "memory": 1e9, "tpu": 1}


def test_the_folder_of_jobs_is_sent_without_the_store_and_only_elsewhere(tmp_path: Path) -> None:
    stored = context(tmp_path, folder=str(tmp_path / "runs" / "hpo.files" / "u1" / "backend"))
    sent = settings_of(stored, RayOptions(address="head:6379", runtime_env={"pip": ["numpy"]}))
    assert sent.runtime_env == {
        "pip": ["numpy"],
        "working_dir": str(tmp_path),
        "excludes": [
            "/runs/hpo.files", "/runs/hpo.db", "/runs/hpo.db-wal", "/runs/hpo.db-shm",
        ],
    }  # fmt: skip
    for options in (RayOptions(), RayOptions(address="head:6379", upload=False)):
        assert settings_of(stored, options).runtime_env == {}
