"""Linear inequalities of a search space: their faults, and a configuration that satisfies them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from hpo_core.model.comparison import Comparison, comparison
from hpo_core.model.errors import Fault, InvalidInput, nearest
from hpo_core.model.values import Value

DRAWS = 10_000
"""How many configurations are drawn in search of one that satisfies all inequalities."""


class Space(Protocol):
    """What is asked of a search space here."""

    def draw(self, uniform: Callable[[], float], /) -> Mapping[str, Value]: ...

    def is_forbidden(self, values: Mapping[str, Value], /) -> bool: ...


def linear_faults(texts: Iterable[str], axes: Mapping[str, object]) -> Iterator[Fault]:
    """Yield what is wrong with inequalities, each by itself.

    Args:
        texts: The inequalities.
        axes: The parameters by name.
    """
    for index, text in enumerate(texts):
        path = f"linear[{index}]"
        try:
            one = comparison(text)
        except ValueError as error:
            yield Fault(path, f"{error}; write it like 'x + 2 * y <= 1'")
            continue
        faults = list(_faults(path, one, axes))
        yield from faults
        if not faults and not _can_hold(one, axes):
            yield Fault(path, f"no values of {', '.join(one.coefficients)} satisfy {text}")


def _faults(path: str, one: Comparison, axes: Mapping[str, object]) -> Iterator[Fault]:
    if one.relation in ("==", "!="):
        yield Fault(path, f"expected an inequality (<=, <, >=, >), got {one.relation}")
    if not one.coefficients:
        yield Fault(path, "names no parameter that would matter")
    for name in one.coefficients:
        if name not in axes:
            yield Fault(path, f"there is no parameter {name!r}{nearest(name, axes)}")
        elif not getattr(axes[name], "is_numeric", False):
            yield Fault(path, f"{name} is not a float or an int, so it has no place in a sum")


def _can_hold(one: Comparison, axes: Mapping[str, object]) -> bool:
    """Return whether an inequality holds anywhere between the ends of its parameters."""
    is_upper = one.relation in ("<=", "<")
    ends = {
        name: getattr(axes[name], "low" if (factor > 0) == is_upper else "high")
        for name, factor in one.coefficients.items()
    }
    return one.holds(
        {name: float(value) if isinstance(value, float) else value for name, value in ends.items()}
    )


def searched(space: Space, first: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return a configuration that is not forbidden: the first one, or one that is drawn.

    Raises:
        InvalidInput: If none of `DRAWS` configurations is allowed.
    """
    if not space.is_forbidden(first):
        return first
    uniform = random.Random(0).random
    for _ in range(DRAWS):
        drawn = space.draw(uniform)
        if not space.is_forbidden(drawn):
            return drawn
    message = (
        f"none of {DRAWS:,} configurations that were drawn satisfies all inequalities; narrow the "
        "parameters, or give default values that do"
    )
    raise InvalidInput([Fault("linear", message)])
