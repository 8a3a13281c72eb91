"""Resuming a study of 20,000 trials of `asha`, and reading its result and tables."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from common import say

import hpo_core
from hpo_core import Float, Int, Study
from hpo_core.plugin import FinishedJob

TRIALS = 20_000
MOST = 9  # iterations


def train(configuration: hpo_core.Configuration, job: hpo_core.JobInfo) -> None:
    """Report a curve, as far as the job is to train."""
    for iteration in range(1, (job.iterations or MOST) + 1):
        hpo_core.report(iteration, loss=(configuration["x"] - 0.3) ** 2 + 1 / iteration)


def main() -> None:
    """Run the study, then give it one trial more, and read it."""
    with tempfile.TemporaryDirectory() as name:
        study = Study(
            function=train,
            parameters=[Float("x", 0.0, 1.0), Int("n", 1, 8)],
            objective="loss",
            direction="minimize",
            budget={"trials": TRIALS},
            strategy="asha",
            backend="inline",
            max_iterations=MOST,
            seed=1,
            store=Path(name) / "hpo.db",
        )
        study.run(progress=False)
        study.extend(trials="+1")
        began = time.perf_counter()
        first: list[float] = []

        def note(finished: FinishedJob) -> None:
            first.append(time.perf_counter() - began)

        study.resume(progress=False, on_job_finished=note)
        say("resuming 20,000 trials of asha, up to the first job", f"{first[0]:.2f} s", "<= 2 s")
        for table in ("trials", "jobs", "reports"):
            began = time.perf_counter()
            rows = len(study.to_pandas(table))
            say(f"to_pandas({table!r}), {rows:,} rows", f"{time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
