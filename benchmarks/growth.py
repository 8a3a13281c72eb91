"""Cost per job in a growing study, and peak memory: 100,000 jobs compared with 1,000."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from common import config, say

from hpo_core import HyperParameterOptimizer
from hpo_core.plugin import FinishedJob

JOBS = 100_000
WINDOW = 1_000


def main() -> None:
    """Run 100,000 jobs, and compare what the last thousands cost with the first one."""
    moments: list[float] = []

    def note(finished: FinishedJob) -> None:
        moments.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "hpo.db"
        with HyperParameterOptimizer(config(JOBS), store=store) as optimizer:
            began = time.perf_counter()
            optimizer.start(on_job_finished=note)
            optimizer.wait()
            assert optimizer.error is None, optimizer.error
    windows = [
        moments[end - 1] - (moments[end - WINDOW - 1] if end > WINDOW else began)
        for end in range(WINDOW, JOBS + 1, WINDOW)
    ]
    first, last = sorted(windows[:5])[2], sorted(windows[-5:])[2]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak = peak / 1024 if sys.platform == "darwin" else peak
    whole = (moments[-1] - began) / JOBS
    say("cost per job at 1,000 jobs (median of 5 windows)", f"{first / WINDOW * 1e6:.0f} us")
    say("cost per job at 100,000 jobs (median of 5 windows)", f"{last / WINDOW * 1e6:.0f} us")
    say("ratio of the two", f"{last / first:.2f}", "<= 1.3")
    say("mean cost per job over all / at 1,000", f"{whole * WINDOW / first:.2f}", "<= 1.3")
    say("peak memory", f"{peak:.0f} MB", "< 300 MB")


if __name__ == "__main__":
    main()
