"""The command `replay`, which recomputes a study's suggestions."""

from __future__ import annotations

import json

import click
import msgspec

from hpo_core.cli.common import (
    json_option,
    print_json,
    show_log,
    store_option,
    study_argument,
    trust_option,
)
from hpo_core.contracts.strategy import Answer, Exhausted, Resume, Start, Wait
from hpo_core.controller.stored.audit import Difference, Replayed
from hpo_core.model.report import Decision
from hpo_core.model.text import counted, printable
from hpo_core.study.study import load_study


@click.command("replay", epilog="Example: hpo replay digits")
@study_argument
@trust_option
@store_option
@json_option
def replay_command(name: str, store_path: str, trust: bool, as_json: bool) -> int:
    """Recompute every suggestion of the study NAME, and compare them with the stored ones.

    Exit status: 0 if all are equal, 1 if one differs, 2 for invalid input.
    """
    show_log()
    replayed = load_study(store_path, name).replay(trust=trust)
    if as_json:
        print_json({"is_as_stored": replayed.is_as_stored, **msgspec.to_builtins(replayed)})
    else:
        print("\n".join(_told(replayed)))
    return 0 if replayed.is_as_stored else 1


def _told(replayed: Replayed) -> list[str]:
    counts = (
        f"{counted(replayed.suggestions, 'suggestion')} and "
        f"{counted(replayed.decisions, 'decision')}"
    )
    lines = []
    if replayed.is_running:
        lines.append(
            f"the study {printable(replayed.name)} is running: this is as far as it is stored"
        )
    if replayed.difference is None:
        given = counted(replayed.adopted, "configuration")
        elsewhere = f"; {given} came from elsewhere" if replayed.adopted else ""
        return [*lines, f"all {counts} came out as stored{elsewhere}"]
    return [
        *lines,
        *_differs(replayed.difference, replayed.events),
        f"before it, {counts} came out as stored",
    ]


def _differs(difference: Difference, events: int) -> list[str]:
    what = "decision on" if isinstance(difference.stored, Decision) else "suggestion for"
    return [
        f"the {what} trial {difference.trial_id} came out otherwise "
        f"(event {difference.event} of {events})",
        f"  stored: {_shown(difference.stored)}",
        f"  now:    {_shown(difference.now)}",
    ]


def _shown(answer: Answer | Decision | str) -> str:
    """Format an answer in a line, with values as in JSON, which distinguishes 1, 1.0 and "1"."""
    match answer:
        case Start(configuration, iterations):
            words = f"start {json.dumps(configuration)}"
        case Resume(trial_id, iterations, configuration, source):
            words = f"resume trial {trial_id}"
            words += "" if configuration is None else f" as {json.dumps(configuration)}"
            words += "" if source is None else f" from the checkpoint of trial {source}"
        case Decision():
            return answer.name
        case Wait() | Exhausted():
            return type(answer).__name__
        case str():
            return printable(answer)
    return printable(words) + ("" if iterations is None else f", to iteration {iterations}")
