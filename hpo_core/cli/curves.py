"""The command `curves`, which shows the reports of trials."""

from __future__ import annotations

import sys
from collections.abc import Sequence

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
from hpo_core.controller.results.curves import Point
from hpo_core.study.study import load_study


@click.command("curves", epilog="Example: hpo curves digits 7")
@study_argument
@click.argument("trial", type=click.IntRange(min=1), required=False)
@store_option
@json_option
def curves_command(name: str, trial: int | None, store_path: str, as_json: bool) -> None:
    """Show the reports of TRIAL, or of all trials, of the study NAME, also while they run.

    Each row is a report: the job, the iteration, the run time of the job in seconds, and the
    metrics. Reports of failed jobs that were retried are left out.
    """
    study = load_study(store_path, name)
    points = study.curves() if trial is None else study.curve(trial)
    if as_json:
        print_json(msgspec.to_builtins(points))
    elif points:
        print(_table(points))
    else:
        who = "the study" if trial is None else f"trial {trial}"
        print(
            f"{who} has not reported anything yet; see: hpo jobs {as_argument(name)}",
            file=sys.stderr,
        )


def _table(points: Sequence[Point]) -> str:
    metrics = sorted({metric for point in points for metric in point.metrics})
    return tables.lay_out(
        ["trial", "job", "iteration", "seconds", *metrics],
        [
            [
                str(point.trial_id),
                point.job,
                "-" if point.iteration is None else str(point.iteration),
                "-" if point.seconds is None else f"{point.seconds:.1f}",
                *(tables.number(point.metrics.get(metric)) for metric in metrics),
            ]
            for point in points
        ],
        right="trial iteration seconds",
    )
