"""Commands that control a study: enqueue, stop."""

from __future__ import annotations

import click

from hpo_core.cli.common import (
    as_argument,
    json_option,
    larger_budget,
    print_json,
    store_option,
    study_argument,
)
from hpo_core.cli.pairs import configuration_of
from hpo_core.model.job import StudyState
from hpo_core.model.text import printable
from hpo_core.study.study import Study, load_study


@click.command("enqueue", epilog="Example: hpo enqueue digits lr=0.01 model=svm")
@study_argument
@click.argument("values", nargs=-1, required=True, metavar="KEY=VALUE...")
@store_option
@json_option
def enqueue_command(name: str, values: tuple[str, ...], store_path: str, as_json: bool) -> None:
    """Enqueue a configuration of the study NAME, to run before the strategy is asked again.

    Give a value for each active parameter.
    """
    study = load_study(store_path, name)
    configuration = configuration_of(study.config.space, values)
    study.enqueue(configuration)
    state = study.state
    if as_json:
        print_json({"name": name, "state": state.value, "configuration": configuration})
        return
    match state:
        case StudyState.RUNNING:
            when = "is next"
        case StudyState.FINISHED:
            more = larger_budget(name, study.config.budget)
            when = f"runs first when you extend the budget: {more}"
        case _:
            when = f"runs first when you resume the study: hpo resume {as_argument(name)}"
    print(f"enqueued; it {when}")


@click.command("stop", epilog="Example: hpo stop digits")
@study_argument
@store_option
@json_option
def stop_command(name: str, store_path: str, as_json: bool) -> None:
    """Stop the running study NAME and its jobs, and wait until they have ended."""
    study = load_study(store_path, name)
    was_running = study.stop()
    if as_json:
        print_json({"name": name, "was_running": was_running, "state": study.state.value})
    elif was_running:
        print(f"stopped; to resume it: hpo resume {as_argument(name)}")
    else:
        print(f"the study {printable(name)} is not running{_left_behind(study)}")


def _left_behind(study: Study) -> str:
    """Return a note if a study's controller died without ending its jobs."""
    if not study.lost_its_controller:
        return ""
    return (
        "; its controller died and may have left jobs behind, which end, or are taken over, when "
        f"you call: hpo resume {as_argument(study.name)}"
    )
