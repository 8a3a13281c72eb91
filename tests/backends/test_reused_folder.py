"""A folder for checkpoints that jobs leave empty is given to the next one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hpo_core.backends.reused_folder import ReusedFolder, remove_spare, spare_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "files" / "checkpoints"


def number(folder: Path) -> int:
    return folder.stat().st_ino


def test_a_folder_is_made_with_its_parents_for_the_user_alone(root: Path) -> None:
    before = os.umask(0)
    try:
        ReusedFolder().begin(str(root / "1"))
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (root / "1", root)] == [0o700, 0o700]


def test_an_empty_folder_becomes_that_of_the_next_job(root: Path) -> None:
    folder = ReusedFolder()
    folder.begin(str(root / "1"))
    made = number(root / "1")
    folder.end()
    assert not (root / "1").exists()
    folder.begin(str(root / "2"))
    assert number(root / "2") == made
    folder.end()
    folder.remove()
    assert os.listdir(root) == []


def test_a_folder_with_checkpoints_stays_and_is_there_for_the_trials_next_job(root: Path) -> None:
    folder = ReusedFolder()
    folder.begin(str(root / "1"))
    (root / "1" / "state").write_text("kept")
    folder.end()
    folder.begin(str(root / "2"))
    folder.end()  # which leaves a spare folder
    folder.begin(str(root / "1"))
    assert (root / "1" / "state").read_text() == "kept"


def test_a_folder_whose_permissions_a_job_has_changed_is_not_given_to_another(root: Path) -> None:
    folder = ReusedFolder()
    folder.begin(str(root / "1"))
    (root / "1").chmod(0o755)
    folder.end()
    folder.begin(str(root / "2"))
    assert (root / "1").is_dir()
    assert stat.S_IMODE((root / "2").stat().st_mode) == 0o700


def test_a_link_or_nothing_in_place_of_the_folder_is_left_alone(root: Path, tmp_path: Path) -> None:
    folder = ReusedFolder()
    folder.begin(str(root / "1"))
    (root / "1").rmdir()
    folder.end()
    (root / "2").symlink_to(tmp_path)
    folder.begin(str(root / "2"))
    folder.end()
    assert (root / "2").is_symlink()
    folder.begin("")
    folder.end()


def test_what_a_killed_process_has_set_aside_is_removed_by_another(root: Path) -> None:
    spare = Path(spare_of(str(root / "1"), 4711))
    spare.mkdir(parents=True)
    remove_spare(str(root / "1"), 4711)
    remove_spare(str(root / "1"), 4711)
    assert os.listdir(root) == []
