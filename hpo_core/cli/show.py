"""The command that shows one study, and what the list of studies shares with it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from hpo_core.cli import tables
from hpo_core.cli.common import (
    as_argument,
    json_option,
    larger_budget,
    print_json,
    store_option,
    study_argument,
)
from hpo_core.config import JobSettings
from hpo_core.controller.results.trial_result import TrialResult
from hpo_core.model.budget import LIMITS, Budget
from hpo_core.model.constraint import Constraint
from hpo_core.model.durations import human
from hpo_core.model.job import StudyState, TrialState
from hpo_core.model.parameters import Categorical, Constant, Float, Int, Parameter, ParameterSet
from hpo_core.model.text import counted, printable, some
from hpo_core.model.values import Value
from hpo_core.study.study import load_study

_PAUSED = 5  # maximum number of paused trials shown


@click.command("show", epilog="Example: hpo show digits")
@study_argument
@store_option
@json_option
def show_command(name: str, store_path: str, as_json: bool) -> None:
    """Show the state, budget, best trial and configuration of the study NAME."""
    study = load_study(store_path, name)
    config, usage, left = study.config, study.usage, study.remaining
    about = msgspec.to_builtins(study.overview())
    unfinished = study.open_trials(_PAUSED)
    folder = study.folder
    if as_json:
        print_json(
            {
                **about,
                "unfinished": msgspec.to_builtins(unfinished),
                "usage": msgspec.to_builtins(usage),
                "remaining": left,
                "plugins": study.plugins,
                "tags": config.tags,
                "config": msgspec.to_builtins(config),
                "files": str(folder),
            }
        )
        return
    plugins = ", ".join(
        f"{role} {found['name']} ({found['distribution']} {found['version']})"
        for role, found in study.plugins.items()
    )
    lines = [
        ["state", about["state"] + (f": {about['reason']}" if about["reason"] else "")],
        *_to_go_on(about["state"], name, config.budget),
        ["strategy", config.strategy.name + _options(config.strategy.options)],
        ["plugins", plugins],
        ["objective", tables.wishes(config.objectives)],
        *([["constraints", "; ".join(map(_bound, config.constraints))]]
          if config.constraints else []),
        ["seed", str(config.seed)],
        ["workers", str(config.workers)],
        ["tags", ", ".join(config.tags) or "-"],
        ["created", moment(about["created"])],
        ["so far", f"{about['completed']} completed, {about['stopped']} stopped, "
                   f"{about['failed']} failed, "
                   + (f"{about['running']} running, " if about["running"] else "")
                   + (f"{about['paused']} paused, " if about["paused"] else "")
                   + f"{about['trials']} in all"
                   + (f"; {about['imported']} imported" if about["imported"] else "")],
    ]  # fmt: skip
    for limit in LIMITS:
        used, of = getattr(usage, limit), getattr(config.budget, limit)
        show = human if limit.endswith("_time") else str
        text = f"{show(used)} used" + (f" of {show(of)}, {show(left[limit])} left" if of else "")
        lines.append([limit.replace("_", " "), text])
    lines.append(_best(about, unfinished))
    is_at_rest = study.state is not StudyState.RUNNING and not study.lost_its_controller
    lines += [_standing(trial, waits=is_at_rest) for trial in unfinished]
    lines.append(["files", str(folder)])
    lines.append(["job", _job(config.job)])
    lines += [
        [axis.name, _parameter(axis, config.space.conditions[axis.name])]
        for axis in config.space.parameters
    ]
    lines += [["forbidden", _clause(clause)] for clause in config.space.clauses]
    print(tables.lay_out(["study", name], lines))


# -- pieces ---------------------------------------------------------------------------------


def _to_go_on(state: str, name: str, budget: Budget) -> list[list[str]]:
    """Return the line with the command that continues a study that is not running."""
    match state:
        case "running":
            return []
        case "finished":
            command = larger_budget(name, budget)
        case _:
            command = f"hpo resume {as_argument(name)}"
    return [["to continue", command]] if command else []


def _standing(trial: TrialResult, *, waits: bool) -> list[str]:
    """Return the line about an unfinished trial. If the study is not running, it waits for a
    job.
    """
    waits = waits and trial.state is TrialState.RUNNING
    said = printable(f"trial {trial.trial_id}{tables.reached(trial)}, {trial.seconds:.1f} s")
    return ["waits" if waits else trial.state.value, said]


def _best(about: dict[str, Any], unfinished: list[TrialResult]) -> list[str]:
    """Return the line about the best completed trial, or the best unfinished one if none is
    completed.
    """
    if about["best"]:
        name = "first of the front" if len(about["best"]) > 1 else "best"
        said = ", ".join(f"{metric} = {tables.number(v)}" for metric, v in about["best"].items())
        return [name, said]
    reached = about["best_so_far"]
    found = [trial for trial in unfinished if reached and trial.trial_id == reached["trial_id"]]
    return ["best so far", tables.stands(found[0])] if found else ["best", "-"]


def moment(time: float) -> str:
    """Format a time in seconds since the epoch as local date and time, if possible."""
    try:
        return datetime.datetime.fromtimestamp(time).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{time:g} s after 1970"


def _options(options: dict[str, Any]) -> str:
    return "" if not options else " " + json.dumps(options)


def _bound(constraint: Constraint) -> str:
    return f"{constraint.metric} at most {constraint.bound:g}"


def _parameter(axis: Parameter, conditions: dict[str, tuple[Value, ...]]) -> str:
    """Return the description of a parameter in a line."""
    match axis:
        case Float() | Int():
            step = "" if axis.step is None else f" by {axis.step}"
            scale = ", on a log scale" if axis.log else ""
            kind = "integers" if isinstance(axis, Int) else "numbers"
            words = f"{kind} from {axis.low} to {axis.high}{step}{scale}"
        case Categorical():
            words = f"one of {_listed(axis.choices)}"
        case Constant():
            words = f"always {tables.brief(axis.value)}"
        case ParameterSet():
            many = counted(len(axis.combinations), "combination")
            words = f"one of {many} of {some(axis.names)}"
    asked = _clause(conditions)
    return f"{words}, if {asked}" if asked else words


def _clause(clause: dict[str, tuple[Value, ...]]) -> str:
    """Format a forbidden combination in a line."""
    return " and ".join(f"{name} is {_listed(values, ' or ')}" for name, values in clause.items())


def _listed(values: Sequence[Value], separator: str = ", ") -> str:
    """Format values in a line: the first ones, and the number of the others."""
    more = f"{separator}{counted(len(values) - 20, 'more value')}" if len(values) > 20 else ""
    return separator.join(map(tables.brief, values[:20])) + more


def _job(job: JobSettings) -> str:
    """Return the work of the jobs in a line."""
    if job.work is not None:
        return f"work {job.work if isinstance(job.work, str) else job.work.name}"
    return job.function or _words(job.command or ())


def _words(command: tuple[str, ...]) -> str:
    """Format a command's arguments in a line, quoted where needed."""
    return " ".join(repr(word) if not word or " " in word else word for word in command)
