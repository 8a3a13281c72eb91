"""A Dask cluster that the tests of this folder share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from dask_cluster import DaskCluster  # it lies beside this file


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Start a scheduler with three workers, and return its address."""
    with DaskCluster() as cluster:
        for name, gpus in {"one": "0,1", "two": "2,3", "three": "4,5"}.items():
            cluster.add(name, 4, "GPU=2 CPU=4", CUDA_VISIBLE_DEVICES=gpus)
        os.environ["DASK_SCHEDULER_ADDRESS"] = cluster.address
        yield cluster.address
        del os.environ["DASK_SCHEDULER_ADDRESS"]
