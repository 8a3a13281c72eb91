"""Describe problems, schedules and suggestions as short text."""

from __future__ import annotations

import msgspec

from hpo_core.contracts.strategy import Answer, Problem
from hpo_core.model.text import counted
from hpo_core.testing.cases import Case
from hpo_core.testing.landscape import Landscape


def details(what: Problem | Case) -> str:
    """Return the details of a counterexample, one a line."""
    case = what if isinstance(what, Case) else Case(what)
    problem = case.problem
    space = problem.space
    lines = ["space: " + ", ".join(map(as_text, space.parameters))]
    if space.forbidden:
        lines.append("forbidden: " + ", ".join(repr(dict(clause)) for clause in space.forbidden))
    if len(problem.objectives) > 1:
        lines.append(f"objectives: {len(problem.objectives)}")
    most = problem.max_iterations
    lines.append(
        f"seed {problem.seed}, {counted(problem.workers, 'worker')}, iterations "
        f"{problem.min_iterations} to {'any' if most is None else most}"
    )
    if case.landscape is not Landscape.USUAL:
        lines.append(f"losses: {case.landscape.value}")
    if case.moves:
        lines.append(f"schedule: {case.schedule()}")
    return "\n".join(lines)


def as_text(struct: msgspec.Struct | None) -> str:
    """Return a struct as text, with only the fields that differ from their defaults."""
    if struct is None:
        return "nothing"
    given = []
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        if field.required or value != default:
            plain = dict(value) if isinstance(value, dict) else value
            given.append(repr(plain) if field.required else f"{field.name}={plain!r}")
    return f"{type(struct).__name__}({', '.join(given)})"


def difference(what: str, expected: Answer | None, got: Answer | None, where: str) -> str:
    """Return a sentence about two suggestions that should be equal."""
    return f"{where}: {what} {as_text(got)}, not {as_text(expected)}"
