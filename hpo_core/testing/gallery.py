"""Fixed problems for checks without generated ones: large, finite, or of one point.

If an author lists the spaces to check, the problems use these spaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from hpo_core.contracts.strategy import Problem
from hpo_core.model.parameters import Categorical, Constant, Float, Int, Parameter
from hpo_core.model.space import SearchSpace
from hpo_core.testing.spaces import KINDS, problem
from hpo_core.testing.subject import Guarded, NotApplicable, Refused, Subject


def built(subject: Subject, problems: Iterable[Problem]) -> Iterator[tuple[Problem, Guarded]]:
    """Build the strategy for each problem that it accepts.

    Raises:
        NotApplicable: If it accepts none of them.
    """
    reason = "it accepts no space that this check can use"
    any_built = False
    for one in problems:
        try:
            strategy = subject.make(one)
        except Refused as refusal:
            reason = str(refusal)
            continue
        any_built = True
        yield one, strategy
    if not any_built:
        raise NotApplicable(reason)


def large(subject: Subject) -> Problem:
    """Return a problem with far more configurations than a check tries."""
    if subject.spaces:
        return _with_space(subject.spaces[0])
    wide = [kind for kind in subject.kinds if kind != "constants"] or list(subject.kinds)
    if not wide:
        raise NotApplicable("it accepts no kind of parameter")
    return problem(*(KINDS[wide[index % len(wide)]][1](f"p{index}") for index in range(10)))


def many_parameters(subject: Subject) -> Problem:
    """Return a problem of 200 parameters of all kinds."""
    if subject.spaces or not subject.kinds:
        raise NotApplicable("it accepts only its own spaces")
    kinds = subject.kinds
    return problem(*(KINDS[kinds[index % len(kinds)]][1](f"p{index}") for index in range(200)))


def many_choices(subject: Subject) -> Problem:
    """Return a problem with a parameter of thousands of choices."""
    if subject.spaces or "categoricals" not in subject.kinds:
        raise NotApplicable("it accepts no categorical parameters")
    return problem(Categorical("a", tuple(f"choice {number}" for number in range(3000))))


def large_integers(subject: Subject) -> list[Problem]:
    """Return problems with integers that floats cannot distinguish."""
    if subject.spaces or "integers" not in subject.kinds:
        raise NotApplicable("it accepts no integer parameters")
    edge = 2**53
    return [
        problem(Int("a", edge + 1, edge + 9)),
        problem(Int("a", -edge - 1, -edge - 1 + 2 * 7, step=2), Float("b", 0.0, 1.0)),
        problem(Int("a", 1 - 2**63, 2**63 - 1)),
    ]


def finite(subject: Subject) -> list[Problem]:
    """Return problems with at most a few dozen configurations."""
    if subject.spaces:
        return [_with_space(space) for space in subject.spaces if space.is_finite]
    offered: dict[str, Parameter] = {
        "integers": Int("a", 0, 3),
        "categoricals": Categorical("b", ("x", "y", "z")),
        "stepped floats": Float("c", 0.0, 0.3, step=0.1),
    }
    axes = [axis for kind, axis in offered.items() if kind in subject.kinds]
    return [problem(*axes[:count]) for count in range(1, min(len(axes), 2) + 1)]


def one_point(subject: Subject) -> list[Problem]:
    """Return problems of a single configuration."""
    if subject.spaces:
        return []
    return [problem(axis) for axis in _axes_of_one_point(subject)]


def with_axis_of_one_point(subject: Subject) -> list[Problem]:
    """Return problems of a few configurations, with an axis that has a single point."""
    if subject.spaces:
        return []
    wide: dict[str, Parameter] = {
        "integers": Int("wide", 0, 2),
        "categoricals": Categorical("wide", ("x", "y", "z")),
        "stepped floats": Float("wide", 0.0, 0.2, step=0.1),
    }
    first = next((axis for kind, axis in wide.items() if kind in subject.kinds), None)
    return [] if first is None else [problem(first, axis) for axis in _axes_of_one_point(subject)]


def _axes_of_one_point(subject: Subject) -> list[Parameter]:
    """Return axes of one point. A Float with one point is finite, so it needs no step."""
    point = Float("a", 0.5, 0.5)
    offered: list[tuple[str, Parameter]] = [
        ("constants", Constant("a", 1)),
        ("continuous floats", point),
        ("stepped floats", point),
        ("stepped floats", Float("a", 0.5, 0.5, step=0.1)),
        ("integers", Int("a", 3, 3)),
        ("categoricals", Categorical("a", ("only",))),
    ]
    return [axis for kind, axis in offered if kind in subject.kinds]


def _with_space(space: SearchSpace) -> Problem:
    return msgspec.structs.replace(problem(Constant("a", 1)), space=space)
