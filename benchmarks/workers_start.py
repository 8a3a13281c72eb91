"""Start-up of workers, small jobs on many workers, and trivial jobs compared with joblib."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import msgspec
from common import config, run, say, trivial

from hpo_core import StudyConfig
from hpo_core.store.store import Store

MODULE = """
import sklearn.ensemble

def fit(configuration):
    return 1.0
"""

SMALL_JOBS, SMALL, TRIVIAL_JOBS, TURNS = 160, 0.05, 5_000, 3


def nap(configuration: object) -> float:
    """Sleep for a moment, and return a number."""
    time.sleep(SMALL)
    return 1.0


def last_start(folder: Path, workers: int) -> float:
    """Return the seconds from a study's start until its last worker has its first job."""
    store = folder / f"start-{workers}-{time.monotonic_ns()}.db"
    study = config(workers, backend="local", workers=workers, function="imports_sklearn:fit")
    run(_in(study, folder), store)
    with Store(store) as opened:
        found = opened.study("bench")
        jobs = opened.jobs(found.id)
    return max(job.started or 0.0 for job in jobs) - min(job.queued for job in jobs)


def _in(study: StudyConfig, folder: Path) -> StudyConfig:
    """Return a study whose function is in a folder."""
    job = msgspec.structs.replace(study.job, directory=str(folder))
    return msgspec.structs.replace(study, job=job)


def start_up(folder: Path) -> None:
    """Print how much longer 16 workers take to start than one."""
    (folder / "imports_sklearn.py").write_text(MODULE)
    pairs = [(last_start(folder, 1), last_start(folder, 16)) for _ in range(TURNS)]
    one, many = (statistics.median(each) for each in zip(*pairs, strict=True))
    say("16 workers that import scikit-learn / one: last start", f"{many:.2f} / {one:.2f} s")
    later = statistics.median(many - one for one, many in pairs)
    say("16 workers later than one (median of 3 turns)", f"{later:.2f} s", "<= 2")


def small_jobs(folder: Path) -> None:
    """Print the utilisation of small jobs, from the first start to the last end."""
    found = []
    for turn in range(TURNS):
        store = folder / f"small-{turn}.db"
        run(config(SMALL_JOBS, backend="local", workers=16, function="workers_start:nap"), store)
        with Store(store) as opened:
            jobs = opened.jobs(opened.study("bench").id)
        wall = max(job.ended or 0 for job in jobs) - min(job.started or 0 for job in jobs)
        found.append(SMALL_JOBS * SMALL / (16 * wall))
    figures = ", ".join(f"{each:.3f}" for each in found)
    say(f"{SMALL_JOBS} jobs of {SMALL} s on 16 workers", figures, ">= 0.92")


def beside_joblib(folder: Path) -> None:
    """Print the rates of trivial jobs on two workers, and joblib's for the same calls."""
    from joblib import Parallel, delayed

    call = {"x": 0.5, "depth": 3}
    ours, single, batched = [], [], []
    with Parallel(n_jobs=2, batch_size=1) as one, Parallel(n_jobs=2) as auto:
        for parallel in (one, auto):  # its workers are warm, as ours are
            parallel(delayed(trivial)(call) for _ in range(100))
        for turn in range(TURNS):
            study = config(TRIVIAL_JOBS, backend="local", workers=2)
            ours.append(TRIVIAL_JOBS / run(study, folder / f"trivial-{turn}.db"))
            for parallel, rates in ((one, single), (auto, batched)):
                began = time.perf_counter()
                parallel(delayed(trivial)(call) for _ in range(TRIVIAL_JOBS))
                rates.append(TRIVIAL_JOBS / (time.perf_counter() - began))
    medians = [statistics.median(rates) for rates in (ours, single, batched)]
    say("trivial jobs, 2 workers", f"{medians[0]:,.0f} jobs/s")
    say("joblib, one dispatch a job (batch_size=1)", f"{medians[1]:,.0f} calls/s")
    say("joblib, which batches them (batch_size='auto')", f"{medians[2]:,.0f} calls/s")
    for rates, how in ((single, "one dispatch a job"), (batched, "in batches")):
        ratio = statistics.median(one / other for one, other in zip(ours, rates, strict=True))
        say(f"hpo-core / joblib, {how} (median of 3 turns)", f"{ratio:.2f}", ">= 1.00")


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start_up(folder)
        small_jobs(folder)
        beside_joblib(folder)


if __name__ == "__main__":
    main()
