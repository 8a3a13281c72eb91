"""A Ray cluster of several nodes on this machine, which the tests of this folder share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


@pytest.fixture(scope="session", autouse=True)
def address() -> Iterator[str]:
    """Start a head with eight CPUs, and return its address; `auto` is this one, too."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 8})
    os.environ["RAY_ADDRESS"] = cluster.address
    yield cluster.address
    cluster.shutdown()
