"""Runs sweeps of the application of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

import hpo_core as hpo

APP = Path(__file__).with_name("app.py")


class Sweeps:
    """Runs sweeps in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self, *overrides: str, status: int = 0, what: str = ""
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, APP, "-m", "hydra/sweeper=hpo", "hydra.sweep.dir=sweep", *overrides],
            cwd=self.folder,
            env=os.environ | {"RUNS": str(self.folder / "runs"), "WHAT": what},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    @property
    def runs(self) -> list[list[str]]:
        """For each job that began its x, n, kind, epochs and fixed value."""
        return [line.split(" ") for line in (self.folder / "runs").read_text().splitlines()]

    @property
    def study(self) -> hpo.Study:
        return hpo.load_study(self.folder / "hpo.db", "app")

    @property
    def results(self) -> Any:
        return OmegaConf.load(self.folder / "sweep/optimization_results.yaml")


@pytest.fixture
def sweep(tmp_path: Path) -> Sweeps:
    """Sweeps in a folder of their own."""
    return Sweeps(tmp_path)
