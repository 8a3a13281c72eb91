"""Generate problems and schedules with hypothesis, and shrink counterexamples.

Checks are reproducible: each run uses the same cases, and nothing is stored between runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import msgspec
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, Unsatisfiable

from hpo_core.contracts.strategy import Capability, Problem
from hpo_core.model.errors import InvalidInput
from hpo_core.model.parameters import Categorical, Constant, Float, Int, Parameter, ParameterSet
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Value, identity
from hpo_core.testing.cases import Case
from hpo_core.testing.landscape import Landscape
from hpo_core.testing.long_runs import LANDSCAPES, SEEDS, has, long_runs
from hpo_core.testing.moves import REAL_MOVES, STUDY_MOVES, Do, Move
from hpo_core.testing.spaces import (
    CONDITIONAL,
    FORBIDDEN,
    LINEAR,
    NUMBERS,
    PLAIN,
    RANGES,
    UNLIMITED,
    objectives_of,
)
from hpo_core.testing.subject import RAISED, Broken, NotApplicable, Refused, Subject, raised
from hpo_core.testing.wording import details

SHRINKS = 50
"""Maximum number of smaller cases that are tried for a counterexample."""

Body: TypeAlias = Callable[[Case], None]


class Cases(NamedTuple):
    """The cases of a check: short ones, which are generated, and long runs."""

    drawn: st.SearchStrategy[Case]
    long_runs: Iterable[Case]


def for_all(subject: Subject, cases: Cases, body: Body) -> None:
    """Run `body` on each case, except for problems that the strategy rejects.

    Raises:
        Broken: With the smallest counterexample found.
        NotApplicable: If the strategy rejects every problem.
    """
    _draw(subject, cases.drawn, body)
    for case in cases.long_runs:
        with suppress(Refused):
            if (broken := _broken_by(case, body)) is not None:
                raise _shortened(case, body, broken)


def _broken_by(case: Case, body: Body) -> Broken | None:
    """Run `body` on a case; every exception counts as a broken promise.

    Raises:
        Refused: If the strategy rejects the problem.
    """
    try:
        body(case)
    except NotApplicable:
        raise
    except Broken as error:
        return Broken(f"{error}\n{details(case)}")
    except RAISED as error:  # an answer that is invalid in a way that no check looks for
        return Broken(f"the check {raised(error)}\n{details(case)}")
    return None


def _shortened(case: Case, body: Body, broken: Broken) -> Broken:
    """Return the failure of a shorter prefix of a long run, found by bisection."""
    good, bad = 0, len(case.moves)
    while bad - good > 1:
        half = (good + bad) // 2
        shorter = msgspec.structs.replace(case, moves=case.moves[:half])
        if (found := _broken_by(shorter, body)) is None:
            good = half
        else:
            bad, broken = half, found
    return broken


class _Enough(BaseException):
    """Ends the search for smaller cases; hypothesis does not catch a BaseException."""


def _draw(subject: Subject, drawn: st.SearchStrategy[Case], body: Body) -> None:
    smallest: Broken | None = None
    refusal: Refused | None = None
    tries = 0

    @settings(
        max_examples=subject.effort.examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(drawn)
    def run(case: Case) -> None:
        nonlocal smallest, refusal, tries
        tries += smallest is not None
        if tries > SHRINKS:
            raise _Enough
        try:
            broken = _broken_by(case, body)
        except Refused as error:
            refusal = error
            reject()
        if broken is not None:
            smallest = broken
            raise broken

    try:
        run()
    except (Broken, Flaky, _Enough):  # flaky: the promise was broken once, and then kept
        assert smallest is not None
        raise smallest from None
    except Unsatisfiable:
        reason = "it accepts no space that this check can use"
        raise NotApplicable(str(refusal or reason)) from refusal


# -- cases ----------------------------------------------------------------------------------


def cases(
    subject: Subject,
    *,
    moves: Sequence[Do] = REAL_MOVES,
    space: str | None = None,
    objectives: int = 1,
    landscapes: Sequence[Landscape] = LANDSCAPES,
) -> Cases:
    """Return cases that a strategy must accept.

    Args:
        subject: The strategy.
        moves: The kinds of moves.
        space: ``PLAIN``, ``CONDITIONAL``, ``FORBIDDEN`` or ``LINEAR`` for such spaces only; None
            for any.
        objectives: How many.
        landscapes: The possible distributions of losses.
    """
    asks = [Move(Do.ASK)] * 3
    others = [Move(do, which) for do in moves for which in range(1 if do in STUDY_MOVES else 3)]
    schedule = st.lists(st.sampled_from(asks + others), min_size=8, max_size=24)
    drawn = st.builds(
        Case,
        problems(subject, space, objectives),
        schedule.map(tuple),
        st.sampled_from(landscapes),
    )
    return Cases(drawn, long_runs(subject, moves, space, objectives, landscapes))


@st.composite
def problems(
    draw: st.DrawFn, subject: Subject, extra: str | None = None, objectives: int = 1
) -> Problem:
    """Draw a problem that a strategy must accept."""
    most = [9, 27] if UNLIMITED in subject.refusals else [9, 27, None]
    return Problem(
        space=draw(spaces(subject, extra)),
        objectives=objectives_of(objectives),
        seed=draw(st.one_of(st.integers(0, 99), st.sampled_from(SEEDS))),
        min_iterations=draw(st.sampled_from((1, 1, 2))),
        max_iterations=draw(st.sampled_from(most)),
        workers=draw(st.integers(1, 4)),
    )


@st.composite
def spaces(draw: st.DrawFn, subject: Subject, extra: str | None) -> SearchSpace:
    """Draw a space of the kinds that a strategy accepts."""
    if subject.spaces:
        return draw(st.sampled_from(subject.spaces).filter(lambda space: has(space, extra)))
    if not subject.kinds:
        reject()

    def may(what: str, capability: Capability) -> bool:
        if extra is not None:
            return extra == what
        return subject.can(capability) and what not in subject.refusals and draw(st.booleans())

    names = "abcd"[: draw(st.integers(1 if extra in (None, PLAIN) else 2, 4))]
    kinds = tuple(kind for kind in subject.kinds if extra != LINEAR or kind in NUMBERS)
    if not kinds:
        reject()
    axes: list[Parameter] = [draw(_parameter(name, kinds)) for name in names]
    forbidden: list[dict[str, Any]] = []
    linear: list[str] = []
    if may(CONDITIONAL, Capability.CONDITIONAL):
        has_ranges = subject.can(Capability.RANGES) and RANGES not in subject.refusals
        axes = _with_conditions(draw, axes, has_ranges=has_ranges)
    if may(FORBIDDEN, Capability.FORBIDDEN):
        for _ in range(draw(st.integers(1, 2))):
            chosen = draw(st.lists(st.sampled_from(axes), min_size=1, max_size=2, unique_by=id))
            clause = {name: value for axis in chosen for name, value in _one(draw, axis)}
            if not any(isinstance(value, list | dict) for value in clause.values()):
                forbidden.append(clause)
    numbers = [axis for axis in axes if isinstance(axis, Float | Int)]
    if len(numbers) > 1 and extra != PLAIN and may(LINEAR, Capability.LINEAR):
        one, other = numbers[:2]
        middle = sum(axis.low + axis.high for axis in (one, other)) / 2
        linear.append(f"{one.name} + {other.name} <= {middle}")
    try:
        space = SearchSpace(tuple(axes), tuple(forbidden), tuple(linear))
    except InvalidInput:  # every configuration is forbidden
        reject()
    return space


def _with_conditions(
    draw: st.DrawFn, axes: list[Parameter], *, has_ranges: bool
) -> list[Parameter]:
    """Make parameters depend on earlier ones."""
    made = axes[:1]
    for index, axis in enumerate(axes[1:], 1):
        parent = axes[draw(st.integers(0, index - 1))]
        if index == 1 or draw(st.booleans()):
            when: dict[str, Any] = dict(_one(draw, parent)[:1])
            if has_ranges and isinstance(parent, Float | Int) and draw(st.booleans()):
                when = {parent.name: f">= {parent.quantile(draw(st.sampled_from((0.4, 0.6))))}"}
            elif isinstance(when[next(iter(when))], list | dict):
                made.append(axis)  # no condition can name a list
                continue
            axis = msgspec.structs.replace(axis, when=when)
        made.append(axis)
    return made


def _one(draw: st.DrawFn, axis: Parameter) -> list[tuple[str, Value]]:
    """Draw one value of a parameter (of a set: one combination), by name."""
    if axis.size is None:
        return list(axis.values_from(draw(st.sampled_from((0.0, 0.5)))).items())
    return list(axis.values_at(draw(st.integers(0, min(axis.size, 4) - 1))).items())


@cache  # hypothesis validates a strategy slowly: do it once
def _parameter(name: str, kinds: tuple[str, ...]) -> st.SearchStrategy[Parameter]:
    made: dict[str, st.SearchStrategy[Parameter]] = {
        "continuous floats": st.builds(
            lambda low, width: Float(name, float(low), float(low + width)),
            st.integers(-3, 3),
            st.integers(1, 100),
        ),
        "log floats": st.builds(
            lambda low, decades: Float(name, 10.0**low, 10.0 ** (low + decades), log=True),
            st.integers(-4, 1),
            st.integers(1, 4),
        ),
        "stepped floats": st.builds(
            lambda low, step, extent: Float(name, float(low), low + extent, step=step),
            st.integers(-2, 2),
            st.sampled_from((0.1, 0.25, 1.0)),
            st.sampled_from((0.3, 1.0, 1.05)),
        ),
        "integers": st.builds(
            lambda low, width, step: Int(name, low, low + width, step=step),
            st.integers(-3, 3),
            st.integers(0, 10),
            st.sampled_from((None, 3)),
        ),
        "log integers": st.builds(
            lambda low, width: Int(name, low, low + width, log=True),
            st.integers(1, 3),
            st.integers(1, 60),
        ),
        "categoricals": st.lists(
            st.sampled_from(("red", "green", 1, 1.0, "1", True, None)),
            min_size=1,
            max_size=4,
            unique_by=lambda value: (type(value), value),
        ).map(lambda choices: Categorical(name, tuple(choices))),
        "lists and tables": st.lists(
            st.sampled_from(([], [1, 2], [1.0, 2], {"a": [1], "b": None}, {}, "[]", 1)),
            min_size=1,
            max_size=4,
            unique_by=identity,
        ).map(lambda choices: Categorical(name, tuple(choices))),  # type: ignore[arg-type]
        "constants": st.sampled_from([Constant(name, value) for value in (1, "fixed", False)]),
        "parameter sets": st.integers(1, 3).map(
            lambda size: ParameterSet(
                name,
                tuple({f"{name}_x": index, f"{name}_y": "pqr"[index]} for index in range(size)),
            )
        ),
    }
    return st.sampled_from([kind for kind in made if kind in kinds]).flatmap(made.__getitem__)
