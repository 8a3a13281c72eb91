from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sample_studies as studies


@pytest.fixture(scope="session", autouse=True)
def _freed() -> Iterator[None]:
    yield
    studies.close()
