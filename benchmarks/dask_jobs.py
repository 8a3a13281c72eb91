"""Jobs on Dask: through hpo-dask, and by `client.submit` alone, on the same Dask workers.

The Dask workers are processes of a thread each, under a scheduler in its own process. Each
side is a process, too. The jobs of the first half are not measured: in that time Dask sends the
function to its workers, and those of hpo-dask start; their first jobs wait for each other, so that
all of them run when the second half begins. Dask alone does what a search has to
do: it keeps as many calls under way as there are workers, and makes the next one when one has
ended.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from common import config, say, trivial

NAP = 0.2
SIDES = {"trivial": (4, 4_000), "nap": (16, 320)}
"""For each kind of job the numbers of Dask workers and of jobs, of which the last half count."""


def nap(configuration: dict[str, Any]) -> float:
    """Be a job that takes a while and no processor."""
    if "BENCH_GATHER" in os.environ:
        gather(Path(os.environ["BENCH_GATHER"]))
    time.sleep(NAP)
    return trivial(configuration)


@functools.cache
def gather(folder: Path) -> None:
    """Wait until all workers have come here, once in each process."""
    (folder / str(os.getpid())).touch()
    while len(os.listdir(folder)) < SIDES["nap"][0]:
        time.sleep(0.01)


def rate_of(moments: list[float]) -> float:
    """Return ends per second in the last half of them."""
    half = moments[len(moments) // 2 :]
    return (len(half) - 1) / (half[-1] - half[0])


def hpo(kind: str, address: str) -> float:
    """Return jobs per second through hpo-dask."""
    import msgspec

    from hpo_core import HyperParameterOptimizer
    from hpo_core.plugin import PluginChoice

    workers, jobs = SIDES[kind]
    function = "dask_jobs:nap" if kind == "nap" else "common:trivial"
    moments: list[float] = []
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as gathering:
        job = {"function": function, "environment": {"BENCH_GATHER": gathering}}
        study = msgspec.structs.replace(
            config(jobs, backend="dask", workers=workers, **job),
            backend=PluginChoice("dask", {"address": address, "upload": False}),
        )
        with HyperParameterOptimizer(study, store=Path(name) / "hpo.db") as optimizer:
            began = time.perf_counter()
            optimizer.run(on_job_finished=lambda _: moments.append(time.perf_counter()))
    assert len(moments) == jobs
    print(f"start {moments[0] - began}")
    return rate_of(moments)


def bare(kind: str, address: str) -> float:
    """Return calls per second of Dask alone, with as many under way as there are workers."""
    from distributed import Client, as_completed

    logging.disable(logging.WARNING)
    workers, jobs = SIDES[kind]
    call: Callable[[dict[str, Any]], float] = nap if kind == "nap" else trivial
    told = {"x": 0.25, "depth": 3, "kind": "tree"}  # what random search returns, for nothing
    moments = []
    with Client(address) as client:
        running = as_completed(client.submit(call, told, pure=False) for _ in range(workers))
        left = jobs - workers
        for future in running:
            future.result()
            moments.append(time.perf_counter())
            if left > 0:
                left -= 1
                running.add(client.submit(call, told, pure=False))
    assert len(moments) == jobs
    return rate_of(moments)


def cluster(kind: str) -> None:
    """Start a cluster, print its address, and hold it until standard input is closed."""
    from distributed import LocalCluster

    logging.disable(logging.WARNING)
    with LocalCluster(
        n_workers=SIDES[kind][0], threads_per_worker=1, dashboard_address=None
    ) as held:
        print(held.scheduler_address, flush=True)
        sys.stdin.read()


@contextlib.contextmanager
def running_cluster(kind: str) -> Iterator[str]:
    """Start a cluster in its own process, and return its address."""
    with subprocess.Popen(
        [sys.executable, __file__, "cluster", kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


def measured(side: str, kind: str, address: str) -> dict[str, float]:
    """Run one side in its own process, and return what it prints."""
    done = subprocess.run(
        [sys.executable, __file__, side, kind, address],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    return {words[0]: float(words[1]) for words in lines if len(words) == 2}


def main(kinds: Collection[str]) -> None:
    """Run both sides with some kinds of jobs, all by default, and compare."""
    targets = {"trivial": ">= 0.80", "nap": ">= 0.95"}
    for kind in kinds or SIDES:
        workers, jobs = SIDES[kind]
        what = f"{jobs // 2} {'trivial jobs' if kind == 'trivial' else f'jobs of {NAP} s'}"
        with running_cluster(kind) as address:
            alone = measured("bare", kind, address)
            through = measured("hpo", kind, address)
        say(f"{what}, {workers} workers: client.submit alone", f"{alone['rate']:,.1f} a second")
        say(f"{what}, {workers} workers: hpo-dask", f"{through['rate']:,.1f} a second")
        say(
            "hpo-dask / client.submit alone",
            f"{through['rate'] / alone['rate']:.3f}",
            targets[kind],
        )
        say("hpo-dask: until the first job has ended", f"{through['start']:.1f} s")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["cluster", kind]:
            cluster(kind)
        case ["hpo", kind, address]:
            print(f"rate {hpo(kind, address)}")
        case ["bare", kind, address]:
            print(f"rate {bare(kind, address)}")
        case kinds:
            main(kinds)
