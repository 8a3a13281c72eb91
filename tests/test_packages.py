"""The distributions as users get them: wheels in new environments."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.xdist_group("packages")  # its tests share what a fixture has made

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "plugins" / "hpo-random-search"
DISTRIBUTIONS = [ROOT, *(file.parent for file in sorted(ROOT.glob("plugins/*/pyproject.toml")))]

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

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


RELATIVE_LINK = re.compile(r"\]\((?!https?:)[^)]+\)")


def test_the_page_on_the_package_index_has_no_link_that_leads_nowhere_there(
    wheels: list[Path],
) -> None:
    for wheel in wheels:
        (metadata,) = (name for name in ZipFile(wheel).namelist() if name.endswith("/METADATA"))
        page = ZipFile(wheel).read(metadata).decode()
        assert "Description-Content-Type: text/markdown" in page
        assert RELATIVE_LINK.findall(page) == []


@pytest.mark.parametrize("project", DISTRIBUTIONS, ids=lambda project: project.name)
def test_each_readme_goes_to_the_package_index_without_such_links(project: Path) -> None:
    settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    hooks = settings["tool"]["hatch"].get("metadata", {}).get("hooks", {})
    page = (project / "README.md").read_text(encoding="utf-8")
    for substitution in hooks.get("fancy-pypi-readme", {}).get("substitutions", []):
        page = re.sub(substitution["pattern"], substitution["replacement"], page)
    assert RELATIVE_LINK.findall(page) == []
    assert page.startswith(f"# {project.name if project != ROOT else 'hpo-core'}\n")
