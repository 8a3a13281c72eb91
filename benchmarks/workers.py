"""Warm workers, and commands compared with a plain loop of subprocess.Popen, two at a time."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import config, run, say

REPORT = "import os; os.write(int(os.environ['HPO_REPORT_FD']), b'{\"loss\": 1}\\n')"
SHELL = "echo '{\"loss\": 1}' >&$HPO_REPORT_FD"


def popen_loop(command: list[str], jobs: int) -> float:
    """Return commands per second, two at a time, with nothing around them."""
    running: list[subprocess.Popen[bytes]] = []
    began = time.perf_counter()
    for _ in range(jobs):
        if len(running) == 2:
            running.pop(0).wait()
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
    for process in running:
        process.wait()
    return jobs / (time.perf_counter() - began)


def commands(folder: Path, name: str, command: tuple[str, ...], jobs: int, asked: float) -> None:
    """Compare a command through hpo-core with the bare loop, in turns."""
    escaped = tuple(part.replace("{", "{{").replace("}", "}}") for part in command)
    bare_command = [part.replace("$HPO_REPORT_FD", "1") for part in command]
    if bare_command[-1] == REPORT:
        bare_command[-1] = REPORT.replace("os.environ['HPO_REPORT_FD']", "'1'")
    ratios, rates = [], []
    for turn in range(3):
        bare = popen_loop(bare_command, jobs)
        study = config(jobs, backend="local", workers=2, command=escaped)
        ours = jobs / run(study, folder / f"{name}-{turn}.db")
        rates.append((ours, bare))
        ratios.append(ours / bare)
    middle = sorted(range(3), key=ratios.__getitem__)[1]
    ours, bare = rates[middle]
    say(f"commands ({name}), 2 workers / bare Popen", f"{ours:.0f} / {bare:.0f} a second")
    say("ratio (median of 3 turns)", f"{ratios[middle]:.2f}", f">= {asked:.2f}")


def main() -> None:
    """Print the rates."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study = config(5_000, backend="local", workers=2)
        rate = 5_000 / run(study, folder / "warm.db")
        say("trivial jobs in 2 warm workers, SQLite on disk", f"{rate:,.0f} jobs/s", ">= 1,000")
        commands(folder, "python", (sys.executable, "-S", "-E", "-c", REPORT), 1_000, 0.9)
        commands(folder, "sh", ("/bin/sh", "-c", SHELL), 5_000, 0.6)


if __name__ == "__main__":
    main()
