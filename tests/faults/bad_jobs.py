"""Run each misbehaving job as the second one in a study of three jobs.

    python tests/faults/bad_jobs.py [--long] [NAME ...]

prints a line for each, as a command and as a function: the state of the job, the message to the
user, and the peak memory of the controller. The study must finish with the other two jobs
completed, no process left running, and no more memory than a study of normal jobs. With ``--long``,
the job that reports 1,000 times a second does so for a minute.
"""

from __future__ import annotations

import argparse
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from studies import processes_of

MODES = ("command", "function")
HERE = Path(__file__).parent
ALLOWANCE = 6_000  # kilobytes more than a harmless study: a line of a megabyte is held at times

STUDY = """
name = "bad"
seed = 7
strategy = "random"

[objective]
metric = "loss"
direction = "minimize"

[budget]
jobs = {jobs}

[job]
{work}
directory = "{directory}"
time_limit = "{limit}"
grace = 0.3

[parameters.x]
type = "float"
low = 0.0
high = 1.0
"""

WORK = {
    "command": 'command = ["{python}", "bad_job.py"]',
    "function": 'function = "bad_job:fit"',
}

_HPO = """
import re, sys
from hpo_core.cli.main import main
try:
    main()
finally:
    if sys.platform == "linux":
        peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
        sys.stderr.write(f"\\npeak {peak}\\n")
"""

KILLED = "killed by SIGKILL, and not by hpo-core: the system does that when memory runs out"
NOT_ITS_LINE = "malformed report line .*: a job must not write to its worker's connection itself"
TOO_LONG = "malformed report line .*: it is longer than 1,048,576 bytes"
TOO_MUCH = "ValueError: a report may have at most 1,048,576 bytes, and this one has 10,000,01"
ENDLESS = "never_ends"
"""The job that only its time limit ends; its study has a short one."""
NO_JSON = "malformed report line .*: it is not JSON; write one object to a line, such as"

EXPECTED: dict[str, tuple[str, str] | dict[str, tuple[str, str]]] = {
    "killed": ("failed", KILLED),
    "segfault": ("failed", "killed by SIGSEGV"),
    "out_of_memory": ("failed", "^(exit status 1: )?MemoryError"),
    "exits": {
        "command": ("failed", "exit status 3: no data\nno data"),
        "function": (
            "failed",
            "the worker process ended in the job: exit status 3: no data\nno data",
        ),
    },
    "raises_much": {
        "command": ("failed", "exit status 1: x{200}\nx+"),
        "function": ("failed", "ValueError: x+… \\([0-9,]+ characters left out\\) …x+"),
    },
    "leaves_children": ("completed", ""),
    "leaves_a_daemon": ("completed", ""),
    "leaves_a_daemon_with_the_pipe": ("completed", ""),
    "bursts": ("completed", ""),
    "forks": ("completed", ""),
    "prints_much": ("completed", ""),
    "long_line": ("failed", TOO_LONG),
    "long_report": ("failed", TOO_MUCH),
    "rubbish": {"command": ("failed", NO_JSON), "function": ("failed", NOT_ITS_LINE)},
    "says_what_it_is_not_to": {
        "command": ("failed", "malformed report line .*: a report is a JSON object of metrics"),
        "function": ("failed", NOT_ITS_LINE),
    },
    "reports_much": ("completed", ""),
    "reports_a_huge_iteration": (
        "failed",
        "TypeError: an iteration is an integer, 0 or more; got 10+",
    ),
    "reports_a_huge_number": {
        "command": ("failed", NO_JSON),
        "function": ("failed", "ValueError: a metric's name is not text in UTF-8"),
    },
    "never_reports": ("failed", "it never reported the metric 'loss'; it reported nothing"),
    "reports_after_the_end": ("completed", ""),
    "closes_its_pipe": {
        "command": ("completed", ""),
        "function": ("failed", "the function closed its worker's connection to hpo-core; close"),
    },
    ENDLESS: ("completed", "ran longer than its limit of [0-9]+ s; what it reported.* counts"),
    "changes_its_clock": ("completed", ""),
}
"""The state that the job gets and what its reason says, alike in both modes or not."""


class Came(NamedTuple):
    """What came of a bad job, and of its study.

    Attributes:
        state: The job's state.
        reason: Its reason.
        seconds: How long it ran, as stored.
        others: The states of the jobs before and after it.
        next_said: What the job after it reported.
        status: The exit status of ``hpo run``.
        errors: What that wrote on standard error.
        left: The processes that are left when it is over.
        peak: Its peak of memory in kilobytes, 0 if not known.
    """

    state: str
    reason: str
    seconds: float
    others: tuple[str, str]
    next_said: str
    status: int
    errors: str
    left: list[int]
    peak: int


def run(mode: str, *bad: str, reports: int = 500) -> dict[str, Came]:
    """Run a study in which every second job is bad, one after the other.

    Its time limit is short if `ENDLESS` is one of them, so that job is run without the others.
    """
    with tempfile.TemporaryDirectory(prefix="hpo-bad-") as folder:
        limit = "2s" if ENDLESS in bad else "10m"  # a slow machine is no fault of a job
        jobs = 2 * len(bad) + 1
        text = STUDY.format(work=WORK[mode], directory=HERE, limit=limit, jobs=jobs)
        Path(folder, "study.toml").write_text(text)
        ended = subprocess.run(
            [sys.executable, "-c", _HPO, "run", "study.toml", "--quiet"],
            cwd=folder,
            env={**os.environ, "BAD": " ".join(bad), "REPORTS": str(reports)},
            capture_output=True,
            timeout=300 + reports / 100,
        )
        with closing(sqlite3.connect(Path(folder, "hpo.db"))) as store:
            uid = store.execute("SELECT uid FROM study").fetchone()[0]
            rows = store.execute(
                "SELECT state, reason, metrics, ended - started FROM job ORDER BY trial"
            ).fetchall()
    errors = ended.stderr.decode(errors="replace")
    found = re.search(r"^peak (\d+)\n", errors, re.MULTILINE)
    left = processes_of(uid)
    return {
        name: Came(
            state=rows[at][0],
            reason=rows[at][1],
            seconds=rows[at][3] or 0.0,
            others=(rows[at - 1][0], rows[at + 1][0]),
            next_said=rows[at + 1][2] or "",
            status=ended.returncode,
            errors=re.sub(r"^\n?peak \d+\n", "", errors, flags=re.MULTILINE),
            left=left,
            peak=int(found[1]) if found else 0,
        )
        for at, name in zip(range(1, jobs, 2), bad, strict=True)
    }


def faults(mode: str, bad: str, came: Came, harmless: Came) -> list[str]:
    """Return what is not as it has to be."""
    expected = EXPECTED.get(bad, ("completed", ""))
    state, says = expected[mode] if isinstance(expected, dict) else expected
    wrong = []
    if came.status != 0 or came.errors or came.others != ("completed", "completed"):
        wrong.append(f"the study ended with {came.status}, its jobs {came.others}: {came.errors}")
    if came.state != state:
        wrong.append(f"the job is {came.state}, and not {state}")
    if not re.search(says, came.reason) or (not says and came.reason):
        wrong.append(f"it says {came.reason!r}, and not {says!r}")
    if '"left":0.0' not in came.next_said:
        wrong.append(f"the next job found processes of it: {came.next_said}")
    if came.left:
        wrong.append(f"processes are left: {came.left}")
    if came.peak > harmless.peak + ALLOWANCE:
        wrong.append(f"the controller took {came.peak} kB, harmless {harmless.peak} kB")
    if not 0 <= came.seconds < 3600:
        wrong.append(f"it ran for {came.seconds} s")
    return wrong


def main() -> int:
    """Run them all, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(EXPECTED))
    parser.add_argument("--long", action="store_true", help="1,000 reports a second for a minute")
    given = parser.parse_args()
    status = 0
    print("| job | as a | state | the first line of its reason | s | controller, MB |")
    print("|---|---|---|---|---|---|")
    for mode in MODES:
        harmless = run(mode, "harmless")["harmless"]
        for bad in given.names or EXPECTED:
            began = time.monotonic()
            came = run(mode, bad, reports=60_000 if given.long else 500)[bad]
            first = re.sub(r"[^ -{}~…]", "·", came.reason.partition("\n")[0])
            first = first if len(first) < 160 else f"{first[:60]}…{first[-90:]}"
            print(
                f"| {bad} | {mode} | {came.state} | {first} | {time.monotonic() - began:.1f} "
                f"| {came.peak / 1000:.1f} |",
                flush=True,
            )
            for wrong in faults(mode, bad, came, harmless):
                print(f"WRONG: {wrong}")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
