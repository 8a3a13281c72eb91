"""The distributions, as users get them: wheels, installed into new environments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

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


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with the pinned versions, and as if nothing but `command` were installed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HPO_")}
    environment.pop("PYTHONPATH", None)
    environment |= dict.fromkeys(
        ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"), str(ROOT / "constraints.txt")
    )
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def pip(*arguments: str | Path) -> None:
    finished = run(sys.executable, "-m", "pip", "--quiet", *arguments, cwd=ROOT)
    assert finished.returncode == 0, finished.stderr


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels of hpo-core and of one plugin."""
    folder = tmp_path_factory.mktemp("wheels")
    pip("wheel", "--no-deps", "--wheel-dir", folder, ROOT, PLUGIN)
    return folder


@pytest.fixture(scope="module")
def bare(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `hpo` of an environment with hpo-core alone."""
    return environment(tmp_path_factory.mktemp("bare"), *wheels.glob("hpo_core-*.whl"))


@pytest.fixture(scope="module")
def equipped(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `hpo` of an environment with hpo-core and the plugin."""
    return environment(tmp_path_factory.mktemp("equipped"), *wheels.glob("*.whl"))


def environment(folder: Path, *wheels: Path) -> Path:
    """Make a virtual environment with these wheels in it, and return its `hpo` command."""
    made = run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=ROOT)
    assert made.returncode == 0, made.stderr
    pip("--python", folder / "bin" / "python", "install", *wheels)
    return folder / "bin" / "hpo"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder with a study of four jobs."""
    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def test_wheels_of_the_core_and_one_plugin_run_a_study(equipped: Path, study: Path) -> None:
    finished = run(equipped, "run", "study.toml", cwd=study)
    assert finished.returncode == 0, finished.stdout + finished.stderr

    top = run(equipped, "top", "packaged", "-k", "4", "--json", cwd=study)
    assert top.returncode == 0, top.stderr
    assert len(json.loads(top.stdout)) == 4


def test_the_core_alone_says_which_plugin_to_install(bare: Path, study: Path) -> None:
    finished = run(bare, "run", "study.toml", "--strategy", "random", cwd=study)
    assert finished.returncode == 2, finished.stdout + finished.stderr
    assert "pip install hpo-random-search" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_wheel_holds_the_package_its_type_marker_and_its_entry_point(wheels: Path) -> None:
    names = {wheel.name.split("-")[0] for wheel in wheels.iterdir()}
    assert names == {"hpo_core", "hpo_random_search"}
    for wheel in wheels.iterdir():
        listed = run(sys.executable, "-m", "zipfile", "--list", wheel, cwd=wheels).stdout
        package = wheel.name.split("-")[0]
        assert f"{package}/py.typed" in listed
        assert "entry_points.txt" in listed
        assert "tests/" not in listed
