"""The kit is itself tested: each broken promise is found out by the check meant for it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from hpo_core.plugin import BaseStrategy, Capability

sys.path.insert(0, str(Path(__file__).parent))  # samples, as another process finds them too

from broken import BROKEN
from samples import ALL_SPACES, Halving, Stream

from hpo_core.testing.checks import CHECKS
from hpo_core.testing.kit import CheckOutcome, CheckResult, result_of
from hpo_core.testing.subject import Source, Subject

FIDELITIES = {Capability.STOPPING, Capability.RESUMING}
BY_NAME = {check.name: check for check in CHECKS}
PAGE = Path(__file__).parents[2] / "docs/contract-kit.md"


def subject(strategy: type[BaseStrategy], **given: Any) -> Subject:
    announced = ALL_SPACES | FIDELITIES if issubclass(strategy, Halving) else ALL_SPACES
    return Subject(
        strategy,
        getattr(strategy, "capabilities", announced),
        origin=Source(
            str(Path(sys.modules[strategy.__module__].__file__ or "")), strategy.__name__
        ),
        options=getattr(strategy, "options", None),
        **given,
    )


def results(strategy: type[BaseStrategy], **given: Any) -> dict[str, CheckResult]:
    checked = subject(strategy, **given)
    return {check.name: result_of(check, checked) for check in CHECKS}


@pytest.mark.parametrize("strategy", [Stream, Halving])
def test_a_good_strategy_fails_no_check(strategy: type[BaseStrategy]) -> None:
    failed = [found for found in results(strategy).values() if found.outcome is CheckOutcome.FAILED]
    assert failed == []


@pytest.mark.parametrize(
    ("strategy", "check"), [pytest.param(s, c, id=f"{s.__name__}-{c}") for s, c in BROKEN.items()]
)
def test_a_broken_promise_is_found_by_the_check_meant_for_it(
    strategy: type[BaseStrategy], check: str
) -> None:
    found = result_of(BY_NAME[check], subject(strategy))
    assert found.outcome is CheckOutcome.FAILED
    assert found.check == check
    assert found.detail
    assert found.remedy


def test_every_check_has_a_strategy_that_breaks_it() -> None:
    assert set(BY_NAME) - set(BROKEN.values()) == {"cost_of_an_ask"}  # a figure, never a failure


def test_a_counterexample_is_small_and_names_space_seed_and_schedule() -> None:
    strategy = next(one for one in BROKEN if one.__name__ == "ExpectsLosses")
    found = result_of(BY_NAME["failed_and_timed_out_jobs_are_survived"], subject(strategy))
    lines = found.detail.splitlines()
    assert re.match(r"tell raised TypeError \(broken\.py:\d+\): 'NoneType'", lines[0])
    assert lines[1].startswith("space: ")
    assert lines[1].count("(") == 1  # one parameter is enough
    assert lines[2].startswith("seed 0, ")
    assert lines[3].startswith("schedule: ask")


def test_a_check_comes_out_the_same_each_time() -> None:
    strategy = next(one for one in BROKEN if one.__name__ == "AdoptsNothing")
    first, second = (
        result_of(BY_NAME["adopting_equals_suggesting"], subject(strategy)) for _ in range(2)
    )
    assert first == second


def test_what_a_strategy_does_not_declare_is_not_applicable_and_the_reason_says_so() -> None:
    plain = Subject(Stream, frozenset())
    found = result_of(BY_NAME["no_forbidden_combination_is_suggested"], plain)
    assert found.outcome is CheckOutcome.NOT_APPLICABLE
    assert found.detail == "it does not declare FORBIDDEN (forbidden combinations)"


def test_spaces_are_of_those_kinds_that_a_strategy_declares() -> None:
    plain = Subject(Stream, frozenset())
    assert "integers" not in plain.kinds
    assert "continuous floats" in plain.kinds


def test_the_documentation_lists_every_check_with_its_promise() -> None:
    _, table = PAGE.read_text(encoding="utf-8").split("## The checks")
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|$", table, re.MULTILINE)
    assert rows == [(check.name, check.promise) for check in CHECKS]
