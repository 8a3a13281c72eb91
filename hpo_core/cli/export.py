"""The command `export`, which writes the trials of a study, or the study itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

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
from hpo_core.controller.results.table import Table
from hpo_core.controller.results.tables import TABLES
from hpo_core.controller.stored.output_file import write
from hpo_core.controller.stored.study_text import study_text
from hpo_core.model.errors import Fault, InvalidInput, UnknownPlugin, listed
from hpo_core.model.text import counted, printable
from hpo_core.study.study import Study, load_study

_OF_TABLES = ("csv", "json", "parquet")
_OWN = (*_OF_TABLES, "study")


@click.command("export", epilog="Example: hpo export digits --format study -o again.toml")
@study_argument
@click.option(
    "--format",
    "kind",
    metavar="FORMAT",
    default="csv",
    show_default=True,
    help="csv, json, parquet, study, or a plugin that exports to another program, such as optuna.",
)
@click.option(
    "--table",
    type=click.Choice(TABLES),
    default="trials",
    show_default=True,
    help="What has a row each.",
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
    name: str,
    kind: str,
    table: Literal["trials", "jobs", "reports"],
    output: str,
    force: bool,
    store_path: str,
    as_json: bool,
) -> None:
    """Export a table of the study NAME: a row for each trial, job or report.

    Parameters are columns param.NAME, metrics metric.NAME. In JSON, numbers that are not finite are
    null. The format study writes the study as a file for hpo run: TOML, or JSON if the file's name
    ends with .json.

    With --json, the output is JSON: the table or the study or, with -o, a summary of what was
    written.
    """
    if kind not in _OF_TABLES and _is_given("table"):
        message = f"is for the formats {listed(_OF_TABLES)}; the format {kind} has no tables"
        raise InvalidInput([Fault("--table", f"{message}; leave it out")])
    rows = None
    if kind not in _OWN:
        trials = _hand_over(name, kind, output, store_path, force=force)
        if not as_json:
            print(f"{counted(trials, 'trial')} written to {printable(output)}")
            return
    else:
        study = load_study(store_path, name)
        is_printed = output == "-"
        if is_printed:
            kind = _as_json(kind) if as_json else kind
            if kind == "parquet" and sys.stdout.isatty():
                raise InvalidInput([Fault("-o", "Parquet is no text for a terminal; name a file")])
        if kind == "study":
            write(output, _study(study, output, as_json=as_json and is_printed), force=force)
        else:
            found = study.table(table)
            rows = len(found)
            write(output, _formatted(found, kind), force=force)
        if is_printed or not as_json:
            return
        trials = study.overview().trials
    written = {"table": None if rows is None else table, "rows": rows}
    print_json({"name": name, "format": kind, "file": output, "trials": trials, **written})


def _is_given(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source is not ParameterSource.DEFAULT


def _as_json(kind: str) -> str:
    """Return the output format with ``--json``."""
    if kind == "parquet" or (kind == "csv" and _is_given("kind")):
        said = {"csv": "CSV", "parquet": "Parquet"}[kind]
        message = (
            f"is for what is printed, and {said} is no JSON; leave one out, or name a file: -o"
        )
        raise InvalidInput([Fault("--json", message)])
    return "json" if kind == "csv" else kind


def _study(study: Study, output: str, *, as_json: bool) -> str:
    path = Path(output)
    return study_text(
        study.config,
        study.store,
        as_json=as_json or path.suffix.lower() == ".json",
        folder=Path() if output == "-" else path.parent,
    )


def _formatted(table: Table, kind: str) -> str | bytes:
    match kind:
        case "parquet":
            return table.to_parquet()
        case "json":
            return json_text(table.rows()) + "\n"
        case _:
            return table.to_csv()


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
