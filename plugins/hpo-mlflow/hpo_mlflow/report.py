"""The report of a study as HTML, by the command ``hpo report`` of hpo-view."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points

_log = logging.getLogger("hpo_core")

_CALL = """
import sys
from importlib.metadata import entry_points
(command,) = entry_points(group="hpo_core.commands", name="report")
command.load()(sys.argv[1:])
"""
"""Calls the command in its own process, which leaves the output of this one alone."""


def is_installed() -> bool:
    """Return whether a plugin provides the command ``hpo report``."""
    return bool(entry_points(group="hpo_core.commands", name="report"))


@contextmanager
def report_of(name: str, store: str) -> Iterator[str | None]:
    """Write the report of a stored study into a temporary file.

    Yields:
        The file's path; None if the report could not be written, which is logged.
    """
    with tempfile.TemporaryDirectory(prefix="hpo-mlflow-") as folder:
        file = f"{folder}/report.html"
        command = [sys.executable, "-c", _CALL, name, "--store", store, "-o", file]
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if ended.returncode:
            said = ended.stderr.strip().rpartition("\n")[2]
            _log.warning("hpo report failed, so MLflow gets no report of %r: %s", name, said)
        yield None if ended.returncode else file
