"""Checkpoints are copied atomically: a controller that dies leaves the old or the new ones."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from hpo_core.store.checkpoints import Checkpoints, CopyError


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    made = Checkpoints(tmp_path / "checkpoints")
    for trial in (1, 2):
        folder = Path(made.folder(trial))
        folder.mkdir(parents=True)
        (folder / "state").write_text(f"of {trial}")
    return made


def state(checkpoints: Checkpoints, trial: int) -> str:
    return (Path(checkpoints.folder(trial)) / "state").read_text()


def test_a_copy_takes_the_place_of_what_was_there(checkpoints: Checkpoints) -> None:
    checkpoints.copy_aside(1, "2.3")
    assert state(checkpoints, 2) == "of 2"
    checkpoints.put_in_place("2.3")
    assert (state(checkpoints, 1), state(checkpoints, 2)) == ("of 1", "of 1")
    assert list(checkpoints.copies()) == []


def test_a_trial_without_checkpoints_is_copied_as_none(checkpoints: Checkpoints) -> None:
    checkpoints.copy_aside(7, "2.3")
    checkpoints.put_in_place("2.3")
    assert list(Path(checkpoints.folder(2)).iterdir()) == []


@pytest.mark.parametrize(("recorded", "found"), [({"2.3"}, "of 1"), (set(), "of 2")])
def test_a_copy_that_was_left_aside_counts_if_its_job_is_recorded(
    checkpoints: Checkpoints, recorded: set[str], found: str
) -> None:
    checkpoints.copy_aside(1, "2.3")
    checkpoints.recover(recorded)
    assert state(checkpoints, 2) == found
    assert list(checkpoints.copies()) == []
    assert list(checkpoints.trials()) == [1, 2]


def test_a_copy_left_half_done_is_made_again(checkpoints: Checkpoints) -> None:
    checkpoints.copy_aside(2, "1.2")
    checkpoints.copy_aside(2, "1.2")
    checkpoints.put_in_place("1.2")
    assert state(checkpoints, 1) == "of 2"


def test_what_can_not_be_copied_is_an_error_and_leaves_nothing_aside(
    checkpoints: Checkpoints, tmp_path: Path
) -> None:
    (tmp_path / "checkpoints" / "5").write_text("not a folder")
    with pytest.raises(CopyError, match=r"cannot copy the checkpoints of trial 5 for job 2\.3"):
        checkpoints.copy_aside(5, "2.3")
    assert list(checkpoints.copies()) == []


def test_a_copy_takes_the_place_of_whatever_was_there(
    checkpoints: Checkpoints, tmp_path: Path
) -> None:
    root = tmp_path / "checkpoints"
    (root / "3").symlink_to("1")
    (root / "4").write_text("a file")
    for trial in (3, 4):
        checkpoints.copy_aside(1, f"{trial}.2")
        checkpoints.put_in_place(f"{trial}.2")
        assert state(checkpoints, trial) == "of 1"
    assert sorted(os.listdir(root)) == ["1", "2", "3", "4"]


def test_what_was_replaced_when_the_controller_died_is_deleted(
    checkpoints: Checkpoints, tmp_path: Path
) -> None:
    left = tmp_path / "checkpoints" / ".before-job-2.3"
    left.mkdir()
    checkpoints.recover(set())
    assert not left.exists()


def test_failed_deletion_is_reported(
    checkpoints: Checkpoints, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    checkpoints.delete(1)
    checkpoints.delete(9)
    assert caplog.text == ""
    (tmp_path / "checkpoints" / "5").write_text("not a folder")
    with caplog.at_level(logging.WARNING):
        checkpoints.delete(5)
    assert "the checkpoints of trial 5 could not be deleted" in caplog.text
