"""An index of plugins: a file that lists plugins which need not be installed.

Its format is what ``hpo plugins --json`` prints. So an index is made on a machine that has the
plugins, and read on one that has not.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from hpo_core.model.errors import Fault, InvalidInput

VARIABLE = "HPO_PLUGIN_INDEX"
"""The environment variable that names the file."""


class Listed(msgspec.Struct, frozen=True):
    """A strategy, backend or anything else that a plugin provides."""

    name: str
    summary: str = ""
    capabilities: tuple[str, ...] = ()


class Entry(msgspec.Struct, frozen=True):
    """A plugin in an index."""

    name: str
    distribution: str
    version: str = ""
    strategy: tuple[Listed, ...] = ()
    backend: tuple[Listed, ...] = ()
    work: tuple[Listed, ...] = ()
    observer: tuple[Listed, ...] = ()
    reader: tuple[Listed, ...] = ()
    exchange: tuple[Listed, ...] = ()
    command: tuple[Listed, ...] = ()
    plot: tuple[Listed, ...] = ()


def configured() -> list[dict[str, Any]]:
    """Return the plugins of the configured index, as ``hpo plugins --json`` has them.

    None are returned if no index is configured.

    Raises:
        InvalidInput: If the file can't be read, or is no index.
    """
    place = os.environ.get("HPO_PLUGIN_INDEX", "")
    if not place:
        return []
    try:
        entries = msgspec.json.decode(Path(place).read_bytes(), type=list[Entry])
    except OSError as error:
        wrong = (
            f"{place} can't be read: {error.strerror}; name a file that `hpo plugins --json` wrote"
        )
        raise InvalidInput([Fault(VARIABLE, wrong)]) from error
    except msgspec.DecodeError as error:
        wrong = f"{place} is no index: {error}; make one with `hpo plugins --json > FILE`"
        raise InvalidInput([Fault(VARIABLE, wrong)]) from error
    nothing = {"failure": None, "printed": "", "observers": False}
    return [{**nothing, **msgspec.to_builtins(entry)} for entry in entries]
