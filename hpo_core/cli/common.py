"""Options that several commands share."""

from __future__ import annotations

import json
import logging
import math
import shlex
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from hpo_core.model.budget import LIMITS, Budget
from hpo_core.model.errors import Fault, InvalidInput
from hpo_core.model.text import printable
from hpo_core.store.store import Store

F = TypeVar("F", bound=Callable[..., Any])


def store_option(function: F) -> F:
    """Add ``--store``, and ``--accept-loss`` for a store that lost its write-ahead log."""
    loss = click.option(
        "--accept-loss",
        is_flag=True,
        expose_value=False,
        callback=_accept_loss,
        help="Continue without the results in a store's missing -wal file.",
    )
    store = click.option(
        "--store",
        "store_path",
        metavar="PATH",
        envvar="HPO_STORE",
        default="hpo.db",
        show_default=True,
        is_eager=True,  # parsed before the options that use it
        help="Path of the store (or HPO_STORE).",
    )
    return store(loss(function))


def _accept_loss(ctx: click.Context, _: click.Parameter, is_accepted: bool) -> None:
    if is_accepted:
        Store(ctx.params["store_path"], create=False, accept_loss=True).close()


def study_argument(function: F) -> F:
    """Add the argument NAME of a stored study, which shells complete."""
    return click.argument("name", shell_complete=_completed("names_of_studies"))(function)


def study_file_argument(function: F) -> F:
    """Add the argument STUDY.toml, which shells complete."""
    return click.argument("study_file", metavar="STUDY.toml", type=click.Path())(function)


def plugin_option(name: str, **settings: Any) -> Callable[[F], F]:
    """Add an option that names a strategy or a backend, which shells complete."""
    return click.option(name, shell_complete=_completed("names_of_plugins"), **settings)


def _completed(function: str) -> Callable[..., Any]:
    """Return a function of `hpo_core.cli.completion`, which is imported when a shell asks."""

    def complete(*told: Any) -> Any:
        from hpo_core.cli import completion

        return getattr(completion, function)(*told)

    return complete


def json_option(function: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def quiet_option(function: F) -> F:
    """Add ``--quiet``."""
    return click.option("--quiet", is_flag=True, help="Do not show progress.")(function)


def trust_option(function: F) -> F:
    """Add ``--trust``."""
    return click.option(
        "--trust", is_flag=True, help="Trust and run a study that you did not start."
    )(function)


def yes_option(function: F) -> F:
    """Add ``--yes``."""
    return click.option("--yes", is_flag=True, help="Do not ask for confirmation.")(function)


def confirm(question: str, *, yes: bool) -> None:
    """Ask for confirmation of an irreversible action.

    Args:
        question: The question.
        yes: Whether the answer is yes without asking.

    Raises:
        InvalidInput: If there is no terminal to ask on.
        click.Abort: If the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        message = f"{question} There is no terminal to ask on: add --yes to do it"
        raise InvalidInput([Fault("--yes", message)])
    click.confirm(question, abort=True, err=True)


def show_log() -> None:
    """Log to standard error, with control characters escaped."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Printable("%(levelname)s: %(message)s"))
    logging.basicConfig(handlers=[handler])


class _Printable(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(printable, super().format(record).split("\n")))


def as_argument(name: str) -> str:
    """Quote a name for a command that a message proposes."""
    return shlex.quote(printable(name))


def larger_budget(name: str, budget: Budget) -> str:
    """Return the command to extend the budget of a study; ``""`` if it has no budget."""
    limits = [limit for limit in LIMITS if getattr(budget, limit) is not None]
    more = [f"{flag(limit)} {'+10m' if limit.endswith('_time') else '+10'}" for limit in limits]
    return f"hpo extend {as_argument(name)} {' '.join(more)}" if limits else ""


def flag(limit: str) -> str:
    """Return the command-line option of a limit."""
    return "--" + limit.replace("_", "-")


def print_json(value: object) -> None:
    """Print plain data as JSON; numbers that are not finite become null."""
    print(json_text(value))


def json_text(value: object) -> str:
    """Serialize plain data as JSON; numbers that are not finite become null.

    All control characters are escaped, so it is safe to print on a terminal.
    """
    text = json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False)
    lines = text.split("\n")
    if all(map(str.isprintable, lines)):
        return text
    return "\n".join(
        "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line) for line in lines
    )


def _finite(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {key: _finite(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_finite(entry) for entry in value]
        case _:
            return value
