"""A few hundred cases of the fuzzer, the same each time; see `fuzz.py`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fuzz import AREAS, field, fuzz

pytestmark = pytest.mark.xdist_group("fuzz")  # its tests share what a fixture has made

CASES = {
    "files": 80,
    "options": 40,
    "arguments": 60,
    "stores": 120,
    "lines": 300,
    "reports": 20,
    "protocol": 25,
    "processes": 4,
}


@pytest.fixture(scope="module")
def ready() -> Iterator[None]:
    """The folder in which it works, with a study in it."""
    with field():
        yield


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize("area", AREAS)
def test_nothing_breaks_down_hangs_or_ends_with_a_wrong_exit_status(area: str) -> None:
    assert fuzz(area, CASES[area], seed=1)["cases"] >= CASES[area]


@pytest.mark.usefixtures("ready")
def test_the_fuzzer_finds_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpo_core.store.rows.DAMAGE", ())  # damaged rows are not caught any more
    with pytest.raises(Exception, match=r"distinct failures|not a valid|Input data|Expected"):
        fuzz("stores", 200, seed=1)
