"""Commands that reach into a study: enqueue, stop."""

from __future__ import annotations

import click

from hpo_core.cli.common import as_argument, store_option
from hpo_core.cli.pairs import configuration_of
from hpo_core.model.job import StudyState
from hpo_core.model.text import printable
from hpo_core.study.study import Study, load_study


@click.command("enqueue", epilog="Example: hpo enqueue digits lr=0.01 model=svm")
@click.argument("name")
@click.argument("values", nargs=-1, required=True, metavar="KEY=VALUE...")
@store_option
def enqueue_command(name: str, values: tuple[str, ...], store_path: str) -> None:
    """Run a known configuration of the study NAME before the strategy is asked again.

    Give a value for each active parameter.
    """
    study = load_study(store_path, name)
    study.enqueue(configuration_of(study.config.space, values))
    match study.state:
        case StudyState.RUNNING:
            when = "is next"
        case StudyState.FINISHED:
            more = f"hpo extend {as_argument(name)}"
            when = f"is first when you give the study a larger budget: {more}"
        case _:
            when = f"is first when you call: hpo resume {as_argument(name)}"
    print(f"enqueued; it {when}")


@click.command("stop", epilog="Example: hpo stop digits")
@click.argument("name")
@store_option
def stop_command(name: str, store_path: str) -> None:
    """End the running study NAME, its jobs too, and wait until they are gone."""
    study = load_study(store_path, name)
    if study.stop():
        print(f"stopped; to resume it: hpo resume {as_argument(name)}")
    else:
        print(f"the study {printable(name)} is not running{_left_behind(study)}")


def _left_behind(study: Study) -> str:
    """Say so if a study's controller died without ending its jobs."""
    if not study.lost_its_controller:
        return ""
    return (
        "; its controller died and may have left jobs behind, which end, or are taken over, when "
        f"you call: hpo resume {as_argument(study.name)}"
    )
