"""Commands that run jobs: run, resume, extend, try."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from hpo_core.cli import inputs, outcome, tables
from hpo_core.cli.common import (
    confirm,
    json_option,
    open_store,
    print_json,
    quiet_option,
    show_log,
    store_option,
    trust_option,
    yes_option,
)
from hpo_core.cli.managing import deletion
from hpo_core.config import StudyConfig
from hpo_core.controller.dry_run import DryRun, try_once
from hpo_core.controller.optimizer import HyperParameterOptimizer
from hpo_core.controller.signals import interruptible
from hpo_core.controller.stored.manage import delete_study
from hpo_core.controller.stored.open_study import extend, trusted_config
from hpo_core.controller.strategy.resolve import check, read_config
from hpo_core.model.errors import StoreError, StudyFailed
from hpo_core.model.job import StudyState
from hpo_core.model.text import printable
from hpo_core.study_file import load


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
@click.option("--restart", is_flag=True, help="Delete the stored study first, and begin again.")
@yes_option
@store_option
@quiet_option
@json_option
def run_command(
    study_file: str,
    store_path: str,
    quiet: bool,
    as_json: bool,
    options: tuple[str, ...],
    restart: bool,
    yes: bool,
    **given: Any,
) -> int:
    """Run a study from its file STUDY.toml (or .json); carry an unfinished one on.

    Options given here stand above the file's. A study that the store has with another
    configuration is an error that lists the differences.
    """
    table = load(study_file)
    inputs.override(table, options, given)
    config = read_config(
        table, Path(study_file).resolve().parent, inputs.stored_seed(table, store_path)
    )
    if restart:
        _delete(config, store_path, yes=yes)
    return _run(config, store_path, quiet=quiet, as_json=as_json)


@click.command("resume", epilog="Example: hpo resume digits")
@click.argument("name")
@click.option(
    "--adopt-history",
    is_flag=True,
    help="Go on with a strategy that now suggests otherwise: it adopts what is stored.",
)
@trust_option
@store_option
@quiet_option
@json_option
def resume_command(
    name: str, store_path: str, adopt_history: bool, trust: bool, quiet: bool, as_json: bool
) -> int:
    """Carry the study NAME on, from its stored configuration alone."""
    with open_store(store_path) as store:
        config = trusted_config(store, name, trust_it=trust)
    return _run(config, store_path, quiet=quiet, as_json=as_json, adopt_history=adopt_history)


@click.command("extend", epilog="Example: hpo extend digits --jobs 60   (or by: --jobs +20)")
@click.argument("name")
@click.option("--trials", metavar="N", help="The new total of trials, or +N to add.")
@click.option("--jobs", metavar="N", help="The new total of jobs, or +N to add.")
@click.option("--iterations", metavar="N", help="The new total of iterations, or +N to add.")
@click.option("--compute-time", metavar="T", help="The new total, such as 2h, or +30m to add.")
@click.option("--wall-time", metavar="T", help="The new total, such as 2h, or +30m to add.")
@trust_option
@store_option
@quiet_option
@json_option
def extend_command(
    name: str, store_path: str, trust: bool, quiet: bool, as_json: bool, **limits: str
) -> int:
    """Give the study NAME a larger budget, and carry it on, from its stored configuration."""
    given = {limit: text for limit, text in limits.items() if text is not None}
    with open_store(store_path) as store:
        config = trusted_config(store, name, trust_it=trust)
    budget = extend(store_path, name, inputs.totals(config.budget, given))
    config = msgspec.structs.replace(config, budget=budget)
    return _run(config, store_path, quiet=quiet, as_json=as_json)


@click.command("try", epilog="Example: hpo try study.toml")
@click.argument("study_file", metavar="STUDY.toml")
@json_option
def try_command(study_file: str, as_json: bool) -> int:
    """Run one job of STUDY.toml with default values; say what it reported. Nothing is stored."""
    config = read_config(load(study_file), Path(study_file).resolve().parent, seed=0)
    show_log()
    tried = try_once(config)
    if as_json:
        print_json(msgspec.to_builtins(tried))
    else:
        print(_told(tried))
    return 0 if tried.is_good else 1


def _delete(config: StudyConfig, store_path: str, *, yes: bool) -> None:
    """Delete the stored study of a name, after a question, if the new one can be run."""
    check(config)
    if not Path(store_path).exists():
        return
    with open_store(store_path) as store:
        study = store.find(config.name)
        if study is not None:
            confirm(f"{deletion(store, study)}, and begin again?", yes=yes)
            delete_study(store, study)


# -- running a study ------------------------------------------------------------------------


def _run(
    config: StudyConfig,
    store_path: str,
    *,
    quiet: bool,
    as_json: bool,
    adopt_history: bool = False,
) -> int:
    show_log()
    interruption = None

    def note() -> str:
        return _ENDING if interruption is not None and interruption.count == 1 else ""

    observers = []
    if not quiet and not as_json:
        from hpo_core.observers.progress import progress_observer  # rich is slow to load

        observers.append(progress_observer(sys.stderr, note))
    with HyperParameterOptimizer(
        config, store=store_path, observers=observers, adopt_history=adopt_history
    ) as optimizer:
        was_finished = optimizer.state is StudyState.FINISHED
        try:
            with interruptible(optimizer) as interruption:
                optimizer.run_through()
        except StudyFailed as error:
            raise StudyFailed(f"{error}{_show_failed(optimizer, as_json)}") from error
        summary = optimizer.summary()
    if as_json:
        print_json(outcome.as_json(summary))
    else:
        print(outcome.told(summary, config, was_finished=was_finished))
    if summary.state is StudyState.INTERRUPTED:
        return 130
    if summary.completed:
        return 0
    print(f"error: no trial of {printable(repr(summary.name))} is completed", file=sys.stderr)
    return 1


def _show_failed(optimizer: HyperParameterOptimizer, as_json: bool) -> str:
    """Print what a failed study has come to; return what to look at."""
    try:
        summary = optimizer.summary()
    except StoreError:  # it may be the store that is broken
        return ""
    if as_json:
        print_json(outcome.as_json(summary))
    elif summary.top:
        print("\n".join(outcome.best(summary)))
    return outcome.log_of_failure(summary)


_ENDING = "ending, as soon as the running jobs have ended; Ctrl-C again forces them to"


def _told(tried: DryRun) -> str:
    lines = [f"configuration: {printable(tables.shown(tried.configuration))}"]
    lines.append(f"the job {tried.state.value} after {tried.seconds:.1f} s")
    if tried.reason:
        lines += [printable(line) for line in tried.reason.splitlines()]
    said = ", ".join(f"{name} = {value:.6g}" for name, value in tried.metrics.items())
    lines.append(f"it reported: {printable(said) or 'nothing'}")
    for metric, is_there in tried.objectives.items():
        lines.append(f"the objective's metric {printable(metric)!r} {_IS_THERE[is_there]}")
    for metric, is_there in tried.constraints.items():
        lines.append(f"the constraint's metric {printable(metric)!r} {_IS_THERE[is_there]}")
    if not tried.is_good and tried.output:
        lines += ["the end of its output:", *map(printable, tried.output.splitlines()[-20:])]
    return "\n".join(lines)


_IS_THERE = {True: "is among it: all is well", False: "is NOT among it"}
