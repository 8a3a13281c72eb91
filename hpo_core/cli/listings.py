"""Commands that list: studies, top, jobs, log."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from hpo_core.cli import tables
from hpo_core.cli.common import (
    as_argument,
    json_option,
    print_json,
    store_option,
    study_argument,
)
from hpo_core.cli.show import moment
from hpo_core.model.errors import StoreError
from hpo_core.model.job import JobState
from hpo_core.model.text import counted, first_line, printable
from hpo_core.model.values import Configuration
from hpo_core.store.records import JobRecord
from hpo_core.study.job_filter import JobFilter
from hpo_core.study.study import load_study, studies


@click.command("studies", epilog="Example: hpo studies --store results/hpo.db")
@store_option
@json_option
def studies_command(store_path: str, as_json: bool) -> None:
    """List the studies of the store, oldest first."""
    rows = [msgspec.to_builtins(study.overview()) for study in studies(store_path)]
    if as_json:
        print_json(rows)
        return
    print(
        tables.lay_out(
            ["name", "state", "strategy", "trials", "completed", "failed", "best", "created"],
            [
                [
                    row["name"],
                    row["state"],
                    row["strategy"],
                    str(row["trials"]),
                    str(row["completed"]),
                    str(row["failed"]),
                    _best(row),
                    moment(row["created"]),
                ]
                for row in rows
            ],
            right="trials completed failed",
        )
    )


def _best(row: dict[str, Any]) -> str:
    """Return the best values of a study, or those of an unfinished trial with its iteration."""
    if row["best"] or row["best_so_far"] is None:
        return ", ".join(map(tables.number, row["best"].values())) or "-"
    values = ", ".join(map(tables.number, row["best_so_far"]["values"].values()))
    at = row["best_so_far"]["iteration"]
    return f"{values} ({row['best_so_far']['state']}{'' if at is None else f' at {at}'})"


@click.command("top", epilog="Example: hpo top digits -k 10")
@study_argument
@click.option(
    "-k",
    type=click.IntRange(min=1),
    metavar="K",
    default=5,
    show_default=True,
    help="How many.",
)
@store_option
@json_option
def top_command(name: str, k: int, store_path: str, as_json: bool) -> None:
    """Show the best completed trials of the study NAME, also while it runs.

    The best running and paused trials are listed below, at most K, without a rank. With
    constraints, only trials that satisfy them are shown. With several objectives, the Pareto front
    comes first, then the front of the remaining trials.
    """
    study = load_study(store_path, name)
    trials, unfinished = study.top(k), study.unfinished(k)
    constraints = study.config.constraints
    if as_json:
        print_json([msgspec.to_builtins(trial) for trial in [*trials, *unfinished]])
        return
    if not trials:
        what = "is completed and satisfies the constraints" if constraints else "is completed"
        others = "; unfinished trials:" if unfinished else ""
        more = others or f"; see: hpo jobs {as_argument(name)}"
        print(f"no trial of {printable(name)} {what}{more}")
    if trials or unfinished:
        print(tables.ranking(trials, constraints, unfinished))


@click.command("jobs", epilog="Example: hpo jobs digits --state failed --where 'lr < 0.01'")
@study_argument
@click.option(
    "--state",
    "states",
    type=click.Choice([state.value for state in JobState]),
    multiple=True,
    help="Only jobs in this state; repeat it for several.",
)
@click.option(
    "--where",
    multiple=True,
    metavar="COMPARISON",
    help="Only jobs for which it holds, such as 'lr < 0.01' or 'loss > 2 * size'.",
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only jobs with this tag.")
@store_option
@json_option
def jobs_command(
    name: str,
    states: tuple[str, ...],
    where: tuple[str, ...],
    tags: tuple[str, ...],
    store_path: str,
    as_json: bool,
) -> None:
    """List the jobs of the study NAME, with their state and the reason.

    A comparison may name parameters, metrics (their last values), trial_id, attempt, target,
    iteration and seconds. A job without the value is not listed.
    """
    study = load_study(store_path, name)
    all_jobs = study.jobs
    jobs = JobFilter(states=states, tags=tags, where=where).select(study, all_jobs)
    if as_json:
        configurations, logs = study.configurations(), study.logs(jobs)
        print_json(
            [
                _plain(job, configurations[job.id], log, labels)
                for job, log, labels in zip(jobs, logs, study.tags(jobs), strict=True)
            ]
        )
        return
    if all_jobs and not jobs:
        print(f"none of the {counted(len(all_jobs), 'job')} is selected", file=sys.stderr)
    metrics = [objective.metric for objective in study.config.objectives]
    causes = ["cause"] if any(job.cause is not None for job in jobs) else []
    tagged = ["tags"] if study.config.job.tags else []
    print(
        tables.lay_out(
            ["job", "name", *tagged, "state", *causes, "seconds", "iteration", *metrics, "reason"],
            [
                [
                    job.id,
                    job.name,
                    *(", ".join(labels) for _ in tagged),
                    job.state.value,
                    *("-" if job.cause is None else job.cause.value for _ in causes),
                    "-" if job.seconds is None else f"{job.seconds:.1f}",
                    "-" if job.iteration is None else str(job.iteration),
                    *(tables.number(job.metrics.get(metric)) for metric in metrics),
                    first_line(job.reason),
                ]
                for job, labels in zip(jobs, study.tags(jobs), strict=True)
            ],
            right="seconds iteration",
        )
    )
    if study.lost_its_controller and any(not job.state.is_final for job in jobs):
        print(
            "the study's controller died; running jobs are listed as last recorded; take them "
            f"over with: hpo resume {as_argument(name)}",
            file=sys.stderr,
        )


def _plain(
    job: JobRecord, configuration: Configuration, log: Path, tags: tuple[str, ...]
) -> dict[str, Any]:
    plain = msgspec.to_builtins(job)
    del plain["seen"]  # shown by the seconds
    about: dict[str, object] = {
        "seconds": job.seconds,
        "configuration": configuration,
        "log": str(log),
    }
    about["tags"] = tags
    return {"id": job.id, **plain, **about}


@click.command("log", epilog="Example: hpo log digits 7   (or one job of trial 7: 7.2)")
@study_argument
@click.argument("job")
@store_option
@json_option
def log_command(name: str, job: str, store_path: str, as_json: bool) -> None:
    """Show the output of JOB of the study NAME, and the reason for its end."""
    study = load_study(store_path, name)
    found = study.job(job)
    path = study.log(found.id)
    if as_json:
        content = io.BytesIO()
        output = content.getvalue() if _copy(path, content) else None
        print_json(
            {
                "id": found.id,
                "state": found.state.value,
                "reason": found.reason,
                "path": None if output is None else str(path),
                "output": (output or b"").decode(errors="replace"),
            }
        )
        return
    if not _copy(path, sys.stdout.buffer):
        print(f"job {found.id} printed nothing", file=sys.stderr)
    if found.reason:
        for line in f"{found.state.value}: {found.reason}".splitlines():
            print(printable(line), file=sys.stderr)


def _copy(path: Path, target: BinaryIO) -> bool:
    """Copy a file's content in pieces, and return whether there is any."""
    try:
        with path.open("rb") as file:
            shutil.copyfileobj(file, target)
            target.flush()
            return file.tell() > 0
    except FileNotFoundError:
        return False
    except PermissionError as error:
        raise StoreError(f"cannot read the log {path}: {error.strerror}") from error
