"""The kinds of parameters and problems, with a small example of each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from hpo_core.contracts.strategy import Capability, Problem
from hpo_core.model.constraint import Constraint
from hpo_core.model.objective import Objective
from hpo_core.model.parameters import Categorical, Constant, Float, Int, Parameter, ParameterSet
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Configuration

KINDS: dict[str, tuple[Capability | None, Callable[[str], Parameter]]] = {
    "continuous floats": (None, lambda name: Float(name, 0.0, 1.0)),
    "log floats": (None, lambda name: Float(name, 0.001, 10.0, log=True)),
    "stepped floats": (None, lambda name: Float(name, 0.0, 0.9, step=0.1)),
    "integers": (Capability.INTEGERS, lambda name: Int(name, 0, 9)),
    "log integers": (Capability.INTEGERS, lambda name: Int(name, 1, 64, log=True)),
    "categoricals": (
        Capability.CATEGORICALS,
        lambda name: Categorical(name, ("red", "green", "blue", "1", 1, 1.0, True, None)),
    ),
    "constants": (None, lambda name: Constant(name, "fixed")),
    "parameter sets": (
        Capability.CATEGORICALS,
        lambda name: ParameterSet(
            name,
            tuple({f"{name}_x": x, f"{name}_y": y} for x, y in ((1, "p"), (2, "q"), (3, "r"))),
        ),
    ),
    "lists and tables": (
        Capability.STRUCTURED,
        lambda name: Categorical(name, ([], [1, 2], [1.0, 2], {"a": [1], "b": None}, "[1, 2]")),
    ),
}
"""The kinds of parameters: the capability that each needs, and an example with a given name."""

NUMBERS = (
    "continuous floats",
    "log floats",
    "stepped floats",
    "integers",
    "log integers",
)
"""The kinds that have a place in a linear inequality."""

PLAIN = "neither conditions nor forbidden combinations"
UNLIMITED = "jobs of no limited length"
CONDITIONAL = "conditional parameters"
FORBIDDEN = "forbidden combinations"
SEVERAL_OBJECTIVES = "several objectives"
CONSTRAINED = "constraints"
RANGES = "conditions on ranges"
LINEAR = "linear inequalities"

LOSS = Objective("loss", "minimize")


def problem(
    *parameters: Parameter,
    forbidden: Sequence[Mapping[str, Any]] = (),
    linear: Sequence[str] = (),
    seed: int = 7,
    objectives: int = 1,
    max_iterations: int | None = 9,
    workers: int = 4,
) -> Problem:
    """Return a problem with these parameters and otherwise default values."""
    return Problem(
        space=SearchSpace(parameters, tuple(forbidden), tuple(linear)),
        objectives=objectives_of(objectives),
        seed=seed,
        max_iterations=max_iterations,
        workers=workers,
    )


def objectives_of(number: int) -> tuple[Objective, ...]:
    """Return a number of objectives: ``loss``, and others of either direction."""
    more = [
        Objective(f"metric/{index}", "maximize" if index % 2 else "minimize")
        for index in range(1, number)
    ]
    return (LOSS, *more)


def constrained(problem: Problem) -> Problem:
    """Return a problem with an additional constraint."""
    return msgspec.structs.replace(problem, constraints=(Constraint("memory", 0.5),))


def reseeded(problem: Problem, seed: int) -> Problem:
    """Return a problem with another seed."""
    return msgspec.structs.replace(problem, seed=seed)


def probe() -> dict[str, tuple[Capability | None, Problem]]:
    """Return for each kind of problem the capability that it needs, and a small example."""
    probes: dict[str, tuple[Capability | None, Problem]] = {
        name: (capability, problem(make("a"))) for name, (capability, make) in KINDS.items()
    }
    one, other = (Float(name, 0.0, 0.9, step=0.1) for name in "ab")
    when = Float("b", 0.0, 0.9, step=0.1, when={"a": (0.0, 0.1)})
    probes[CONDITIONAL] = (Capability.CONDITIONAL, problem(one, when))
    clause = {"a": 0.0, "b": 0.0}
    probes[FORBIDDEN] = (Capability.FORBIDDEN, problem(one, other, forbidden=[clause]))
    above = Float("b", 0.0, 0.9, step=0.1, when={"a": ">= 0.3, < 0.8"})
    probes[RANGES] = (Capability.RANGES, problem(one, above))
    probes[LINEAR] = (Capability.LINEAR, problem(one, other, linear=["a + 2 * b <= 1.2"]))
    probes[SEVERAL_OBJECTIVES] = (Capability.MULTI_OBJECTIVE, problem(one, objectives=2))
    probes[CONSTRAINED] = (Capability.CONSTRAINTS, constrained(problem(one)))
    probes[UNLIMITED] = (None, problem(one, max_iterations=None))
    return probes


def drawn_configuration(space: SearchSpace, *address: int) -> Configuration:
    """Return an allowed configuration of a space, drawn from a stream that `address` seeds."""
    for attempt in range(100):
        numbers = (uniform(*address, attempt, place) for place in itertools.count())
        configuration = space.draw(numbers.__next__)
        if not space.is_forbidden(configuration):
            return configuration
    return space.defaults()


def uniform(*address: object) -> float:
    """Return a number in [0, 1) that depends only on the address."""
    digest = blake2b(repr(address).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64
