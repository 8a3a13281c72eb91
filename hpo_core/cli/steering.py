"""Commands that reach into a study: enqueue, stop."""

from __future__ import annotations

import click

from hpo_core.cli.common import as_argument, open_store, store_option
from hpo_core.config import from_json
from hpo_core.model.errors import Fault, InvalidInput, nearest
from hpo_core.model.job import StudyState
from hpo_core.model.space import SearchSpace
from hpo_core.model.text import printable
from hpo_core.model.values import Configuration, Value
from hpo_core.store import control
from hpo_core.store.records import StudyRecord


@click.command("enqueue", epilog="Example: hpo enqueue digits lr=0.01 model=svm")
@click.argument("name")
@click.argument("values", nargs=-1, required=True, metavar="KEY=VALUE...")
@store_option
def enqueue_command(name: str, values: tuple[str, ...], store_path: str) -> None:
    """Run a known configuration of the study NAME before the strategy is asked again.

    Give a value for each active parameter.
    """
    with open_store(store_path) as store:
        study = store.study(name)
        configuration = _configuration(from_json(study.config).space, values)
        store.enqueue(study.id, configuration)
        is_running = control.send(store.folder(study), "wake")
    if is_running:
        when = "is next"
    elif study.state is StudyState.FINISHED:
        when = f"is first when you give the study a larger budget: hpo extend {as_argument(name)}"
    else:
        when = f"is first when you call: hpo resume {as_argument(name)}"
    print(f"enqueued; it {when}")


@click.command("stop", epilog="Example: hpo stop digits")
@click.argument("name")
@store_option
def stop_command(name: str, store_path: str) -> None:
    """End the running study NAME, its jobs too, and wait until they are gone."""
    with open_store(store_path) as store:
        study = store.study(name)
        folder = store.folder(study)
    if not control.is_running(folder) or not control.send(folder, "stop"):
        print(f"the study {printable(name)} is not running{_left_behind(study)}")
        return
    control.wait_until_released(folder)
    print(f"stopped; carry on: hpo resume {as_argument(name)}")


def _left_behind(study: StudyRecord) -> str:
    """Say so if a study's controller died without ending its jobs."""
    if study.state is not StudyState.RUNNING:
        return ""
    return (
        "; its controller died and may have left jobs behind, which end, or are taken over, when "
        f"you call: hpo resume {as_argument(study.name)}"
    )


def _configuration(space: SearchSpace, texts: tuple[str, ...]) -> Configuration:
    """Read ``KEY=VALUE`` words as a configuration, each value as its parameter's type.

    Raises:
        InvalidInput: With everything that is wrong with them.
    """
    values: dict[str, Value] = {}
    faults = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            faults.append(Fault(text, "expected KEY=VALUE, such as lr=0.01"))
        elif name not in space.by_name:
            faults.append(Fault(name, f"no such parameter{nearest(name, space.by_name)}"))
        else:
            try:
                values[name] = space.by_name[name].parse(value)
            except ValueError as error:
                faults.append(Fault(name, str(error)))
    if faults:
        raise InvalidInput(faults)
    return space.configuration(values)
