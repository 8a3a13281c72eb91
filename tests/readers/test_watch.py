"""Changes of files are noticed without polling."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpo_core.readers.watch import Watch

HANGS = 30.0


class Follower:
    """Follows a file, and hears of what is written to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._has_read = threading.Event()
        self.watch = Watch(self.look)
        self.watch.follow("1.1", [str(path)])

    def look(self) -> None:
        """Read the file, as the controller does when it is woken."""
        self.watch.follow("1.1", [str(self._path)])
        if self._path.exists() and self._path.read_text() == "loss 1\n":
            self._has_read.set()

    def hears(self) -> bool:
        """Wait until what was written has been read."""
        return self._has_read.wait(HANGS)


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Follower]:
    made = Follower(tmp_path / "runs" / "1" / "log")
    yield made
    made.watch.close()


def test_a_file_whose_folder_is_made_later_is_heard_of(follower: Follower, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "1").mkdir()
    with (tmp_path / "runs" / "1" / "log").open("a") as file:
        file.write("loss")
        file.flush()
        file.write(" 1\n")
    assert follower.hears()


def test_a_file_that_is_put_in_place_is_heard_of(follower: Follower, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("loss 1\n")
    (tmp_path / "runs" / "1").mkdir(parents=True)
    (tmp_path / "other").rename(tmp_path / "runs" / "1" / "log")
    assert follower.hears()


def test_a_name_may_leave_and_come_back(follower: Follower, tmp_path: Path) -> None:
    follower.watch.leave("1.1")
    follower.watch.leave("1.1")
    follower.watch.follow("1.1", [str(tmp_path / "runs" / "1" / "log")])
    (tmp_path / "runs" / "1").mkdir(parents=True)
    (tmp_path / "runs" / "1" / "log").write_text("loss 1\n")
    assert follower.hears()


def test_files_are_polled_if_the_systems_watch_limit_is_reached(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("hpo_core.readers.watch._LOOKS", 1)
    monkeypatch.setattr("hpo_core.readers.watch._Inotify.add", lambda self, folder: False)
    made = Follower(tmp_path / "log")
    (tmp_path / "log").write_text("loss 1\n")
    assert made.hears()
    made.watch.close()
