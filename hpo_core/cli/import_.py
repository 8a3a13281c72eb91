"""The command `import`, which imports the trials of another program's study."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from hpo_core.cli import tables
from hpo_core.cli.common import (
    json_option,
    print_json,
    show_log,
    store_option,
    trust_option,
)
from hpo_core.controller.stored.import_trials import Imported
from hpo_core.model.text import counted, printable
from hpo_core.study.study import Study, load_study


@click.command("import", epilog="Example: hpo import optuna:sqlite:///f.db digits")
@click.argument("source", metavar="PLUGIN:PLACE")
@click.argument("study", metavar="STUDY")
@click.option("--of", metavar="NAME", help="The study of the other program, if there are several.")
@trust_option
@store_option
@json_option
def import_command(
    source: str, study: str, of: str | None, trust: bool, store_path: str, as_json: bool
) -> None:
    """Import the trials of another program's study into STUDY, as a warm start.

    STUDY is a stored study, or a study file, from which a study is created but not run. The
    strategy adopts all trials that match the parameters; they do not count in the budget. The
    others are listed.
    """
    show_log()
    imported = _study(study, store_path, trust).import_trials(source, of)
    for note in imported.notes:
        print(f"note: {printable(note)}", file=sys.stderr)
    if as_json:
        print_json(msgspec.to_builtins(imported))
    else:
        print(_told(imported))


def _study(study: str, store_path: str, trust: bool) -> Study:
    if Path(study).suffix.lower() in (".toml", ".json"):
        return Study.from_file(study, store=store_path)
    stored = load_study(store_path, study)
    stored.require_trust(trust=trust)
    return stored


def _told(imported: Imported) -> str:
    taken, left = len(imported.trials), len(imported.misfits)
    name = printable(imported.study)
    lines = [f"{taken} of {counted(taken + left, 'trial')} of {name} imported"]
    if left:
        rows = [[str(one.number), "; ".join(one.reasons)] for one in imported.misfits]
        lines += ["", "left:", tables.lay_out(["trial", "why"], rows, right="trial")]
    return "\n".join(lines)
