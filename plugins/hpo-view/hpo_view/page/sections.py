"""A study's page as plain JSON: its state, budget, trials, failures and configuration."""

from __future__ import annotations

import datetime
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from hpo_core import Study
from hpo_view.data import DrawnTrial, StudyData
from hpo_view.plots.failures import by_cause
from hpo_view.text import counted, number, printable

_LOG_END = 4000
"""Number of bytes at the end of a log that are shown."""
_CAUSES = 20
_LIMITS = ("trials", "jobs", "iterations", "compute_time", "wall_time")


def section(data: StudyData) -> dict[str, Any]:
    """Return the content of a study's page without its figures."""
    study = data.study
    return {
        **head(study),
        "facts": _facts(data),
        "budget": _budget(study),
        "table": _table(data),
        "failures": _failures(data),
        "config": visible(
            json.dumps(msgspec.to_builtins(data.config), indent=2, ensure_ascii=False)
        ),
        "plugins": [{"role": role, **found} for role, found in study.plugins.items()],
    }


def head(study: Study) -> dict[str, Any]:
    """Return the row of a study in a list of studies."""
    about = study.overview()
    reached = about.best or (about.best_so_far.values if about.best_so_far else {})
    said = ", ".join(f"{name} {number(value)}" for name, value in reached.items())
    return {
        "name": study.name,
        "state": about.state.value,
        "reason": printable(about.reason),
        "strategy": about.strategy,
        "created": moment(about.created),
        "trials": about.trials,
        "completed": about.completed,
        "failed": about.failed,
        "running": about.running,
        "best": printable(said),
        "isBestComplete": bool(about.best),
    }


def moment(time: float | None) -> str:
    """Return a time in seconds since the epoch as local date and time; ``""`` for none."""
    if time is None:
        return ""
    try:
        return datetime.datetime.fromtimestamp(time).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{time:g} s after 1970"


def log_end(path: Path, most: int = _LOG_END) -> str:
    """Return the end of a log, from the start of a line; ``""`` without a log."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - most, 0))
            end = file.read(most)
    except OSError:
        return ""
    if size > most:
        end = end.partition(b"\n")[2] or end
    return visible(end.decode(errors="replace"))


def visible(text: str) -> str:
    """Return text with its control characters escaped, except for line ends and tabs."""
    text = text.replace("\r\n", "\n")
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def _facts(data: StudyData) -> list[list[str]]:
    config, about = data.config, data.study.overview()
    wanted = "; ".join(f"{each.direction} {each.metric}" for each in config.objectives)
    bounds = "; ".join(f"{each.metric} at most {each.bound:g}" for each in config.constraints)
    counts = [
        f"{getattr(about, kind):,} {kind}"
        for kind in ("completed", "running", "paused", "stopped", "failed")
        if getattr(about, kind) or kind == "completed"
    ]
    facts = [
        ["Objective" if len(config.objectives) == 1 else "Objectives", wanted],
        ["Constraints", bounds],
        ["Trials", f"{about.trials:,}: {', '.join(counts)}"],
        ["Imported", f"{about.imported:,}" if about.imported else ""],
        ["Best trial", _best_trial(data)],
        ["Strategy", config.strategy.name],
        ["Backend", f"{config.backend.name}, {counted(config.workers, 'worker')}"],
        ["Seed", str(config.seed)],
        ["Tags", ", ".join(config.tags)],
        ["Created", moment(about.created)],
        ["Store", data.study.store],
    ]
    return [[name, printable(said)] for name, said in facts if said]


def _best_trial(data: StudyData) -> str:
    """Return the id and the configuration of the best trial; ``""`` without a single best one."""
    if len(data.objectives) != 1 or not data.feasible:
        return ""
    objective = data.objectives[0]
    best = min(data.feasible, key=lambda each: objective.loss(each.values[objective.metric]))
    shown = ", ".join(f"{name} = {_cell(value)}" for name, value in best.configuration.items())
    return f"{best.trial_id}: {shown}"


def _budget(study: Study) -> list[dict[str, Any]]:
    """Return each limit and its used amount."""
    limits, usage = study.config.budget, study.usage
    found = []
    for name in _LIMITS:
        used, limit = getattr(usage, name), getattr(limits, name)
        shown = _duration if name.endswith("_time") else "{:,.0f}".format
        of = f" of {shown(limit)}" if limit else ""
        found.append(
            {
                "name": name.replace("_", " "),
                "share": min(used / limit, 1.0) if limit else None,
                "text": f"{shown(used)}{of}",
            }
        )
    return found


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _table(data: StudyData) -> dict[str, Any]:
    """Return a row for each trial."""
    objectives = [each.metric for each in data.objectives]
    bounded = bool(data.config.constraints)
    columns = [
        {"name": "trial", "kind": "number"},
        {"name": "state", "kind": "text"},
        *({"name": metric, "kind": "number"} for metric in objectives),
        *([{"name": "feasible", "kind": "text"}] if bounded else []),
        *(
            {"name": name, "kind": "number" if _is_numeric(data.trials, name) else "text"}
            for name in data.space.names
        ),
        {"name": "iteration", "kind": "number"},
        {"name": "seconds", "kind": "number"},
        {"name": "reason", "kind": "text"},
    ]
    rows = [
        [
            trial.trial_id,
            trial.state.value,
            *(_cell(trial.values.get(metric)) for metric in objectives),
            *(["yes" if trial.is_feasible else "no"] if bounded else []),
            *(_cell(trial.configuration.get(name, "")) for name in data.space.names),
            trial.iteration,
            round(trial.seconds, 3),
            printable(trial.reason.partition("\n")[0])[:200],
        ]
        for trial in data.trials
    ]
    for column in columns:
        column["name"] = printable(column["name"])
    return {"columns": columns, "rows": rows}


def _is_numeric(trials: Sequence[DrawnTrial], name: str) -> bool:
    kinds = {type(trial.configuration[name]) for trial in trials if name in trial.configuration}
    return kinds <= {int, float}


def _cell(value: object) -> Any:
    """Return a value as a cell: numbers with six digits, long texts cut, NaN by name."""
    match value:
        case bool():
            return json.dumps(value)
        case float():
            return float(f"{value:.6g}") if math.isfinite(value) else str(value)
        case int() | None:
            return value if value is None or abs(value) < 2**53 else str(value)
        case _:
            return printable(str(value))[:200]


def _failures(data: StudyData) -> list[dict[str, Any]]:
    """Return the causes of failures, each with its latest job and the end of its log."""
    causes = list(by_cause(data).items())[:_CAUSES]
    latest = [jobs[-1] for _, jobs in causes]
    logs = data.study.logs(latest)  # type: ignore[arg-type]
    return [
        {
            "cause": cause,
            "jobs": len(jobs),
            "latest": jobs[-1].id,
            "trial": jobs[-1].trial_id,
            "reason": visible(jobs[-1].reason)[:_LOG_END],
            "log": log_end(log),
        }
        for (cause, jobs), log in zip(causes, logs, strict=True)
    ]
