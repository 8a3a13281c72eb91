"""160 jobs that sleep 0.2 s on 16 warm workers: job seconds / (workers x wall)."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from common import config, run, say

from hpo_core.store.store import Store

JOBS, WORKERS, SECONDS = 160, 16, 0.2


def nap(configuration: object) -> float:
    """Sleep, and return a number."""
    time.sleep(SECONDS)
    return 1.0


def main() -> None:
    """Print the utilisation, from the first job's start to the last one's end."""
    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "hpo.db"
        run(config(JOBS, backend="local", workers=WORKERS, function="utilisation:nap"), store)
        with Store(store) as opened:
            jobs = opened.jobs(opened.study("bench").id)
    wall = max(job.ended or 0 for job in jobs) - min(job.started or 0 for job in jobs)
    utilisation = JOBS * SECONDS / (WORKERS * wall)
    say(f"{JOBS} jobs of {SECONDS} s on {WORKERS} workers", f"{utilisation:.3f}", ">= 0.97")


if __name__ == "__main__":
    main()
