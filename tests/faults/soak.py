"""Run very many trivial jobs in one store, and measure the costs as the study grows.

    python tests/faults/soak.py --jobs 1000000

Jobs run in the controller's own process (backend inline), so only the controller and its store are
measured: time and memory for each tenth of the jobs, then the time of commands that read the study,
and the memory to resume it. Memory that grows with the study is a fault: the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from studies import HPO, table

from hpo_core import Budget, Float, HyperParameterOptimizer, Objective, SearchSpace, StudyConfig
from hpo_core.plugin import FinishedJob, JobSettings, PluginChoice

MAY_GROW = 32
"""Megabytes by which memory may differ from what it was after a tenth of the jobs."""

LOOKS = (
    ["studies"],
    ["show", "s"],
    ["top", "s", "-k", "5"],
    ["top", "s", "-k", "5", "--json"],
)


def config(jobs: int) -> StudyConfig:
    """Return the study: random search on one number."""
    return StudyConfig(
        name="s",
        seed=7,
        strategy=PluginChoice("random"),
        objectives=(Objective("loss", "minimize"),),
        job=JobSettings(function="soak:work"),
        space=SearchSpace((Float("x", 0.0, 1.0),)),
        budget=Budget(jobs=jobs),
        backend=PluginChoice("inline"),
    )


def work(configuration: dict[str, float]) -> float:
    """Do next to nothing; the best value comes again and again."""
    return round(configuration["x"], 3)


def memory() -> float:
    """Return the memory that this process has now, in MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def grow(store: Path, jobs: int) -> list[list[object]]:
    """Run the jobs; return a row for each tenth: jobs, microseconds a job, memory."""
    rows: list[list[object]] = []
    step = max(jobs // 10, 1)
    count, since = 0, time.perf_counter()

    def note(finished: FinishedJob) -> None:
        nonlocal count, since
        count += 1
        if count % step == 0:
            now = time.perf_counter()
            cost = (now - since) / step * 1e6
            rows.append([f"{count:,}", f"{cost:.0f}", f"{memory():.0f}"])
            print(f"{rows[-1][0]} jobs: {rows[-1][1]} us a job, {rows[-1][2]} MB", flush=True)
            since = now

    with HyperParameterOptimizer(config(jobs), store=store, function=work) as optimizer:
        optimizer.run_through(on_job_finished=note)
        optimizer.summary()
    return rows


def look(store: Path, command: list[str]) -> float:
    """Return how many seconds a command takes, the interpreter's start included."""
    began = time.perf_counter()
    subprocess.run([*HPO, *command, "--store", str(store)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


CARRY_ON = """
import resource, sys, time
from soak import config, work
from hpo_core import Budget, HyperParameterOptimizer, load_study
store, jobs = sys.argv[1], int(sys.argv[2])
load_study(store, "s").extend(Budget(jobs=jobs))
began = time.perf_counter()
with HyperParameterOptimizer(config(jobs), store=store, function=work) as optimizer:
    optimizer.start()
    optimizer.wait()
    assert optimizer.error is None, optimizer.error
took = time.perf_counter() - began
print(f"{took:.2f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")
"""


def carry_on(store: Path, jobs: int) -> tuple[float, float]:
    """Run ten jobs more, in a new process; return the seconds and the most memory in MB."""
    said = subprocess.run(
        [sys.executable, "-c", CARRY_ON, str(store), str(jobs + 10)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
    )
    seconds, most = said.stdout.split()
    return float(seconds), float(most)


def main() -> int:
    """Soak, look, resume; print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=100_000, help="how many (100,000)")
    parser.add_argument("--folder", help="where the store is made; a temporary one if not given")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hpo-soak-", dir=given.folder) as folder:
        store = Path(folder, "hpo.db")
        rows = grow(store, given.jobs)
        print(table(["jobs", "us a job", "memory MB"], rows))
        print(f"store: {store.stat().st_size / given.jobs:.0f} bytes a job")
        looks = [[f"hpo {' '.join(command)}", f"{look(store, command):.2f}"] for command in LOOKS]
        print(table(["command", "seconds"], looks))
        seconds, most = carry_on(store, given.jobs)
        print(f"resumed with 10 jobs more: {seconds:.2f} s, at most {most:.0f} MB")
    first, last = (float(str(row[2])) for row in (rows[0], rows[-1]))
    grown, carried = last - first > MAY_GROW, most - first > MAY_GROW
    if grown or carried:
        print(f"memory grows with the study, by more than {MAY_GROW} MB")
    return 1 if grown or carried else 0


if __name__ == "__main__":
    sys.exit(main())
