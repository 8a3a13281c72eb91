"""Many processes on one running study, which writes as fast as possible while they read and control
it.

    python tests/faults/crowd.py --seconds 60

The study's trivial jobs run in its controller's process (backend inline), more than a thousand per
second. Meanwhile every command that reads the study is run repeatedly, and the study is also read
from Python; a second controller tries to run the study; configurations are enqueued; the study is
stopped and resumed. No command may fail or print an error, except for the second controller, which
gets one message.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from studies import HPO, table

STUDY = """
name = "s"
seed = 7
strategy = "random"
backend = "inline"
objective = { metric = "loss", direction = "minimize" }
job = { function = "train:fit" }
parameters.x = { type = "float", low = 0.0, high = 1.0 }
"""
FUNCTION = """
with open("began", "w") as bell:
    bell.write("x")

def fit(configuration):
    return configuration["x"]
"""
LOOKS = (
    ["top", "s", "-k", "3", "--json"],
    ["export", "s", "--format", "csv", "-o", "s.csv", "--force"],
    ["export", "s", "--format", "json", "-o", "s.json", "--force"],
    ["show", "s"],
    ["studies", "--json"],
    ["jobs", "s", "--json"],
    ["replay", "s"],
)
ENQUEUE = ["enqueue", "s", "x=0.5"]
RUN = ["run", "study.toml", "--json"]

READER = """
import sys, time
from hpo_core.config import from_json
from hpo_core.controller.run.budget_tracker import stored_usage
from hpo_core.controller.results.result import read_result, read_top
from hpo_core.store.store import Store
until, rounds = time.monotonic() + float(sys.argv[1]), 0
while time.monotonic() < until:
    with Store("hpo.db", create=False) as store:
        study = store.study("s")
        read_top(store, study, 5)
        usage = stored_usage(store, "s", from_json(study.config))
        trials = store.trials(study.id)
        assert usage.trials <= len(trials)
        rounds += 1
print(rounds)
"""


class Crowd:
    """Runs commands in a folder, and keeps what they did and what went wrong.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.counts: Counter[str] = Counter()
        self.slowest: dict[str, float] = {}
        self.faults: list[str] = []

    def hpo(self, *command: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command, which must end with a status, and must not complain if that is 0."""
        began = time.monotonic()
        ended = subprocess.run([*HPO, *command], cwd=self._folder, capture_output=True, text=True)
        words = " ".join(command)
        self.counts[words] += 1
        self.slowest[words] = max(self.slowest.get(words, 0.0), time.monotonic() - began)
        if ended.returncode != status or (status == 0 and ended.stderr):
            self.faults.append(f"hpo {words}: exit status {ended.returncode}: {ended.stderr}")
        return ended

    def look(self, until: float) -> None:
        """Look in every way, again and again."""
        while time.monotonic() < until:
            for command in LOOKS:
                self.hpo(*command)

    def reach_in(self, until: float) -> None:
        """Enqueue, and try to run it a second time."""
        while time.monotonic() < until:
            self.hpo(*ENQUEUE)
            refused = self.hpo(*RUN, status=2)
            if len(refused.stderr.splitlines()) != 1 or "is being run by process" not in (
                refused.stderr
            ):
                self.faults.append(f"the second controller was told: {refused.stderr}")

    def read(self, until: float) -> None:
        """Read from Python, in its own process."""
        seconds = max(until - time.monotonic(), 0.1)
        ended = subprocess.run(
            [sys.executable, "-c", READER, str(seconds)],
            cwd=self._folder,
            capture_output=True,
            text=True,
        )
        if ended.returncode:
            self.faults.append(f"reading from Python: {ended.stderr}")
        else:
            self.counts["read from Python"] += int(ended.stdout)


def together(*calls: Callable[[], None]) -> None:
    """Call functions at once, each in its own thread, and wait for all of them."""
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run(folder: Path, seconds: float, sessions: int) -> tuple[Crowd, list[Sequence[object]]]:
    """Run the study in some sessions with a crowd around it; return what came of it."""
    (folder / "study.toml").write_text(STUDY)
    (folder / "train.py").write_text(FUNCTION)
    os.mkfifo(folder / "began")
    bell = os.open(folder / "began", os.O_RDWR)
    crowd = Crowd(folder)
    rows: list[Sequence[object]] = []
    before = 0
    for session in range(1, sessions + 1):
        with subprocess.Popen(
            [*HPO, *RUN], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as controller:
            assert select.select([bell], [], [], 60)[0], "the controller does not begin"
            os.read(bell, 10)
            began = time.monotonic()
            until = began + seconds / sessions
            together(
                lambda: crowd.look(until), lambda: crowd.reach_in(until), lambda: crowd.read(until)
            )
            crowd.hpo("stop", "s")
            out, err = controller.communicate()
        if controller.returncode != 130 or err:
            crowd.faults.append(f"the controller: exit status {controller.returncode}: {err}")
            break
        jobs = json.loads(out)["usage"]["jobs"]
        rate = (jobs - before) / (time.monotonic() - began)
        rows.append([session, jobs - before, f"{rate:.0f}"])
        before = jobs
    os.close(bell)
    return crowd, rows


def main() -> int:
    """Let the crowd loose, and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="in all (60)")
    parser.add_argument("--sessions", type=int, default=2, help="so often it is stopped (2)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hpo-crowd-") as folder:
        crowd, sessions = run(Path(folder), given.seconds, given.sessions)
    print(table(["session", "jobs", "jobs/s"], sessions))
    said = [
        [words, count, f"{crowd.slowest[words]:.2f}" if words in crowd.slowest else "-"]
        for words, count in crowd.counts.items()
    ]
    print(table(["what", "times", "slowest, s"], said))
    print(f"{len(crowd.faults)} faults", *crowd.faults, sep="\n")
    return 1 if crowd.faults else 0


if __name__ == "__main__":
    sys.exit(main())
