"""Commands that run jobs: run, resume, extend, try."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import click
import msgspec

from hpo_core.cli import outcome, tables
from hpo_core.cli.common import (
    confirm,
    flag,
    json_option,
    plugin_option,
    print_json,
    quiet_option,
    show_log,
    store_option,
    study_argument,
    study_file_argument,
    trust_option,
    yes_option,
)
from hpo_core.cli.manage import deletion
from hpo_core.cli.pairs import options_of, values_of
from hpo_core.controller.dry_run import DryRun
from hpo_core.model.errors import Fault, InvalidInput, StoreError, StudyFailed
from hpo_core.model.job import StudyState
from hpo_core.model.text import printable
from hpo_core.study.interactive_run import StudyInterrupted
from hpo_core.study.study import Study, load_study


@click.command("run", epilog="Example: hpo run study.toml --strategy random --jobs 50")
@study_file_argument
@plugin_option("--strategy", metavar="S", help="The strategy, such as optuna:tpe.")
@click.option(
    "-o", "options", metavar="KEY=VALUE", multiple=True, help="An option of the strategy."
)
@plugin_option("--backend", metavar="B", help="The backend, such as local.")
@click.option("--workers", type=int, metavar="N", help="Maximum number of jobs that run at once.")
@click.option("--jobs", type=int, metavar="N", help="Maximum number of jobs.")
@click.option("--seed", type=int, metavar="N", help="Random seed of the study.")
@click.option("--name", metavar="NAME", help="The study's name.")
@click.option("--restart", is_flag=True, help="Delete the stored study first, and start again.")
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
    """Run a study from its file STUDY.toml (or .json), or resume it.

    Options given here override the file. If the store has the study with a different configuration,
    an error lists the differences.
    """
    show_log()
    study = Study.from_file(study_file, store=store_path, options=options_of(options), **given)
    if restart:
        _delete(study, yes=yes)
    return _run(study, study.run, quiet=quiet, as_json=as_json)


@click.command("resume", epilog="Example: hpo resume digits")
@study_argument
@click.option(
    "--adopt-history",
    is_flag=True,
    help="Continue with a strategy that now makes different suggestions: it adopts the stored "
    "trials.",
)
@trust_option
@store_option
@quiet_option
@json_option
def resume_command(
    name: str, store_path: str, adopt_history: bool, trust: bool, quiet: bool, as_json: bool
) -> int:
    """Resume the study NAME from its stored configuration."""
    show_log()
    study = load_study(store_path, name)
    resume = partial(study.resume, trust=trust, adopt_history=adopt_history)
    return _run(study, resume, quiet=quiet, as_json=as_json)


@click.command("extend", epilog="Example: hpo extend digits --jobs 60   (or by: --jobs +20)")
@study_argument
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
    """Extend the budget of the study NAME, and resume it from its stored configuration."""
    given = {limit: text for limit, text in limits.items() if text is not None}
    if not given:
        raise InvalidInput([Fault("", "give a limit, such as --jobs 60, or --jobs +20 to add")])
    show_log()
    study = load_study(store_path, name)
    study.require_trust(trust=trust)
    study.require_function()
    try:
        study.extend(**given)
    except InvalidInput as error:
        raise InvalidInput(
            [fault._replace(path=flag(fault.path)) for fault in error.faults]
        ) from None
    return _run(study, study.resume, quiet=quiet, as_json=as_json)


@click.command("try", epilog="Example: hpo try study.toml lr=0.1")
@study_file_argument
@click.argument("values", metavar="[KEY=VALUE]...", nargs=-1)
@json_option
def try_command(study_file: str, values: tuple[str, ...], as_json: bool) -> int:
    """Run one job of STUDY.toml with default values, and show its reports. Nothing is stored.

    KEY=VALUE takes the place of a default value.
    """
    show_log()
    study = Study.from_file(study_file)
    tried = study.try_once(values_of(study.config.space, values))
    if as_json:
        print_json(msgspec.to_builtins(tried))
    else:
        print(_told(tried))
    return 0 if tried.is_good else 1


def _delete(study: Study, *, yes: bool) -> None:
    """Delete the stored study after confirmation, if the new one can be run."""
    study.check()
    if study.is_stored:
        confirm(f"{deletion(study)}, and start again?", yes=yes)
        study.delete()


# -- running a study ------------------------------------------------------------------------


def _run(study: Study, run: Callable[..., object], *, quiet: bool, as_json: bool) -> int:
    was_finished = study.state is StudyState.FINISHED
    try:
        run(progress=not quiet and not as_json)
    except StudyInterrupted:  # orderly end: the results are shown
        pass
    except StudyFailed as error:
        raise StudyFailed(f"{error}{_show_failed(study, as_json)}") from error
    summary = study.summary()
    if as_json:
        print_json(outcome.as_json(summary))
    else:
        print(outcome.told(summary, study.config, was_finished=was_finished))
    if summary.state is StudyState.INTERRUPTED:
        return 130
    if summary.completed:
        return 0
    print(f"error: no trial of {printable(repr(summary.name))} is completed", file=sys.stderr)
    return 1


def _show_failed(study: Study, as_json: bool) -> str:
    """Print the results of a failed study; return a hint on what to look at."""
    try:
        summary = study.summary()
    except StoreError:  # the store itself may be broken
        return ""
    if as_json:
        print_json(outcome.as_json(summary))
    elif summary.top:
        print("\n".join(outcome.best(summary)))
    return outcome.log_of_failure(summary)


def _told(tried: DryRun) -> str:
    lines = [f"configuration: {printable(tables.shown(tried.configuration))}"]
    lines.append(f"the job {tried.state.value} after {tried.seconds:.1f} s")
    lines += map(printable, tried.reason.splitlines())
    said = ", ".join(f"{name} = {value:.6g}" for name, value in tried.metrics.items())
    until = "" if tried.iteration is None else f" (up to iteration {tried.iteration})"
    lines.append(f"it reported: {printable(said) or 'nothing'}{until}")
    for metric, is_there in tried.objectives.items():
        lines.append(f"the objective's metric {printable(metric)!r} {_IS_THERE[is_there]}")
    for metric, is_there in tried.constraints.items():
        lines.append(f"the constraint's metric {printable(metric)!r} {_IS_THERE[is_there]}")
    end = "the end of its output:"
    if not tried.is_good and tried.output and end not in tried.reason:
        lines += [end, *map(printable, tried.output.splitlines()[-20:])]
    return "\n".join(lines)


_IS_THERE = {True: "was reported", False: "was NOT reported"}
