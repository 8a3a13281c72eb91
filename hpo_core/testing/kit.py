"""Checks and their results, for the pytest class and for ``hpo check``."""

from __future__ import annotations

import enum
from collections.abc import Callable

import msgspec

from hpo_core.contracts.strategy import Capability
from hpo_core.testing.subject import RAISED, Broken, NotApplicable, Subject, raised


class CheckOutcome(enum.Enum):
    """The outcome of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One promise of a strategy, and the function that checks it.

    Attributes:
        name: The check's name; ``test_<name>`` in the pytest class.
        promise: The promise of a strategy, in a sentence.
        remedy: How to fix a failure, in a line.
        needs: The capability that the check requires; None for none.
        run: Checks a strategy. It may return a figure to show. It raises `Broken` with a
            counterexample, or `NotApplicable` with the reason.
    """

    name: str
    promise: str
    remedy: str
    needs: Capability | None
    run: Callable[[Subject], str | None]


def check(
    *, remedy: str, needs: Capability | None = None
) -> Callable[[Callable[[Subject], str | None]], Check]:
    """Turn a function into a check with the function's name; the docstring is its promise."""

    def made(run: Callable[[Subject], str | None]) -> Check:
        promise = " ".join((run.__doc__ or "").split()).rstrip(".")
        return Check(name=run.__name__, promise=promise, remedy=remedy, needs=needs, run=run)

    return made


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check.

    Attributes:
        check: The check's name.
        promise: The promise that it checks.
        outcome: Its outcome.
        detail: The counterexample of a failed check, the reason why a check does not apply, or the
            figure of a passed check.
        remedy: How to fix it, if it failed.
    """

    check: str
    promise: str
    outcome: CheckOutcome
    detail: str = ""
    remedy: str = ""


def result_of(check: Check, subject: Subject) -> CheckResult:
    """Run one check."""
    outcome, remedy = CheckOutcome.PASSED, ""
    try:
        if not subject.can(check.needs):
            assert check.needs is not None
            raise NotApplicable(f"it does not declare {check.needs.name} ({check.needs.value})")
        detail = check.run(subject) or ""
    except NotApplicable as reason:
        outcome, detail = CheckOutcome.NOT_APPLICABLE, str(reason)
    except Broken as broken:
        outcome, detail, remedy = CheckOutcome.FAILED, str(broken), check.remedy
    except RAISED as error:  # an answer that is invalid in a way that no check looks for
        outcome, detail, remedy = CheckOutcome.FAILED, f"the check {raised(error)}", check.remedy
    return CheckResult(
        check=check.name, promise=check.promise, outcome=outcome, detail=detail, remedy=remedy
    )
