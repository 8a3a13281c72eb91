"""How many workers one controller keeps busy: virtual jobs, and all that the controller costs.

``python benchmarks/scale.py`` runs each case of `CASES` with a store on disk, in virtual time (see
`stub_engine`). With ``--cpu`` the controller's cost is its processor time, for machines that do
much else; without, time by the clock. Utilisation is the run time of all jobs divided by workers
and time, from the first job's start to the last one's end.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from common import SPACE, say
from stub_engine import VirtualClock

from hpo_core import Budget, HyperParameterOptimizer, Objective, StudyConfig
from hpo_core.controller import controller
from hpo_core.plugin import JobSettings, PluginChoice


class Case(NamedTuple):
    """What is run.

    Attributes:
        workers: Number of workers.
        seconds: Length of each job.
        reports: Number of reports of each job.
        rounds: Number of jobs of each worker.
        asked: The least utilisation; None where it is only looked at.
    """

    workers: int
    seconds: float
    reports: int
    rounds: int
    asked: float | None = None


CASES = (
    Case(10_000, 60.0, 0, 5, 0.95),
    Case(10_000, 60.0, 11, 5, 0.95),
    Case(10_000, 10.0, 0, 5),
    Case(1_000, 10.0, 0, 10),
    Case(1_000, 10.0, 10, 10),
    Case(1_000, 1.0, 0, 20),
    Case(100, 1.0, 0, 50),
    Case(100, 1.0, 10, 50),
    Case(100, 0.1, 0, 100),
)


def study(case: Case) -> StudyConfig:
    """Return a case as a study, by random search."""
    options = {"seconds": case.seconds, "reports": case.reports}
    return StudyConfig(
        name="scale",
        seed=1,
        strategy=PluginChoice("random"),
        objectives=(Objective("loss", "minimize"),),
        job=JobSettings(function="common:trivial", directory=str(Path(__file__).parent)),
        space=SPACE,
        workers=case.workers,
        budget=Budget(jobs=case.workers * case.rounds),
        backend=PluginChoice("stub", options),
    )


def run(case: Case, folder: Path, clock: VirtualClock, cost: float) -> float:
    """Run a case, and print and return its utilisation."""
    controller.SystemClock = lambda: clock  # type: ignore[assignment,misc]
    jobs = case.workers * case.rounds
    with HyperParameterOptimizer(study(case), store=folder / "hpo.db") as optimizer:
        began, spent = clock.now(), time.process_time()
        optimizer.run_through()
        elapsed, spent = clock.now() - began, time.process_time() - spent
    utilisation = jobs * case.seconds / (case.workers * elapsed)
    name = f"{case.workers:,} workers, jobs of {case.seconds:g} s, {case.reports} reports each"
    asked = "" if case.asked is None else f">= {case.asked}"
    say(name, f"{utilisation:.3f}", asked)
    say("  processor time of the controller for each job", f"{spent / jobs * 1e6:.0f} us")
    if case.reports:
        rate = jobs * case.reports / elapsed * 60
        say("  reports in a virtual minute", f"{rate:,.0f}")
        each = (spent / jobs - cost) / case.reports if cost else 0.0
        say("  processor time for each report", f"{each * 1e6:.0f} us")
    return spent / jobs


def main(arguments: list[str]) -> None:
    """Run all cases."""
    tick = time.process_time if "--cpu" in arguments else time.perf_counter
    with tempfile.TemporaryDirectory() as name:
        publish(Path(name) / "plugin")
        costs: dict[tuple[int, float], float] = {}
        for number, case in enumerate(CASES):
            folder = Path(name) / str(number)
            folder.mkdir()
            cost = run(case, folder, VirtualClock(tick), costs.get(case[:2], 0.0))
            if not case.reports:
                costs[case[:2]] = cost


def publish(folder: Path) -> None:
    """Install the stub engine as a plugin, for this process alone."""
    information = folder / "hpo_stub-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: hpo-stub\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[hpo_core]\nstub = stub_engine\n")
    sys.path.insert(0, str(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
