"""The distributions, as users get them: wheels, installed into new environments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "plugins" / "hpo-random-search"

JOB = """
import json, os
values = json.loads(os.environ["HPO_CONFIGURATION"])
os.write(int(os.environ["HPO_REPORT_FD"]), json.dumps({"loss": values["x"] ** 2}).encode() + b"\\n")
"""

STUDY = """
name = "packaged"
seed = 7
workers = 2
strategy = "random"

[objective]
metric = "loss"
direction = "minimize"

[budget]
jobs = 4

[job]
command = ["{python}", "job.py"]

[parameters.x]
type = "float"
low = -1.0
high = 1.0
"""


@pytest.fixture(scope="module")
def wheels(packaging: Any) -> list[Path]:
    """The wheels of hpo-core and of one plugin."""
    return [packaging.wheel(ROOT), packaging.wheel(PLUGIN)]


@pytest.fixture(scope="module")
def bare(packaging: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `hpo` of an environment with hpo-core alone."""
    return packaging.environment(tmp_path_factory.mktemp("bare"), packaging.wheel(ROOT)) / "hpo"


@pytest.fixture(scope="module")
def equipped(packaging: Any, wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `hpo` of an environment with hpo-core and the plugin."""
    return packaging.environment(tmp_path_factory.mktemp("equipped"), *wheels) / "hpo"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder with a study of four jobs."""
    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def test_wheels_of_the_core_and_one_plugin_run_a_study(
    packaging: Any, equipped: Path, study: Path
) -> None:
    finished = packaging.run(equipped, "run", "study.toml", cwd=study)
    assert finished.returncode == 0, finished.stdout + finished.stderr

    top = packaging.run(equipped, "top", "packaged", "-k", "4", "--json", cwd=study)
    assert top.returncode == 0, top.stderr
    assert len(json.loads(top.stdout)) == 4


def test_the_core_alone_says_which_plugin_to_install(
    packaging: Any, bare: Path, study: Path
) -> None:
    finished = packaging.run(bare, "run", "study.toml", "--strategy", "random", cwd=study)
    assert finished.returncode == 2, finished.stdout + finished.stderr
    assert "pip install hpo-random-search" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_wheel_holds_the_package_its_type_marker_and_its_entry_point(wheels: list[Path]) -> None:
    assert [wheel.name.split("-")[0] for wheel in wheels] == ["hpo_core", "hpo_random_search"]
    for wheel in wheels:
        names = ZipFile(wheel).namelist()
        assert f"{wheel.name.split('-')[0]}/py.typed" in names
        assert any(name.endswith("entry_points.txt") for name in names)
        assert not any(name.startswith("tests/") for name in names)
