"""For tests of a strategy on a library: its suggestions, and its options, like the library's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection

import msgspec

from hpo_core.contracts.strategy import Start, Strategy
from hpo_core.model.report import Report, Status
from hpo_core.model.values import Configuration


def suggestions(
    strategy: Strategy, loss: Callable[[Configuration], float], trials: int
) -> list[Configuration]:
    """Run trials one at a time, and return their configurations.

    Compare them with those of the library's own loop.

    Args:
        strategy: A strategy that has not been asked yet.
        loss: The loss of a configuration; lower is better.
        trials: Maximum number of trials; fewer if the strategy suggests no more.
    """
    found: list[Configuration] = []
    for trial_id in range(1, trials + 1):
        answer = strategy.ask(trial_id)
        if not isinstance(answer, Start):
            break
        found.append(answer.configuration)
        strategy.tell(
            Report(
                trial_id=trial_id,
                job_id=f"{trial_id}.1",
                losses=(loss(answer.configuration),),
                status=Status.COMPLETED,
            )
        )
    return found


def other_defaults(
    options: type[msgspec.Struct], *functions: Callable[..., object], own: Collection[str] = ()
) -> list[str]:
    """Return the options that the library's functions do not have, or have with another default.

    Args:
        options: The options of the strategy.
        functions: The library's functions or classes that take them.
        own: The options that are not the library's.
    """
    known = {
        name: parameter.default
        for function in functions
        for name, parameter in inspect.signature(function).parameters.items()
    }
    return [
        f"{field.name}: {_default(field)!r}, in the library {known.get(field.name, 'unknown')!r}"
        for field in msgspec.structs.fields(options)
        if field.name not in own
        and (field.name not in known or known[field.name] != _default(field))
    ]


def options_table(variants: dict[str, type[msgspec.Struct]]) -> str:
    """Return a Markdown table of the options of each strategy, for a README."""
    rows = [
        ", ".join(f"`{field.name}` {_shown(field)}" for field in msgspec.structs.fields(options))
        for options in variants.values()
    ]
    return "\n".join(
        [
            "| strategy | options, with their defaults |",
            "|---|---|",
            *(f"| `{name}` | {row or 'none'} |" for name, row in zip(variants, rows, strict=True)),
        ]
    )


def _default(field: msgspec.structs.FieldInfo) -> object:
    made = field.default_factory
    if made is not msgspec.NODEFAULT:
        return made()
    return inspect.Parameter.empty if field.required else field.default


def _shown(field: msgspec.structs.FieldInfo) -> str:
    return "required" if field.required else f"`{_default(field)!r}`"
