"""A Ray cluster that the tests of this folder share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from nodes import Nodes  # it lies beside this file


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Start a head with eight CPUs, and return its address."""
    with Nodes(8) as nodes:
        os.environ["RAY_ADDRESS"] = nodes.address  # for the address "auto"
        yield nodes.address
        del os.environ["RAY_ADDRESS"]
