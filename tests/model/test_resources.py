"""Resources of jobs: sizes, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from hpo_core import InvalidInput
from hpo_core.model.resources import Resources, as_size, size


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("8GB", 8_000_000_000),
        ("8 GiB", 8 * 2**30),
        ("512MiB", 512 * 2**20),
        ("1.5kB".replace("k", "K"), 1500),
        ("300B", 300),
    ],
)
def test_a_size_is_bytes_with_a_unit(text: str, amount: int) -> None:
    assert size(text) == amount
    assert (
        size(f"{as_size(amount)}" if isinstance(as_size(amount), str) else f"{amount}B") == amount
    )


@pytest.mark.parametrize("text", ["8", "8G", "GB", "-1GB", "8 gigabytes", "8gb"])
def test_other_text_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="such as '8GB'"):
        size(text)


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, "is empty; give gpus, cpus, memory"),
        ({"gpus": 0}, "gpus: must be a whole number or, to share a GPU, below 1, got 0"),
        ({"gpus": 1.5}, r"gpus: must be .* got 1\.5"),
        ({"gpus": -1}, "gpus: must be"),
        ({"gpus": float("nan")}, "gpus: must be"),
        ({"cpus": 0, "memory": 0}, "(?s)cpus: must be 1 or more.*memory: must be 1 or more"),
    ],
)
def test_impossible_resources_are_refused(given: dict[str, Any], wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        Resources(**given)


@pytest.mark.parametrize(
    ("gpus", "jobs"), [(None, 1), (2, 1), (1, 1), (0.5, 2), (0.3, 3), (0.1, 10)]
)
def test_as_many_jobs_share_a_gpu_as_fit(gpus: float | None, jobs: int) -> None:
    assert Resources(gpus=gpus, cpus=1).jobs_per_gpu == jobs
