"""Draws problems and schedules by hypothesis, and shrinks what breaks a promise.

A check is reproducible: nothing is random from run to run, and nothing is kept between runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import msgspec
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, Unsatisfiable

from hpo_core.contracts.strategy import Capability, Problem
from hpo_core.model.errors import InvalidInput
from hpo_core.model.parameters import Categorical, Constant, Float, Int, Parameter, ParameterSet
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Value
from hpo_core.testing.simulator import TIDY, UNAIMED, Do, Move
from hpo_core.testing.spaces import (
    CONDITIONAL,
    FORBIDDEN,
    PLAIN,
    UNLIMITED,
    objectives_of,
)
from hpo_core.testing.subject import Broken, NotApplicable, Refused, Subject
from hpo_core.testing.wording import told

SHRINKS = 50
"""How many smaller cases are tried for a counterexample."""


class Case(msgspec.Struct, frozen=True):
    """A problem, and what happens in its study."""

    problem: Problem
    moves: tuple[Move, ...]


def for_all(subject: Subject, cases: st.SearchStrategy[Case], body: Callable[[Case], None]) -> None:
    """Run `body` on drawn cases; problems that the strategy refuses are left out.

    Raises:
        Broken: With the smallest counterexample found.
        NotApplicable: If it refuses them all.
    """
    smallest: Broken | None = None
    refusal: Refused | None = None
    tries = 0

    @settings(
        max_examples=subject.examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(cases)
    def run(case: Case) -> None:
        nonlocal smallest, refusal, tries
        tries += smallest is not None
        if tries > SHRINKS:
            return
        try:
            body(case)
        except Refused as error:
            refusal = error
            reject()
        except Broken as error:
            smallest = Broken(f"{error}\n{told(case.problem, case.moves)}")
            raise smallest from error

    try:
        run()
    except (Broken, Flaky):  # flaky: broken now, and then not; or enough was tried
        assert smallest is not None
        raise smallest from None
    except Unsatisfiable:
        if refusal is None:
            raise
        raise NotApplicable(str(refusal)) from refusal


# -- cases ----------------------------------------------------------------------------------


def cases(
    subject: Subject,
    *,
    moves: Sequence[Do] = TIDY,
    space: str | None = None,
    objectives: int = 1,
) -> st.SearchStrategy[Case]:
    """Draw cases that a strategy has to take.

    Args:
        subject: The strategy.
        moves: The kinds of moves.
        space: ``PLAIN``, ``CONDITIONAL`` or ``FORBIDDEN`` for such spaces alone; None for any.
        objectives: How many.
    """
    asks = [Move(Do.ASK)] * 3
    others = [Move(do, which) for do in moves for which in range(1 if do in UNAIMED else 3)]
    schedule = st.lists(st.sampled_from(asks + others), min_size=8, max_size=24)
    return st.builds(Case, problems(subject, space, objectives), schedule.map(tuple))


@st.composite
def problems(
    draw: st.DrawFn, subject: Subject, extra: str | None = None, objectives: int = 1
) -> Problem:
    """Draw a problem that a strategy has to take."""
    most = [9, 27] if UNLIMITED in subject.refusals else [9, 27, None]
    return Problem(
        space=draw(spaces(subject, extra)),
        objectives=objectives_of(objectives),
        seed=draw(st.integers(0, 99)),
        min_iterations=draw(st.sampled_from((1, 1, 2))),
        max_iterations=draw(st.sampled_from(most)),
        workers=draw(st.integers(1, 4)),
    )


@st.composite
def spaces(draw: st.DrawFn, subject: Subject, extra: str | None) -> SearchSpace:
    """Draw a space of the kinds that a strategy takes."""
    if subject.spaces:
        return draw(st.sampled_from(subject.spaces).filter(lambda space: _has(space, extra)))
    if not subject.kinds:
        reject()

    def may(what: str, capability: Capability) -> bool:
        if extra is not None:
            return extra == what
        return subject.can(capability) and what not in subject.refusals and draw(st.booleans())

    names = "abcd"[: draw(st.integers(1 if extra in (None, PLAIN) else 2, 4))]
    axes: list[Parameter] = [draw(_parameter(name, subject.kinds)) for name in names]
    forbidden: list[dict[str, Value]] = []
    if may(CONDITIONAL, Capability.CONDITIONAL):
        axes = _with_conditions(draw, axes)
    if may(FORBIDDEN, Capability.FORBIDDEN):
        for _ in range(draw(st.integers(1, 2))):
            chosen = draw(st.lists(st.sampled_from(axes), min_size=1, max_size=2, unique_by=id))
            forbidden.append({name: value for axis in chosen for name, value in _one(draw, axis)})
    try:
        space = SearchSpace(tuple(axes), tuple(forbidden))
    except InvalidInput:  # all of it is forbidden
        reject()
    return space


def _has(space: SearchSpace, extra: str | None) -> bool:
    conditional, forbidden = space.is_conditional, bool(space.forbidden)
    if extra == PLAIN:
        return not conditional and not forbidden
    return (extra != CONDITIONAL or conditional) and (extra != FORBIDDEN or forbidden)


def _with_conditions(draw: st.DrawFn, axes: list[Parameter]) -> list[Parameter]:
    """Make parameters depend on earlier ones."""
    made = axes[:1]
    for index, axis in enumerate(axes[1:], 1):
        parent = axes[draw(st.integers(0, index - 1))]
        if index == 1 or draw(st.booleans()):
            when = dict(_one(draw, parent)[:1])
            axis = msgspec.structs.replace(axis, when=when)
        made.append(axis)
    return made


def _one(draw: st.DrawFn, axis: Parameter) -> list[tuple[str, Value]]:
    """Draw one value of a parameter (of a set: one combination), by name."""
    if axis.size is None:
        return list(axis.values_from(draw(st.sampled_from((0.0, 0.5)))).items())
    return list(axis.values_at(draw(st.integers(0, min(axis.size, 4) - 1))).items())


@cache  # hypothesis takes its time to validate a strategy; once will do
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
        "constants": st.sampled_from([Constant(name, value) for value in (1, "fixed", False)]),
        "parameter sets": st.integers(1, 3).map(
            lambda size: ParameterSet(
                name,
                tuple({f"{name}_x": index, f"{name}_y": "pqr"[index]} for index in range(size)),
            )
        ),
    }
    return st.sampled_from([kind for kind in made if kind in kinds]).flatmap(made.__getitem__)
