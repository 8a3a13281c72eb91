"""Settings for all tests, and shared fixtures: wheels and new environments."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import uuid
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("no deadline", deadline=None)  # a busy machine is slow, and not wrong
settings.load_profile("no deadline")

ROOT = Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' keys and locks out of the user's folders, and let Ctrl-C be tested.

    A shell starts programs in the background with SIGINT ignored, and nohup with SIGHUP; they pass
    that on.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda number, frame: None)
    folder = tempfile.TemporaryDirectory(prefix="hpo-tests-")
    config.add_cleanup(folder.cleanup)
    os.environ["XDG_CONFIG_HOME"] = folder.name
    os.environ["HPO_RUNTIME_DIR"] = os.path.join(folder.name, "locks")  # of GPUs that are names


class Packaging:
    """Builds wheels, and installs them into new environments, with the pinned versions.

    Args:
        folder: Where wheels are kept: each is built once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wheels: dict[Path, Path] = {}

    def run(self, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a command as if nothing but it were installed."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("HPO_")
        }
        environment.pop("PYTHONPATH", None)
        pinned = str(ROOT / "constraints.txt")
        environment |= {"PIP_CONSTRAINT": pinned, "PIP_BUILD_CONSTRAINT": pinned}
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)

    def pip(self, *arguments: str | Path) -> None:
        """Run pip."""
        finished = self.run(sys.executable, "-m", "pip", "--quiet", *arguments, cwd=ROOT)
        assert finished.returncode == 0, finished.stderr

    def wheel(self, project: Path) -> Path:
        """Return the wheel of a project."""
        if project not in self._wheels:
            folder = self._folder / str(len(self._wheels))
            self.pip("wheel", "--no-deps", "--wheel-dir", folder, project)
            (self._wheels[project],) = folder.iterdir()
        return self._wheels[project]

    def environment(self, folder: Path, *packages: str | Path) -> Path:
        """Make a virtual environment with packages in it, and return its folder of commands."""
        made = self.run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=ROOT)
        assert made.returncode == 0, made.stderr
        self.pip("--python", folder / "bin" / "python", "install", *packages)
        return folder / "bin"


@pytest.fixture(scope="session")
def packaging(tmp_path_factory: pytest.TempPathFactory) -> Packaging:
    """Builds and installs packages."""
    return Packaging(tmp_path_factory.mktemp("wheels"))


@pytest.fixture
def released_store(tmp_path: Path) -> Path:
    """A store of schema 1, as hpo-core 0.1.0 left it: the study ``small``, finished, three jobs.

    Its uid is its own, so that no test finds the processes of another one that runs now.
    """
    path = tmp_path / "hpo.db"
    dump = (ROOT / "tests" / "store" / "schema_1.sql").read_text()
    dump = dump.replace("cbc82c3c2e338c50720cde0ca2dedee3", uuid.uuid4().hex)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.replace("THE FOLDER", str(tmp_path)))
    for name in ("logs", "checkpoints/1"):
        (tmp_path / "hpo.files" / "small" / name).mkdir(parents=True, mode=0o700)
    (tmp_path / "hpo.files" / "small" / "logs" / "1.1.log").write_text("said 0.4\n")
    (tmp_path / "job.sh").write_text(
        'echo "said $1"; echo "{\\"iteration\\": 1, \\"loss\\": $1}" > /dev/fd/$HPO_REPORT_FD\n'
    )
    return path
