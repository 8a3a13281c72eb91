"""Misbehaving jobs: each in a study of three, as a command and as a function; see `bad_jobs.py`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bad_jobs import ENDLESS, EXPECTED, MODES, Came, faults, run

pytestmark = pytest.mark.xdist_group("bad_jobs")  # its tests share what a fixture has made

Studies = Callable[[str], tuple[dict[str, Came], Came]]


@pytest.fixture(scope="module")
def studies() -> Iterator[Studies]:
    """What came of them, in two studies for each mode, and what comes of a harmless job."""
    ending = [name for name in EXPECTED if name != ENDLESS]
    with ThreadPoolExecutor(2) as pool:
        bad = {mode: pool.submit(run, mode, *ending) for mode in MODES}
        endless = {mode: pool.submit(run, mode, ENDLESS) for mode in MODES}
        harmless = {mode: pool.submit(run, mode, "harmless") for mode in MODES}
        yield lambda mode: (
            bad[mode].result() | endless[mode].result(),
            harmless[mode].result()["harmless"],
        )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("bad", EXPECTED)
def test_a_bad_job_harms_itself_alone_and_its_user_is_told(
    studies: Studies, mode: str, bad: str
) -> None:
    came, harmless = studies(mode)
    assert faults(mode, bad, came[bad], harmless) == []
