"""What to do about a mistake in a command line, beyond what click says."""

from __future__ import annotations

import os

import click

from hpo_core.model.errors import HpoError
from hpo_core.model.text import printable, some


def hint(error: click.ClickException) -> str:
    """Return a sentence on what to do, or ``""``."""
    command = getattr(getattr(error, "ctx", None), "info_name", None)
    match error:
        case click.NoSuchOption(possibilities=None | []) if command == "run":
            name = error.option_name.lstrip("-").replace("-", "_")
            return f"An option of the strategy is given as: -o {printable(name)}=VALUE"
        case click.MissingParameter(param=click.Argument(name="name")):
            return _studies()
        case click.BadParameter(param=click.Option(name="states")) if "'pruned'" in error.message:
            return "A job that a pruner has stopped is in the state 'stopped'."
    return ""


def _studies() -> str:
    """Return the names of the studies in the default store."""
    store = os.environ.get("HPO_STORE") or "hpo.db"
    if not os.path.isfile(store):
        return ""
    from hpo_core.study.study import studies

    try:
        names = [printable(study.name) for study in studies(store)]
    except HpoError:  # the command itself will say what is wrong with the store
        return ""
    return f"The studies of {printable(store)}: {some(names)}" if names else ""
