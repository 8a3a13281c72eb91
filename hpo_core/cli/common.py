"""Options that several commands share."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from hpo_core.store.store import Store

F = TypeVar("F", bound=Callable[..., Any])


def store_option(function: F) -> F:
    """Add ``--store``."""
    return click.option(
        "--store",
        "store_path",
        metavar="PATH",
        envvar="HPO_STORE",
        default="hpo.db",
        show_default=True,
        help="The file that keeps studies (or HPO_STORE).",
    )(function)


def json_option(function: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def quiet_option(function: F) -> F:
    """Add ``--quiet``."""
    return click.option("--quiet", is_flag=True, help="Show no progress.")(function)


def open_store(path: str) -> Store:
    """Open a store that exists."""
    return Store(path, create=False)


def print_json(value: object) -> None:
    """Print plain data as JSON; numbers that are not finite become null."""
    json.dump(_finite(value), sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write(os.linesep)


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
