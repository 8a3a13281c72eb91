"""The digits example is an ordinary script: it works with and without hpo-core."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("digits")  # its tests share what a fixture has made

TRAIN = Path(__file__).parents[2] / "examples" / "digits" / "train.py"

SGD = ("--epochs", "3", "--solver", "sgd", "--momentum", "0.5", "--learning-rate")


def train(*arguments: str, descriptor: int | None = None) -> str:
    """Run the script and return its stderr; with a descriptor for its reports, as a job."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HPO_")}
    if descriptor is not None:
        environment |= {
            "HPO_JOB_ID": "1",
            "HPO_TRIAL_ID": "1",
            "HPO_CONFIGURATION": "{}",
            "HPO_REPORT_FD": str(descriptor),
        }
    finished = subprocess.run(
        [sys.executable, TRAIN, *arguments],
        env=environment,
        pass_fds=() if descriptor is None else (descriptor,),
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stderr


def reported(*arguments: str) -> list[dict[str, float]]:
    """Run the script as a job and return its reports."""
    reading, writing = os.pipe()
    with open(reading) as lines:
        try:
            train(*arguments, descriptor=writing)
        finally:
            os.close(writing)
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def reports() -> list[dict[str, float]]:
    """The reports of three epochs."""
    return reported(*SGD, "0.1")


def test_each_epoch_is_reported_with_its_accuracy(reports: list[dict[str, float]]) -> None:
    assert [report["iteration"] for report in reports] == [1, 2, 3]
    accuracies = [report["validation/accuracy"] for report in reports]
    assert all(0 <= accuracy <= 1 for accuracy in accuracies)
    assert accuracies[-1] > accuracies[0]


def test_the_same_arguments_give_the_same_accuracies(reports: list[dict[str, float]]) -> None:
    assert reported(*SGD, "0.1") == reports


def test_what_is_searched_makes_a_difference(reports: list[dict[str, float]]) -> None:
    slow = reported(*SGD, "0.001")
    assert slow[-1]["validation/accuracy"] < reports[-1]["validation/accuracy"] - 0.2


def test_by_hand_it_prints_its_reports() -> None:
    assert train("--epochs", "2").count("validation/accuracy") == 2


def test_later_run_resumes_from_the_checkpoint_and_repeats_no_epoch(
    reports: list[dict[str, float]], tmp_path: Path
) -> None:
    folder = ("--checkpoints", str(tmp_path))
    first = reported("--epochs", "1", *SGD[2:], "0.1", *folder)
    assert first == reports[:1]
    saved = (tmp_path / "network.joblib").stat().st_mtime_ns
    assert reported("--epochs", "1", *SGD[2:], "0.1", *folder) == reports[:1], "said, not trained"
    assert (tmp_path / "network.joblib").stat().st_mtime_ns == saved
    assert reported(*SGD, "0.1", *folder) == reports
