"""A backend that refuses a study leaves nothing open."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hpo_core import InvalidInput, Resources
from hpo_core.backends.local.backend import LocalBackend
from hpo_core.errors import BackendError
from hpo_core.plugin import BackendContext, Work


class Clock:
    def now(self) -> float:
        return 0.0


def context(folder: Path, work: Work, resources: Resources | None = None) -> BackendContext:
    return BackendContext(
        study="refused",
        study_uid="refused",
        work=work,
        workers=1,
        clock=Clock(),
        decides=False,
        deliver=lambda _: None,
        folder=str(folder),
        resources=resources,
    )


def test_a_study_that_asks_for_too_much_leaves_no_descriptor(tmp_path: Path) -> None:
    def fit(configuration: dict[str, Any]) -> float:  # which is sent to workers in memory
        return 1.0

    work = Work(callable=fit, directory=str(tmp_path))
    before = set(os.listdir("/dev/fd"))
    with pytest.raises(InvalidInput, match="asks for 1000000") as caught:
        LocalBackend(context(tmp_path, work, Resources(cpus=10**6)))
    assert caught.tb is not None  # its frames still have what the backend has opened
    assert set(os.listdir("/dev/fd")) <= before


def test_a_study_without_work_leaves_no_descriptor(tmp_path: Path) -> None:
    before = set(os.listdir("/dev/fd"))
    with pytest.raises(BackendError, match="nothing to run"):
        LocalBackend(context(tmp_path, Work(directory=str(tmp_path))))
    assert set(os.listdir("/dev/fd")) <= before
