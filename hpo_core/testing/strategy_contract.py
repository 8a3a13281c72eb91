"""The contract kit of strategies as a pytest class: inherit it, and define `make_strategy`."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Sequence
from typing import Any

from hpo_core.contracts.strategy import Capability, Problem, Strategy
from hpo_core.model.errors import nearest
from hpo_core.model.space import SearchSpace
from hpo_core.testing.checks import CHECKS
from hpo_core.testing.effort import QUICK, THOROUGH, Effort
from hpo_core.testing.kit import Check, CheckOutcome, result_of
from hpo_core.testing.subject import Source, Subject

_NAMES = frozenset(check.name for check in CHECKS)

SHORT_CHECKS = _NAMES - {
    "cost_of_an_ask",
    "many_jobs_may_be_pending",
    "thousands_of_choices_are_taken",
    "two_hundred_parameters_are_taken",
}
"""The checks without long histories and large spaces, where a model takes minutes."""


class StrategyContract:
    """Every check of the contract as a test; ``hpo check`` runs the same checks.

        class TestMine(StrategyContract):
            capabilities = frozenset({Capability.INTEGERS})

            def make_strategy(self, problem):
                return Mine(problem)

    A check that does not apply is skipped, with its reason. Define the class at the top level
    of its module: one check imports it in another process, and creates it there without a fixture.

    Attributes:
        capabilities: The capabilities of the strategy, as in its spec.
        is_adaptive: Whether reports may change its suggestions, as in its spec.
        options: The type of its options, if it has any.
        spaces: The spaces to check; if empty, spaces are generated from the kinds of parameters
            that it does not reject with `InvalidInput` or `Unsupported`.
        thorough: Whether to run ten times as many cases, for minutes; the environment variable
            ``HPO_KIT=thorough`` does the same.
        examples: Number of short cases of each check; None for 20, or 100 if thorough.
        long_runs: Number of results of each long run; None for three runs of 60 to 150 results, or
            ten if thorough. Use fewer, or none, for a slow strategy.
        checks: The names of the checks to run; None for all. For a strategy whose model is slow:
            `SHORT_CHECKS`, which go without long histories and large spaces.
    """

    capabilities: frozenset[Capability] = frozenset()
    is_adaptive: bool = True
    options: type[Any] | None = None
    spaces: Sequence[SearchSpace] = ()
    thorough: bool = False
    examples: int | None = None
    long_runs: Sequence[int] | None = None
    checks: Collection[str] | None = None

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Remove the tests of the checks that are not to run.

        Raises:
            TypeError: If there is no check of a name.
        """
        super().__init_subclass__(**keywords)
        if cls.checks is None:
            return
        for name in cls.checks:
            if name not in _NAMES:
                guess = nearest(name, sorted(_NAMES))
                raise TypeError(f"{cls.__name__}.checks: there is no check {name!r}{guess}")
        for name in _NAMES - frozenset(cls.checks):
            setattr(cls, f"test_{name}", None)

    def make_strategy(self, problem: Problem) -> Strategy:
        """Build the strategy for a problem; raise `InvalidInput` to reject it."""
        raise NotImplementedError(f"{type(self).__name__} needs make_strategy(self, problem)")

    @classmethod
    def subject(cls) -> Subject:
        """Return the subject of the checks."""
        name = cls.__qualname__
        return Subject(
            lambda problem: cls().make_strategy(problem),
            cls.capabilities,
            is_adaptive=cls.is_adaptive,
            origin=None if "<locals>" in name else Source(inspect.getfile(cls), name),
            options=cls.options,
            spaces=cls.spaces,
            effort=cls._effort(),
        )

    @classmethod
    def _effort(cls) -> Effort:
        is_thorough = cls.thorough or os.environ.get("HPO_KIT") == "thorough"
        effort = THOROUGH if is_thorough else QUICK
        return Effort(
            examples=effort.examples if cls.examples is None else cls.examples,
            long_runs=effort.long_runs if cls.long_runs is None else tuple(cls.long_runs),
            cuts=effort.cuts,
        )


def _test(check: Check) -> Callable[[StrategyContract], None]:
    def test(self: StrategyContract) -> None:
        __tracebackhide__ = True
        import pytest  # pytest is installed where tests run

        result = result_of(check, type(self).subject())
        if result.outcome is CheckOutcome.NOT_APPLICABLE:
            pytest.skip(result.detail)
        if result.outcome is CheckOutcome.FAILED:
            pytest.fail(
                f"{result.promise}.\n{result.detail}\nremedy: {result.remedy}", pytrace=False
            )

    test.__doc__ = check.promise
    test.__name__ = f"test_{check.name}"
    test.__qualname__ = f"StrategyContract.test_{check.name}"
    return test


for _check in CHECKS:
    setattr(StrategyContract, f"test_{_check.name}", _test(_check))
