"""How a machine is divided into places, with devices that are only names here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hpo_core import InvalidInput, Resources
from hpo_core.backends.local import devices, memory
from hpo_core.backends.local.places import Place, Places, places_of


def gpus(resources: Resources, *names: object) -> list[tuple[str, ...]]:
    return [place.gpus for place in places_of(resources, names)]


def test_each_place_has_its_own_gpus() -> None:
    assert gpus(Resources(gpus=1), 0, 1, "MIG-a/7/0") == [("0",), ("1",), ("MIG-a/7/0",)]
    assert gpus(Resources(gpus=2), 0, 1, 2, 3, 4) == [("0", "1"), ("2", "3")]


def test_jobs_that_share_gpus_are_spread_over_all_of_them_first() -> None:
    assert gpus(Resources(gpus=0.5), 0, 1) == [("0",), ("1",), ("0",), ("1",)]


def test_the_scarcest_resource_says_how_many_places_there_are() -> None:
    cpus = len(os.sched_getaffinity(0))
    places = places_of(Resources(gpus=1, cpus=cpus), list(range(4)))
    assert places == [Place(0, ("0",), 1.0, tuple(sorted(os.sched_getaffinity(0))))]


def test_all_that_is_lacking_is_said_at_once() -> None:
    with pytest.raises(InvalidInput) as raised:
        places_of(Resources(gpus=3, cpus=10**6, memory=10**18), ["0", "1"])
    asked = str(raised.value)
    assert "job.resources.gpus: asks for 3, but there are only 0, 1; ask for fewer" in asked
    assert "job.resources.cpus: asks for 1000000, but" in asked
    assert "job.resources.memory: asks for 1000000TB, but" in asked


def test_a_place_is_for_one_job_at_a_time() -> None:
    places = Places(places_of(Resources(gpus=1), ["0", "1"]))
    first, second = places.take("1.1"), places.take("2.1")
    assert first is not None
    assert second is not None
    assert (first.gpus, second.gpus) == (("0",), ("1",))
    assert places.take("3.1") is None
    places.give_back("1.1")
    assert places.take("3.1") == first


def test_where_jobs_have_nothing_for_themselves_there_is_a_place_for_any_number() -> None:
    places = Places(None)
    assert [places.take(f"{number}.1") for number in range(3)] == [Place(None)] * 3
    places.give_back("1.1")
    assert places.take("3.1") == places.place("3.1") == Place(None)


def test_a_worker_gets_a_number_that_no_job_of_an_earlier_controller_has() -> None:
    places = Places(None)
    assert (places.unused_number(), places.unused_number(5)) == (0, 5)
    places.hold("earlier", "1.1", Place(0))
    places.hold("earlier", "2.1", Place(3))
    assert places.unused_number() == 4


@pytest.mark.parametrize(
    ("left", "share", "allowed"),
    [
        (("1",), 1.0, ["0"]),  # the same division as before
        (("0", "1"), 1.0, []),  # jobs had two GPUs each
        (("0",), 0.5, ["1"]),  # jobs shared one
        (("7",), 1.0, ["0", "1"]),
    ],
)
def test_what_a_job_of_an_earlier_controller_has_is_given_to_nobody(
    left: tuple[str, ...], share: float, allowed: list[str]
) -> None:
    places, owner = Places(places_of(Resources(gpus=1), ["0", "1"])), object()
    places.hold(owner, "1.1", Place(9, left, share))
    given = [places.take(f"{number}.1") for number in (2, 3)]
    assert [place.gpus[0] for place in given if place is not None] == allowed
    places.give_back_all(owner)
    for number in (4, 5):
        places.take(f"{number}.1")
    assert places.take("6.1") is None


def test_a_gpu_is_shared_by_no_more_jobs_than_fit_whoever_has_started_them() -> None:
    places = Places(places_of(Resources(gpus=0.5), ["0"]))
    places.hold(object(), "1.1", Place(5, ("0",), 0.5))
    assert places.take("2.1") is not None
    assert places.take("3.1") is None


# -- finding them ---------------------------------------------------------------------------

LISTING = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
  MIG 1g.5gb      Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
  MIG 2g.10gb     Device  1: (UUID: MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-3f2d1a8e-0c1d-4f3d-8a53-7f1f3f0f7a10)
"""


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without any description of GPUs; return the folder of its programs."""
    for name in devices.VISIBLE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def program(path: Path, prints: str, status: int = 0) -> None:
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{prints}END\nexit {status}\n")
    path.chmod(0o755)


def test_nvidia_smi_lists_gpus_and_the_parts_of_a_divided_one(hidden: Path) -> None:
    program(hidden / "nvidia-smi", LISTING)
    parts = ["MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f", "MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb"]
    assert devices.visible_gpus() == [*parts, "1"]


def test_an_nvidia_smi_that_fails_lists_none(hidden: Path) -> None:
    program(hidden / "nvidia-smi", "Failed to initialize NVML\n", status=9)
    assert devices.visible_gpus(hidden / "nodes") == []


def test_rocm_s_driver_lists_the_gpus_of_amd(hidden: Path) -> None:
    for node, number in (("0", "0"), ("1", "1002"), ("2", "1003")):  # the first one is the CPU
        (hidden / "nodes" / node).mkdir(parents=True)
        (hidden / "nodes" / node / "gpu_id").write_text(f"{number}\n")
    assert devices.visible_gpus(hidden / "nodes") == ["0", "1"]


@pytest.mark.parametrize(
    ("visible", "names"), [("2,3", ["2", "3"]), ("", []), ("-1", []), ("GPU-5d5b", ["GPU-5d5b"])]
)
def test_only_visible_gpus_are_used(
    hidden: Path, monkeypatch: pytest.MonkeyPatch, visible: str, names: list[str]
) -> None:
    program(hidden / "nvidia-smi", LISTING)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert devices.visible_gpus() == names


# -- limits of memory -------------------------------------------------------------------------


def test_a_cgroup_is_made_where_memory_is_delegated(tmp_path: Path) -> None:
    """These are plain files: what a kernel makes of them is not tested here."""
    own = tmp_path / "own"
    own.write_text("1:cpu:/\n0::/user/app.scope\n")
    app = tmp_path / "cgroups" / "user" / "app.scope"
    app.mkdir(parents=True)
    for group, controllers in ((app.parent, "cpu memory pids"), (app, "")):
        (group / "cgroup.subtree_control").write_text(controllers)
        (group / "cgroup.procs").write_text("")
    parent = memory.writable_cgroup(tmp_path / "cgroups", own)
    assert parent == app.parent
    limit = memory.MemoryLimit(1 << 30, True, "uid", parent)
    prefix = limit.prefix(2)
    group = app.parent / f"hpo-uid-2-{1 << 30}"
    assert prefix == ["/bin/sh", "-c", 'echo 0 >"$0/cgroup.procs" && exec "$@"', str(group)]
    assert (group / "memory.max").read_text() == str(1 << 30)
    assert limit.remark == ""


def test_it_is_said_where_memory_is_limited_otherwise_or_not_at_all() -> None:
    by_addresses = memory.MemoryLimit(1 << 30, False, "uid", None)
    assert by_addresses.prefix(0)[3] == str(1 << 20)
    assert "limits the address space of each process here" in by_addresses.remark
    with_gpus = memory.MemoryLimit(1 << 30, True, "uid", None)
    assert with_gpus.prefix(0) == []
    assert "limits nothing here: no cgroup can be written" in with_gpus.remark
