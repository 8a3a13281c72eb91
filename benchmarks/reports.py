"""Intermediate reports through the controller, each stored and told to the strategy."""

from __future__ import annotations

import tempfile
from pathlib import Path

from common import config, run, say

from hpo_core import report

REPORTS = 10_000


def chatty(configuration: object) -> float:
    """Report 10,000 times."""
    for iteration in range(1, REPORTS + 1):
        report(iteration, loss=1.0 / iteration)
    return 0.0


def main() -> None:
    """Print the rates."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        warm = config(4, backend="local", workers=2, function="reports:chatty")
        rate = 4 * REPORTS / run(warm, folder / "local.db")
        say("reports from 2 warm workers, SQLite on disk", f"{rate:,.0f}/s", ">= 10,000")
        inline = config(2, function="reports:chatty")
        rate = 2 * REPORTS / run(inline, folder / "inline.db")
        say("reports inline, each in its own transaction", f"{rate:,.0f}/s")


if __name__ == "__main__":
    main()
