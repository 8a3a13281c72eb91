"""The outcome of a run, as text and as plain data."""

from __future__ import annotations

from typing import Any

import msgspec

from hpo_core.cli import tables
from hpo_core.cli.common import as_argument, larger_budget
from hpo_core.config import StudyConfig
from hpo_core.controller.results.summary import Summary
from hpo_core.model.budget import Budget
from hpo_core.model.job import StudyState, TrialState
from hpo_core.model.text import counted, printable


def told(ended: Summary, config: StudyConfig, *, was_finished: bool) -> str:
    """Return the outcome of a run as text.

    Args:
        ended: The study.
        config: Its configuration.
        was_finished: Whether it was already finished, so that nothing was run.
    """
    name, reason = printable(repr(ended.name)), printable(ended.reason)
    more = _more(ended, config.budget) if was_finished or not ended.top else ""
    match ended.state:
        case StudyState.FINISHED if more:
            lines = [f"Study {name} finished: {reason}.{more}"]
        case StudyState.FINISHED:
            lines = [f"Study {name} finished: {reason}."]
        case state:
            to_continue = f"To continue: hpo resume {as_argument(ended.name)}"
            lines = [f"Study {name} {state.value}: {reason}. {to_continue}"]
    lines += [f"Objective: {printable(tables.wishes(config.objectives))}.", "", *best(ended)]
    if ended.failures:
        lines += ["", f"{printable(ended.failures)}{log_of_failure(ended)}"]
    return "\n".join(lines)


def best(ended: Summary) -> list[str]:
    """Return the lines about the best trials."""
    if ended.top:
        front = "" if ended.front is None else f" ({ended.front} not dominated)"
        many, of = len(ended.top), counted(ended.trials, "trial")
        which = "best trial" if many == 1 else f"best {many}"
        return [f"The {which} of {of}{front}:", tables.ranking(ended.top, ended.constraints)]
    what = "that satisfies the constraints is completed" if ended.constraints else "is completed"
    others = (
        f" ({ended.paused} paused, which are ranked once they are fully trained)"
        if ended.paused
        else ""
    )
    lines = [f"No trial {what}{others}; see: hpo jobs {as_argument(ended.name)}"]
    if ended.best_so_far is not None:
        paused = ", paused" if ended.best_so_far.state is TrialState.PAUSED else ""
        said = f"trial {ended.best_so_far.trial_id}{paused}{tables.reached(ended.best_so_far)}"
        lines.append(f"The best so far is {printable(said)}.")
    return lines


def log_of_failure(ended: Summary) -> str:
    """Return the command that shows the output of the first failed job, if any."""
    failure = ended.first_failure
    return "" if failure is None else f"; see: hpo log {as_argument(ended.name)} {failure.job}"


def _more(ended: Summary, budget: Budget) -> str:
    """Return the command to extend the budget, if the study has one."""
    command = larger_budget(ended.name, budget)
    return f" To extend the budget: {command}" if command else ""


def as_json(ended: Summary) -> dict[str, Any]:
    """Return the outcome of a run as plain data."""
    return {
        "name": ended.name,
        "state": ended.state.value,
        "reason": ended.reason,
        "usage": msgspec.to_builtins(ended.usage),
        "trials": ended.trials,
        "completed": ended.completed,
        "failed": ended.failed,
        "paused": ended.paused,
        "first_failure": msgspec.to_builtins(ended.first_failure),
        "best_so_far": msgspec.to_builtins(ended.best_so_far),
        "top": [msgspec.to_builtins(trial) for trial in ended.top],
    }
