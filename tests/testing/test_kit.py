"""Tests of the kit: each broken promise is found by the check meant for it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from hpo_core.plugin import (
    BaseStrategy,
    Capability,
    Configuration,
    Problem,
    Start,
    Unsupported,
)

sys.path.insert(0, str(Path(__file__).parent))  # samples, as another process finds them too

import broken_late  # noqa: F401  # they register themselves in BROKEN
import broken_outside  # noqa: F401
import broken_resuming  # noqa: F401
from broken import BROKEN
from samples import ALL_SPACES, Halving, Stream, StreamInAnySpace

from hpo_core.testing import StrategyContract
from hpo_core.testing.checks import CHECKS
from hpo_core.testing.effort import THOROUGH, Effort
from hpo_core.testing.kit import CheckOutcome, CheckResult, result_of
from hpo_core.testing.landscape import Landscape
from hpo_core.testing.subject import Source, Subject

FIDELITIES = {Capability.STOPPING, Capability.RESUMING}
LITTLE = Effort(examples=3)
"""Enough to find the fault of each."""

ALL = os.environ.get("HPO_KIT") == "thorough"
"""Whether `make test-kit` runs this: it tries those too that take a process each."""

PROCESSES = [one for one, check in BROKEN.items() if check.startswith("another_process")]
TRIED = [one for one in BROKEN if ALL or one not in PROCESSES[6:]]

BY_NAME = {check.name: check for check in CHECKS}
PAGE = Path(__file__).parents[2] / "docs/contract-kit.md"


def subject(strategy: type[BaseStrategy], **given: Any) -> Subject:
    announced = ALL_SPACES | FIDELITIES if issubclass(strategy, Halving) else ALL_SPACES
    return Subject(
        strategy,
        getattr(strategy, "capabilities", announced),
        is_adaptive=getattr(strategy, "is_adaptive", True),
        origin=Source(
            str(Path(sys.modules[strategy.__module__].__file__ or "")), strategy.__name__
        ),
        options=getattr(strategy, "options", None),
        effort=LITTLE,
        **given,
    )


def results(strategy: type[BaseStrategy], **given: Any) -> dict[str, CheckResult]:
    checked = subject(strategy, **given)
    return {check.name: result_of(check, checked) for check in CHECKS}


@pytest.mark.parametrize("strategy", [Stream, StreamInAnySpace, Halving])
def test_a_good_strategy_fails_no_check(strategy: type[BaseStrategy]) -> None:
    failed = [found for found in results(strategy).values() if found.outcome is CheckOutcome.FAILED]
    assert failed == []


def test_equal_configurations_have_equal_losses() -> None:
    one, other = (
        Configuration({"a": [table], "b": 1})
        for table in ({"x": 1, "y": {"p": 1, "q": 2}}, {"y": {"q": 2, "p": 1}, "x": 1})
    )
    assert one == other
    for landscape in Landscape:
        assert landscape.loss(0, one, 3) == landscape.loss(0, other, 3)


@pytest.mark.parametrize(
    ("strategy", "check"),
    [pytest.param(one, BROKEN[one], id=f"{one.__name__}-{BROKEN[one]}") for one in TRIED],
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


def test_what_a_strategy_finds_unsupported_is_not_drawn() -> None:
    class OnlyFloats(Stream):
        def __init__(self, problem: Problem) -> None:
            if any(axis.size is not None for axis in problem.space.parameters):
                raise Unsupported("floats alone")
            super().__init__(problem)

    floats = Subject(OnlyFloats, frozenset(), effort=LITTLE)
    assert floats.kinds == ("continuous floats", "log floats")
    found = result_of(BY_NAME["suggestions_lie_in_the_space"], floats)
    assert found.outcome is CheckOutcome.PASSED


@pytest.mark.parametrize("error", [SystemExit(3), RecursionError("too deep")], ids=repr)
def test_whatever_a_strategy_raises_is_a_failure_with_the_counterexample(
    error: BaseException,
) -> None:
    class Raises(Stream):
        def ask(self, trial_id: int, /) -> Any:
            raise error

    found = result_of(BY_NAME["nan_is_survived"], Subject(Raises, frozenset(), effort=LITTLE))
    assert found.outcome is CheckOutcome.FAILED
    assert f"ask raised {type(error).__name__} (test_kit.py:" in found.detail
    assert "\nspace: Float('a', 0.0, 1.0)\n" in found.detail


def test_an_answer_on_which_a_check_stumbles_is_a_failure_with_the_counterexample() -> None:
    class InWords(Stream):
        def ask(self, trial_id: int, /) -> Any:
            return Start(super().ask(trial_id).configuration, iterations="nine")  # type: ignore[arg-type]

    found = result_of(BY_NAME["nan_is_survived"], Subject(InWords, frozenset(), effort=LITTLE))
    assert found.outcome is CheckOutcome.FAILED
    assert re.match(r"the check raised TypeError \(simulator\.py:\d+\)", found.detail)
    assert "\nschedule: ask" in found.detail


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("DrawsFromTheGlobalStream", "random.random()"),
        ("BorrowsTheGlobalStream", "seed = random.random()"),
        ("SeedsNumpy", "np.random.seed(self.problem.seed)"),
    ],
)
def test_the_line_that_draws_from_a_global_stream_is_named(name: str, line: str) -> None:
    strategy = next(one for one in BROKEN if one.__name__ == name)
    found = result_of(BY_NAME["global_random_streams_are_left_alone"], subject(strategy))
    assert re.search(rf"\ndrawn by broken\.py:\d+ in \w+: {re.escape(line)}\n", found.detail)


def test_a_late_failure_is_shown_by_the_shortest_beginning_of_its_long_run() -> None:
    strategy = next(one for one in BROKEN if one.__name__ == "DecidesNothingLate")
    found = result_of(BY_NAME["answers_fit_the_contract"], subject(strategy))
    schedule = found.detail.splitlines()[-1]
    assert re.match(r"schedule: the first \d+ moves of long run 1, which end with ", schedule)


def test_a_contract_class_says_how_much_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HPO_KIT", raising=False)

    class Slow(StrategyContract):
        examples = 2
        long_runs = (40,)

        def make_strategy(self, problem: Problem) -> Any:
            return Stream(problem)

    class Thorough(Slow):
        thorough = True
        long_runs = None

    assert Slow.subject().effort == Effort(examples=2, long_runs=(40,))
    assert Thorough.subject().effort == THOROUGH.changed(2, None)
    monkeypatch.setenv("HPO_KIT", "thorough")
    assert Slow.subject().effort == Effort(examples=2, long_runs=(40,), cuts=THOROUGH.cuts)


def test_the_documentation_lists_every_check_with_its_promise() -> None:
    _, table = PAGE.read_text(encoding="utf-8").split("## The checks")
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|$", table, re.MULTILINE)
    assert rows == [(check.name, check.promise) for check in CHECKS]
