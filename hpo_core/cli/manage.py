"""Commands on a whole study: copy, rename, delete."""

from __future__ import annotations

import sys

import click
import msgspec

from hpo_core.cli.common import (
    as_argument,
    confirm,
    json_option,
    print_json,
    show_log,
    store_option,
    study_argument,
    yes_option,
)
from hpo_core.model.text import counted, printable
from hpo_core.study.study import Study, load_study


@click.command("copy", epilog="Example: hpo copy digits --to backup.db")
@study_argument
@click.option("--to", metavar="PATH", required=True, help="The target store.")
@click.option("--name", "new_name", metavar="NEW", help="Another name for the copy.")
@store_option
@json_option
def copy_command(name: str, to: str, new_name: str | None, store_path: str, as_json: bool) -> None:
    """Copy the study NAME with its logs and checkpoints, also while it runs: a backup.

    The copy is a consistent snapshot. Running jobs are lost in it, and are run again if the copy is
    resumed.
    """
    copied = load_study(store_path, name).copy(to, new_name)
    for what in copied.left_out:
        print(f"note: {printable(what)} was not copied", file=sys.stderr)
    if as_json:
        print_json({**msgspec.to_builtins(copied), "store": to})
        return
    lost = f"; {counted(len(copied.lost), 'running job')} lost in it" if copied.lost else ""
    print(
        f"copied {counted(copied.trials, 'trial')} to {printable(to)}{lost}; "
        f"resume the copy: hpo resume {as_argument(copied.name)} --store {as_argument(to)}"
    )


@click.command("rename", epilog="Example: hpo rename digits digits-old")
@study_argument
@click.argument("new_name", metavar="NEW")
@yes_option
@store_option
@json_option
def rename_command(name: str, new_name: str, yes: bool, store_path: str, as_json: bool) -> None:
    """Rename the study NAME to NEW."""
    study = load_study(store_path, name)
    confirm(f"Rename the study {printable(name)} to {printable(new_name)}?", yes=yes)
    study.rename(new_name)
    if as_json:
        print_json({"name": new_name, "renamed_from": name})
        return
    print(
        f"renamed; its file has the old name, so use: hpo run FILE --name {as_argument(new_name)}"
    )


@click.command("delete", epilog="Example: hpo delete digits")
@study_argument
@yes_option
@store_option
@json_option
def delete_command(name: str, yes: bool, store_path: str, as_json: bool) -> None:
    """Delete the study NAME: its trials, logs and checkpoints."""
    show_log()
    study = load_study(store_path, name)
    confirm(f"{deletion(study)}?", yes=yes)
    about = study.overview()
    study.delete()
    if as_json:
        print_json({"name": name, "trials": about.trials + about.imported})
        return
    print(f"deleted the study {printable(name)}")


def deletion(study: Study) -> str:
    """Return the question to confirm the deletion of a study."""
    about = study.overview()
    return (
        f"Delete the study {printable(study.name)} of {printable(study.store)}: "
        f"{counted(about.trials + about.imported, 'trial')}, with logs and checkpoints"
    )
