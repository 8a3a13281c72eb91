"""The command `export`, which writes the trials of a study, or the study itself."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from hpo_core import registry
from hpo_core.cli.common import (
    json_option,
    json_text,
    print_json,
    store_option,
    study_argument,
)
from hpo_core.controller.results.result import table
from hpo_core.controller.stored.output_file import write_text
from hpo_core.controller.stored.study_text import study_text
from hpo_core.model.errors import Fault, InvalidInput, UnknownPlugin
from hpo_core.model.text import counted, printable
from hpo_core.study.study import Study, load_study

_OWN = ("csv", "json", "study")


@click.command("export", epilog="Example: hpo export digits --format study -o again.toml")
@study_argument
@click.option(
    "--format",
    "kind",
    metavar="FORMAT",
    default="csv",
    show_default=True,
    help="csv, json, study, or a plugin that exports to another program, such as optuna.",
)
@click.option(
    "-o",
    "output",
    default="-",
    metavar="FILE",
    help="The file; - for standard output. For another program, a place in its notation, such "
    "as sqlite:///f.db.",
)
@click.option("--force", is_flag=True, help="Replace an existing file; never a store.")
@store_option
@json_option
def export_command(
    name: str, kind: str, output: str, force: bool, store_path: str, as_json: bool
) -> None:
    """Export the trials of the study NAME, one row each, with parameters as param.NAME.

    In JSON, numbers that are not finite are null. The format study writes the study as a file for
    hpo run: TOML, or JSON if the file's name ends with .json.

    With --json, the output is JSON: the trials or the study or, with -o, a summary of what was
    written.
    """
    if kind not in _OWN:
        trials = _hand_over(name, kind, output, store_path, force=force)
        if not as_json:
            print(f"{counted(trials, 'trial')} written to {printable(output)}")
            return
    else:
        study = load_study(store_path, name)
        if output == "-":
            as_printed = _as_json(kind) if as_json else kind
            write_text(output, _text(study, as_printed, output, as_json=as_json))
            return
        write_text(output, _text(study, kind, output), force=force)
        if not as_json:
            return
        trials = len(study.trials)
    print_json({"name": name, "format": kind, "file": output, "trials": trials})


def _as_json(kind: str) -> str:
    """Return the output format with ``--json``."""
    source = click.get_current_context().get_parameter_source("kind")
    if kind == "csv" and source is not ParameterSource.DEFAULT:
        message = "is for what is printed, and CSV is no JSON; leave one out, or name a file: -o"
        raise InvalidInput([Fault("--json", message)])
    return "json" if kind == "csv" else kind


def _text(study: Study, kind: str, output: str, *, as_json: bool = False) -> str:
    if kind == "study":
        path = Path(output)
        return study_text(
            study.config,
            study.store,
            as_json=as_json or path.suffix.lower() == ".json",
            folder=Path() if output == "-" else path.parent,
        )
    result = study.result
    rows = table(result.trials, result.space, result.constraints)
    return _csv(rows) if kind == "csv" else json_text(rows) + "\n"


def _hand_over(name: str, kind: str, place: str, store_path: str, *, force: bool) -> int:
    """Export a study to another program, and return its number of trials."""
    if force:
        raise InvalidInput(
            [Fault("--force", f"{kind} handles existing data itself; leave this out")]
        )
    try:
        registry.exchange(kind)
    except UnknownPlugin as error:
        message = f"{kind!r} is not one of {', '.join(_OWN)}; {error}"
        raise InvalidInput([Fault("--format", message)]) from error
    if place == "-":
        raise InvalidInput([Fault("-o", f"say where {kind} should find the study")])
    return len(load_study(store_path, name).export(kind, place).trials)


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator=os.linesep)
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, bool) else value
