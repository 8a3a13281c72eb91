"""Checks and their results: what the pytest class and ``hpo check`` have in common."""

from __future__ import annotations

import enum
from collections.abc import Callable

import msgspec

from hpo_core.contracts.strategy import Capability
from hpo_core.testing.subject import RAISED, Broken, NotApplicable, Subject, raised


class CheckOutcome(enum.Enum):
    """How a check came out."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One promise of a strategy, and how to find out whether it is kept.

    Attributes:
        name: The check's name; ``test_<name>`` in the pytest class.
        promise: What a strategy promises, in a sentence.
        remedy: What to do if it does not, in a line.
        needs: The capability without which the check does not apply.
        run: Checks a strategy. It returns a figure worth telling, if any; it raises `Broken`
            with a counterexample, or `NotApplicable` with the reason.
    """

    name: str
    promise: str
    remedy: str
    needs: Capability | None
    run: Callable[[Subject], str | None]


def check(
    *, remedy: str, needs: Capability | None = None
) -> Callable[[Callable[[Subject], str | None]], Check]:
    """Make a check of a function; its name is the function's, its promise the docstring."""

    def made(run: Callable[[Subject], str | None]) -> Check:
        promise = " ".join((run.__doc__ or "").split()).rstrip(".")
        return Check(name=run.__name__, promise=promise, remedy=remedy, needs=needs, run=run)

    return made


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one check came out.

    Attributes:
        check: The check's name.
        promise: What it is about.
        outcome: How it came out.
        detail: The counterexample of a failed one, the reason why one does not apply, or a
            figure of one that passed.
        remedy: What to do, if it failed.
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
    except RAISED as error:  # an answer that no check has thought of
        outcome, detail, remedy = CheckOutcome.FAILED, f"the check {raised(error)}", check.remedy
    return CheckResult(
        check=check.name, promise=check.promise, outcome=outcome, detail=detail, remedy=remedy
    )
