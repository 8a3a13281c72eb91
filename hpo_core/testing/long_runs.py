"""Long runs, for behaviour that begins after a hundred results or that short schedules never reach.

They are drawn from a fixed seed, so a check always has the same outcome.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from hpo_core.contracts.strategy import Capability, Problem
from hpo_core.model.parameters import Float, Int, Parameter
from hpo_core.model.space import SearchSpace
from hpo_core.testing.cases import Case
from hpo_core.testing.landscape import Landscape
from hpo_core.testing.moves import STUDY_MOVES, Do, Move
from hpo_core.testing.spaces import (
    CONDITIONAL,
    FORBIDDEN,
    KINDS,
    LINEAR,
    NUMBERS,
    PLAIN,
    UNLIMITED,
    objectives_of,
    uniform,
)
from hpo_core.testing.subject import Subject

WORKERS = (3, 8, 1, 4)
SEEDS = (11, 2**63 - 1, 2**32 + 7, 5)
LANDSCAPES = (Landscape.USUAL, Landscape.EQUAL, Landscape.ENORMOUS, Landscape.USUAL)
ITERATIONS = (9, 27, 3, None)

OFTEN: Mapping[Do, int] = {Do.ASK: 12, Do.FINISH: 7, Do.REPORT: 3}
"""The weights of moves; any other move has the weight 1."""

MOVES = 3
"""Number of moves for each result of a run."""


def long_runs(
    subject: Subject,
    moves: Sequence[Do],
    extra: str | None,
    objectives: int,
    landscapes: Sequence[Landscape],
) -> Iterator[Case]:
    """Yield the long runs of a check, with the kinds of spaces that a strategy accepts.

    Args:
        subject: The strategy.
        moves: The kinds of moves, besides asking.
        extra: ``PLAIN``, ``CONDITIONAL`` or ``FORBIDDEN`` for only such spaces; None for any.
        objectives: How many.
        landscapes: The losses of each run.
    """
    for number, results in enumerate(subject.effort.long_runs):
        if (space := _space(subject, number, extra)) is None:
            continue
        place = number % len(WORKERS)
        most = ITERATIONS[place]
        problem = Problem(
            space=space,
            objectives=objectives_of(objectives),
            seed=SEEDS[place] + number // len(WORKERS) * (place != 1),
            max_iterations=9 if most is None and UNLIMITED in subject.refusals else most,
            workers=WORKERS[place],
        )
        schedule = tuple(_moves(number, results * MOVES, (Do.ASK, *moves)))
        yield Case(problem, schedule, landscapes[number % len(landscapes)], number + 1)


def _moves(number: int, count: int, kinds: Sequence[Do]) -> Iterator[Move]:
    weighted = [do for do in dict.fromkeys(kinds) for _ in range(OFTEN.get(do, 1))]
    for place in range(count):
        do = weighted[int(uniform("move", number, place) * len(weighted))]
        which = 0 if do in STUDY_MOVES else int(uniform("which", number, place) * 8)
        yield Move(do, which)


def _space(subject: Subject, number: int, extra: str | None) -> SearchSpace | None:
    """Return the space of a long run, or None if no space is of that kind."""
    if subject.spaces:
        fit = [space for space in subject.spaces if has(space, extra)]
        return fit[number % len(fit)] if fit else None
    kinds = [kind for kind in subject.kinds if kind != "constants"] or list(subject.kinds)
    if extra == LINEAR:
        kinds = [kind for kind in kinds if kind in NUMBERS]
    if not kinds:
        return None
    chosen = itertools.islice(itertools.cycle(kinds), number * 3, number * 3 + 4)
    axes = [KINDS[kind][1](name) for name, kind in zip("abcd", chosen, strict=False)]
    forbidden: list[Mapping[str, Any]] = []

    def wants(what: str, capability: Capability) -> bool:
        may = subject.can(capability) and what not in subject.refusals
        return may and extra in (what, None) and (extra == what or number % 2 == 1)

    if wants(CONDITIONAL, Capability.CONDITIONAL):
        when = dict(list(_some(axes[0]).items())[:1])
        if isinstance(axes[0], Float | Int) and subject.can(Capability.RANGES):
            when = {axes[0].name: f">= {axes[0].quantile(0.3)}"}
        if not any(isinstance(value, list | dict) for value in when.values()):
            axes[1] = msgspec.structs.replace(axes[1], when=when)
    if wants(FORBIDDEN, Capability.FORBIDDEN):
        clauses = [{**_some(axes[2])}, {**_some(axes[0]), **_some(axes[3])}]
        forbidden += [
            clause
            for clause in clauses
            if not any(isinstance(value, list | dict) for value in clause.values())
        ]
    numbers = [axis for axis in axes if isinstance(axis, Float | Int)]
    linear = []
    if len(numbers) > 1 and extra != PLAIN and wants(LINEAR, Capability.LINEAR):
        one, other = numbers[-2:]
        linear.append(f"{one.name} + {other.name} <= {(one.high + other.high) / 2}")
    return SearchSpace(tuple(axes), tuple(forbidden), tuple(linear))


def _some(axis: Parameter) -> Mapping[str, Any]:
    """Return a condition on a parameter: some of its values, or the lower half of its range."""
    middle = axis.values_from(0.5)
    return {axis.name: (axis.low, middle[axis.name])} if isinstance(axis, Float) else middle


def has(space: SearchSpace, extra: str | None) -> bool:
    """Return whether a space is of a kind, such as ``PLAIN`` or ``LINEAR``; None means any."""
    conditional, forbidden = space.is_conditional, bool(space.forbidden)
    if extra == PLAIN:
        return not conditional and not forbidden and not space.linear
    if extra == LINEAR:
        return bool(space.linear)
    return (extra != CONDITIONAL or conditional) and (extra != FORBIDDEN or forbidden)
