"""Stop and continue the processes of a study at random, while jobs report as fast as possible.

This includes the strategy if it runs in its own process.

Whichever process is stopped, the study continues afterwards, finishes, and has every report:

    python tests/faults/pauses.py --seconds 60
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from studies import HPO, chosen

from hpo_core.backends.supervisor.processes import parents

REPORTS = 20_000

STUDY = """
name = "pauses"
seed = 1
workers = {workers}
strategy = {strategy}
objective = {{ metric = "loss", direction = "minimize" }}
budget = {{ jobs = {jobs} }}
job = {{ {work}, max_iterations = {reports} }}
parameters.x = {{ type = "float", low = 0.0, high = 1.0 }}
"""

JOB = """
import sys
from hpo_core import report

def train(configuration):
    for iteration in range(1, {reports} + 1):
        report(iteration, loss=1.0 / iteration)

if __name__ == "__main__":
    train(None)
"""

WORK = {
    "function": 'function = "chatty:train"',
    "command": 'command = ["{python}", "chatty.py", "{x}"]',
}


def family(root: int) -> list[int]:
    """Return a process and its descendants."""
    parent_of = parents()
    found = [root]
    for pid in found:
        found += [child for child, parent in parent_of.items() if parent == pid]
    return found


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def disturb(controller: subprocess.Popen[str], seconds: float, dice: random.Random) -> int:
    """Stop and continue processes for so long, or until the study ends; return how often."""
    pauses, until = 0, time.monotonic() + seconds
    while controller.poll() is None and time.monotonic() < until:
        chosen = dice.choice(family(controller.pid))
        send(chosen, signal.SIGSTOP)
        with contextlib.suppress(subprocess.TimeoutExpired):
            controller.wait(dice.uniform(0.0, 0.4))
        send(chosen, signal.SIGCONT)
        pauses += 1
        with contextlib.suppress(subprocess.TimeoutExpired):
            controller.wait(dice.uniform(0.0, 0.1))
    return pauses


def trial(kind: str, strategy: str, jobs: int, reports: int, seconds: float, seed: int) -> str:
    """Run a study that is disturbed; return its row of the table.

    Raises:
        AssertionError: If it hangs, or has lost something.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "chatty.py").write_text(JOB.format(reports=reports))
        text = STUDY.format(
            workers=2, strategy=chosen(strategy), jobs=jobs, work=WORK[kind], reports=reports
        )
        (folder / "study.toml").write_text(text)
        with subprocess.Popen(
            [*HPO, "run", "study.toml", "--quiet"],
            cwd=folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as controller:
            began = time.monotonic()
            pauses = disturb(controller, seconds, random.Random(seed))
            printed, _ = controller.communicate(timeout=600)
            took = time.monotonic() - began
        assert controller.returncode in (0, 1), printed  # 1 where asha has completed none
        with closing(sqlite3.connect(folder / "hpo.db")) as store:
            [(stored,)] = store.execute("SELECT count(*) FROM log WHERE kind = 'running'")
            states = dict(store.execute("SELECT state, count(*) FROM job GROUP BY state"))
        if strategy != "asha":  # which stops jobs early
            assert states == {"completed": jobs}, states
            assert stored == jobs * reports, f"{stored} of {jobs * reports} reports are stored"
        assert states.keys() <= {"completed", "paused", "stopped"}, states
    return f"{strategy:<8} {kind:<9} {pauses:>7} {stored:>9} {stored / took:>12,.0f}"


def main() -> int:
    """Print a table; return 1 if something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--jobs", type=int, default=30)
    parser.add_argument("--reports", type=int, default=REPORTS)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    print(f"{'strategy':<8} {'jobs':<9} {'pauses':>7} {'reports':>9} {'reports/s':>12}")
    for kind in WORK:
        for strategy in ("random", "process", "asha"):
            row = trial(kind, strategy, told.jobs, told.reports, told.seconds, told.seed)
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
