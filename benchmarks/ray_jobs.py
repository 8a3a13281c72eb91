"""Trivial jobs on Ray: through hpo-ray, as tasks and actor calls of Ray alone, and by Ray Tune.

Each is run in its own process, on a cluster that it starts with as many CPUs as there are
workers. The start of the cluster and the first jobs, for which actors start, are not measured: the
rate is that of all jobs after the first tenth. Ray alone does what a search has to do: it keeps a
number of calls under way, and makes the next one when one has ended.

Ray Tune runs twice: with its defaults, by which each trial is a new process that imports Ray Tune
and takes seconds, and with the settings that its documentation gives for short trials. Then actors
are reused, no results are written for each trial, and the state of the experiment is written once.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from common import config, say, trivial

WORKERS = 4
JOBS = {"hpo": 4_000, "tasks": 4_000, "actors": 4_000, "tune": 400, "tune_as_it_is": 20}
SKIPPED = 10
"""The rate is counted from the end of the first part of this many, so starting is not measured."""


def rate_of(moments: list[float]) -> float:
    """Return ends per second, without the first part of them."""
    rest = moments[len(moments) // SKIPPED :]
    return (len(rest) - 1) / (rest[-1] - rest[0])


def hpo() -> float:
    """Return jobs per second through hpo-ray."""
    from hpo_core import HyperParameterOptimizer

    moments: list[float] = []
    study = config(JOBS["hpo"], backend="ray", workers=WORKERS)
    with (
        tempfile.TemporaryDirectory() as name,
        HyperParameterOptimizer(study, store=Path(name) / "hpo.db") as optimizer,
    ):
        optimizer.run(on_job_finished=lambda _: moments.append(time.perf_counter()))
    assert len(moments) == JOBS["hpo"]
    return rate_of(moments)


def configurations() -> Iterator[dict[str, Any]]:
    """Return what random search returns, for nothing."""
    while True:
        yield {"x": 0.25, "depth": 3, "kind": "tree"}


def bare(call: Callable[[int, dict[str, Any]], Any], jobs: int) -> float:
    """Return calls per second, with as many under way as there are workers."""
    import ray

    told, moments = configurations(), []
    running = {call(number, next(told)): number for number in range(WORKERS)}
    for left in range(jobs - WORKERS, -WORKERS, -1):
        (done,), _ = ray.wait(list(running), num_returns=1)
        ray.get(done)
        moments.append(time.perf_counter())
        free = running.pop(done)
        if left > 0:
            running[call(free, next(told))] = free
    return rate_of(moments)


def tasks() -> float:
    """Return tasks per second of Ray alone."""
    import ray

    _start()
    task = ray.remote(trivial)
    return bare(lambda _, told: task.remote(told), JOBS["tasks"])


def actors() -> float:
    """Return calls of actors per second of Ray alone."""
    import ray

    _start()

    class Worker:
        def run(self, told: dict[str, Any]) -> float:
            return trivial(told)

    made = [ray.remote(Worker).remote() for _ in range(WORKERS)]
    return bare(lambda number, told: made[number].run.remote(told), JOBS["actors"])


def tune() -> float:
    """Return trials per second of Ray Tune, with its settings for short trials."""
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    os.environ["TUNE_GLOBAL_CHECKPOINT_S"] = "86400"
    return tune_with(JOBS["tune"], reuse_actors=True)


def tune_as_it_is() -> float:
    """Return trials per second of Ray Tune, with its defaults."""
    return tune_with(JOBS["tune_as_it_is"])


def tune_with(trials: int, **settings: Any) -> float:
    """Return trials per second of Ray Tune, with random search."""
    from ray import tune as library

    _start()
    moments: list[float] = []

    class Note(library.Callback):
        def on_trial_complete(self, *_: Any, **__: Any) -> None:
            moments.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as name:
        library.Tuner(
            lambda told: {"loss": trivial(told)},
            param_space={
                "x": library.uniform(0, 1),
                "depth": library.randint(1, 9),
                "kind": library.choice(["tree", "forest", None]),
            },
            tune_config=library.TuneConfig(
                metric="loss",
                mode="min",
                num_samples=trials,
                max_concurrent_trials=WORKERS,
                **settings,
            ),
            run_config=library.RunConfig(storage_path=name, verbose=0, callbacks=[Note()]),
        ).fit()
    assert len(moments) == trials
    return rate_of(moments)


def _start() -> None:
    import ray

    logging.disable(logging.WARNING)
    ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, logging_level="ERROR")


def main(arguments: list[str]) -> None:
    """Run each, and compare; with a name, run it and print its rate."""
    if arguments:
        print(f"rate {globals()[arguments[0]]()}")
        return
    rates = {}
    for name in JOBS:
        done = subprocess.run(
            [sys.executable, __file__, name], stdout=subprocess.PIPE, text=True, check=True
        )
        rates[name] = float(done.stdout.rpartition("rate ")[2])
        say(f"{name}, {WORKERS} workers", f"{rates[name]:,.1f} a second")
    say("hpo-ray / tasks of Ray alone", f"{rates['hpo'] / rates['tasks']:.2f}", ">= 0.8")
    say("hpo-ray / calls of Ray actors alone", f"{rates['hpo'] / rates['actors']:.2f}", ">= 0.8")
    say("hpo-ray / Ray Tune for short trials", f"{rates['hpo'] / rates['tune']:.0f}", ">= 20")
    say("hpo-ray / Ray Tune as it is", f"{rates['hpo'] / rates['tune_as_it_is']:,.0f}", ">= 20")


if __name__ == "__main__":
    main(sys.argv[1:])
