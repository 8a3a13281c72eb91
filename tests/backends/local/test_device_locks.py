"""Studies of one user never use the same GPU: locks of devices that are only names here."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from hpo_core.backends.local.device_locks import DeviceLocks, runtime_folder
from hpo_core.errors import BackendError

HANGS = 60.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HPO_RUNTIME_DIR", str(tmp_path / "locks"))
    return tmp_path / "locks"


def locks(study: str, on_free: threading.Event | None = None) -> DeviceLocks:
    return DeviceLocks(study, f"uid of {study}", (on_free or threading.Event()).set)


def test_a_gpu_that_a_study_uses_is_not_available_to_another_one() -> None:
    first, second = locks("first"), locks("second")
    assert first.claim([("0",), ("MIG-a/7/0",)], 9) == {}
    others = second.claim([("0",), ("1",), ("MIG-a/7/0",)], 9)
    assert {gpu: owner and owner.study for gpu, owner in others.items()} == {
        "0": "first",
        "MIG-a/7/0": "first",
    }
    assert second.usable == {"1"}
    first.close()
    assert second.claim([("0",), ("1",)], 9) == {}
    second.close()


def test_only_as_many_are_taken_as_jobs_run_at_once() -> None:
    first, second = locks("first"), locks("second")
    first.claim([("0",), ("1",), ("2",)], 1)
    second.claim([("0",), ("1",), ("2",)], 1)
    assert (first.usable, second.usable) == ({"0"}, {"1"})
    first.close()
    second.close()


def test_nobody_keeps_one_of_two_gpus_while_the_other_one_is_used() -> None:
    first, second, third = locks("first"), locks("second"), locks("third")
    first.claim([("1",)], 1)
    assert list(second.claim([("0", "1")], 1)) == ["1"]
    assert third.claim([("0",)], 1) == {}
    for each in (first, second, third):
        each.close()


def test_the_end_of_the_other_study_is_an_event() -> None:
    freed = threading.Event()
    first, second = locks("first"), locks("second", freed)
    first.claim([("0",)], 1)
    second.wait_for(list(second.claim([("0",)], 1)))
    assert not freed.is_set()
    first.close()
    assert freed.wait(HANGS)
    assert second.claim([("0",)], 1) == {}
    second.close()


def test_the_next_controller_of_a_study_may_use_what_its_supervisor_has() -> None:
    earlier, later, other = locks("same"), locks("same"), locks("other")
    earlier.claim([("0",)], 1)
    assert later.claim([("0",)], 1) == {}
    assert later.usable == {"0"}
    earlier.close()
    later.renew()
    assert "0" in other.claim([("0",)], 1)
    later.close()


def test_a_folder_that_is_none_of_the_user_s_is_refused_with_a_remedy(folder: Path) -> None:
    folder.symlink_to(os.sep)
    with pytest.raises(BackendError, match="name another folder in HPO_RUNTIME_DIR"):
        runtime_folder()
