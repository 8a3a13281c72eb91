"""Commands that run jobs: run, resume, extend, try."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from hpo_core.cli import tables
from hpo_core.cli.common import json_option, open_store, print_json, quiet_option, store_option
from hpo_core.config import StudyConfig, from_json, to_json
from hpo_core.engine.optimizer import HyperParameterOptimizer
from hpo_core.engine.preparation import read_config
from hpo_core.engine.result import Result
from hpo_core.engine.signals import interruptible
from hpo_core.engine.trying import Trial, try_once
from hpo_core.model.budget import LIMITS, Budget
from hpo_core.model.durations import seconds
from hpo_core.model.errors import Fault, InvalidInput
from hpo_core.model.job import StudyState
from hpo_core.model.text import printable
from hpo_core.store.store import Store


@click.command("run", epilog="Example: hpo run study.toml --strategy random --jobs 50")
@click.argument("study_file", metavar="STUDY.toml")
@click.option("--strategy", metavar="S", help="The strategy, such as optuna:tpe.")
@click.option(
    "-o", "options", metavar="KEY=VALUE", multiple=True, help="An option of the strategy."
)
@click.option("--backend", metavar="B", help="The backend, such as local.")
@click.option("--workers", type=int, metavar="N", help="How many jobs run at once.")
@click.option("--jobs", type=int, metavar="N", help="The budget of jobs.")
@click.option("--seed", type=int, metavar="N", help="The source of all randomness.")
@click.option("--name", metavar="NAME", help="The study's name.")
@store_option
@quiet_option
@json_option
def run_command(
    study_file: str,
    store_path: str,
    quiet: bool,
    as_json: bool,
    options: tuple[str, ...],
    **given: Any,
) -> int:
    """Run a study from its file STUDY.toml (or .json); carry an unfinished one on.

    Options given here stand above the file's. A study that the store has with another
    configuration is an error that lists the differences.
    """
    table = _load(study_file)
    _override(table, options, given)
    config = read_config(table, Path(study_file).resolve().parent, _stored_seed(table, store_path))
    return _run(config, store_path, quiet=quiet, as_json=as_json)


@click.command("resume", epilog="Example: hpo resume digits")
@click.argument("name")
@store_option
@quiet_option
@json_option
def resume_command(name: str, store_path: str, quiet: bool, as_json: bool) -> int:
    """Carry the study NAME on, from its stored configuration alone."""
    with open_store(store_path) as store:
        config = from_json(store.study(name).config)
    return _run(config, store_path, quiet=quiet, as_json=as_json)


@click.command("extend", epilog="Example: hpo extend digits --jobs 60   (or by: --jobs +20)")
@click.argument("name")
@click.option("--trials", metavar="N", help="The new total of trials, or +N to add.")
@click.option("--jobs", metavar="N", help="The new total of jobs, or +N to add.")
@click.option("--iterations", metavar="N", help="The new total of iterations, or +N to add.")
@click.option("--compute-time", metavar="T", help="The new total, such as 2h, or +30m to add.")
@click.option("--wall-time", metavar="T", help="The new total, such as 2h, or +30m to add.")
@store_option
@quiet_option
@json_option
def extend_command(name: str, store_path: str, quiet: bool, as_json: bool, **limits: str) -> int:
    """Give the study NAME a larger budget, and carry it on, from its stored configuration."""
    with open_store(store_path) as store:
        study = store.study(name)
        config = from_json(study.config)
        budget = _larger(config.budget, {k: v for k, v in limits.items() if v is not None})
        config = msgspec.structs.replace(config, budget=budget)
        store.extend(study, to_json(config))
    return _run(config, store_path, quiet=quiet, as_json=as_json)


@click.command("try", epilog="Example: hpo try study.toml")
@click.argument("study_file", metavar="STUDY.toml")
@json_option
def try_command(study_file: str, as_json: bool) -> int:
    """Run one job of STUDY.toml with default values; say what it reported. Nothing is stored."""
    config = read_config(_load(study_file), Path(study_file).resolve().parent, seed=0)
    tried = try_once(config)
    if as_json:
        print_json(msgspec.to_builtins(tried))
    else:
        print(_told(tried))
    return 0 if tried.is_good else 1


# -- running a study ------------------------------------------------------------------------


def _run(config: StudyConfig, store_path: str, *, quiet: bool, as_json: bool) -> int:
    logging.basicConfig(format="%(levelname)s: %(message)s")
    observers = []
    if not quiet and not as_json:
        from hpo_core.observers.progress import progress_observer  # rich is slow to load

        observers.append(progress_observer(sys.stderr))
    with HyperParameterOptimizer(config, store=store_path, observers=observers) as optimizer:
        was_finished = optimizer.state is StudyState.FINISHED
        with interruptible(optimizer) as interruption:
            result = optimizer.run()
    if as_json:
        print_json(_summary(result))
    elif not quiet:
        print(_outcome(result, was_finished=was_finished))
    return 130 if interruption.count and result.state is StudyState.INTERRUPTED else 0


def _outcome(result: Result, *, was_finished: bool) -> str:
    name, reason = printable(result.name), printable(result.reason)
    match result.state:
        case StudyState.FINISHED if was_finished:
            lines = [
                f"The study {name} is finished: {reason}. "
                f"A larger budget is given by: hpo extend {name}"
            ]
        case StudyState.FINISHED:
            lines = [f"The study {name} is finished: {reason}."]
        case _:
            lines = [f"The study {name} is not finished: {reason}. Carry on: hpo resume {name}"]
    top = result.top(5)
    if top:
        front = (
            "" if len(result.objectives) == 1 else f" ({len(result.pareto_front)} not dominated)"
        )
        lines += ["", f"The best {len(top)} of {len(result.trials)} trials{front}:"]
        lines.append(tables.ranking(top))
    else:
        lines += ["", f"No trial is completed; see: hpo jobs {name}"]
    return "\n".join(lines)


def _summary(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "state": result.state.value,
        "reason": result.reason,
        "usage": msgspec.to_builtins(result.usage),
        "top": [msgspec.to_builtins(trial) for trial in result.top(5)],
    }


def _told(tried: Trial) -> str:
    lines = [f"configuration: {printable(tables.shown(tried.configuration))}"]
    lines.append(f"the job {tried.state.value} after {tried.seconds:.1f} s")
    if tried.reason:
        lines += [printable(line) for line in tried.reason.splitlines()]
    said = ", ".join(f"{name} = {value:.6g}" for name, value in tried.metrics.items())
    lines.append(f"it reported: {printable(said) or 'nothing'}")
    for metric, is_there in tried.objectives.items():
        lines.append(f"the objective's metric {printable(metric)!r} {_IS_THERE[is_there]}")
    if not tried.is_good and tried.output:
        lines += ["the end of its output:", *map(printable, tried.output.splitlines()[-20:])]
    return "\n".join(lines)


_IS_THERE = {True: "is among it: all is well", False: "is NOT among it"}


# -- from files and options -----------------------------------------------------------------


def _load(path: str) -> dict[str, Any]:
    """Read a study's file.

    Raises:
        InvalidInput: If it can't be read; with the place.
    """
    try:
        text = Path(path).read_bytes().decode()
    except OSError as error:
        raise InvalidInput([Fault(path, f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InvalidInput([Fault(path, f"is not text in UTF-8: {error}")]) from error
    try:
        table = json.loads(text) if path.endswith(".json") else _toml(text)
    except ValueError as error:
        kind = "JSON" if path.endswith(".json") else "TOML"
        raise InvalidInput([Fault(path, f"is not {kind}: {error}")]) from error
    if not isinstance(table, dict):
        raise InvalidInput([Fault(path, "must hold a table")])
    return table


def _toml(text: str) -> dict[str, Any]:
    module = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    table: dict[str, Any] = module.loads(text)
    return table


def _override(table: dict[str, Any], options: tuple[str, ...], given: dict[str, Any]) -> None:
    """Put what the command line says above what the file says."""
    for key in ("backend", "workers", "seed", "name"):
        if given[key] is not None:
            table[key] = given[key]
    if given["jobs"] is not None:
        table["budget"] = {**table.get("budget", {}), "jobs": given["jobs"]}
    if given["strategy"] is not None:
        _drop_options(table, given["strategy"])
        table["strategy"] = given["strategy"]
    if options:
        choice = table.get("strategy", "")
        choice = {"name": choice} if isinstance(choice, str) else dict(choice)
        choice["options"] = {**choice.get("options", {}), **dict(map(_option, options))}
        table["strategy"] = choice


def _drop_options(table: dict[str, Any], strategy: str) -> None:
    """Say so if the file's options are for another strategy than the one given here."""
    choice = table.get("strategy")
    if isinstance(choice, dict) and choice.get("options"):
        message = (
            f"note: the options of {choice.get('name')!r} in the file are not for {strategy!r}"
        )
        print(printable(message), file=sys.stderr)


def _option(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput([Fault(f"-o {text}", "expected KEY=VALUE, such as -o points=5")])
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _stored_seed(table: dict[str, Any], store_path: str) -> int | None:
    """Return the seed of the stored study, so that a file without one carries it on."""
    name = table.get("name")
    if "seed" in table or not isinstance(name, str) or not Path(store_path).exists():
        return None
    with Store(store_path) as store:
        found = store.find(name)
    return None if found is None else from_json(found.config).seed


def _larger(budget: Budget, limits: dict[str, str]) -> Budget:
    """Return a budget with larger limits, each given as a new total or as ``+N``.

    Raises:
        InvalidInput: With everything that is wrong with the limits.
    """
    if not limits:
        raise InvalidInput([Fault("", f"give a limit, such as --{LIMITS[1]} 60 or +20")])
    changes: dict[str, float] = {}
    faults = []
    for name, text in limits.items():
        option = "--" + name.replace("_", "-")
        is_time = name.endswith("_time")
        try:
            amount = seconds(text.lstrip("+")) if is_time else int(text.lstrip("+"))
        except ValueError:
            kind = "a duration such as 2h" if is_time else "a whole number"
            faults.append(Fault(option, f"expected {kind}, or + and that to add; got {text!r}"))
            continue
        now = getattr(budget, name)
        if now is None:
            faults.append(Fault(option, f"the study has no limit of {name}; nothing to extend"))
            continue
        total = now + amount if text.startswith("+") else amount
        if total <= now:
            hint = f"give the new total, or +{text} to add"
            faults.append(Fault(option, f"{text} is not more than the budget of {now}; {hint}"))
        changes[name] = total
    if faults:
        raise InvalidInput(faults)
    return msgspec.structs.replace(budget, **changes)
