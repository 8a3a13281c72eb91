"""Common parts of the benchmarks: a trivial study, a timer, and a line of the report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpo_core import (
    Budget,
    Categorical,
    Float,
    HyperParameterOptimizer,
    Int,
    Objective,
    StudyConfig,
)
from hpo_core.model.space import SearchSpace
from hpo_core.plugin import JobSettings, PluginChoice

SPACE = SearchSpace(
    (Float("x", 0.0, 1.0), Int("depth", 1, 8), Categorical("kind", ("tree", "forest", None)))
)


def trivial(configuration: dict[str, float]) -> float:
    """Cost nothing: what is measured is all around it."""
    return (configuration["x"] - 0.3) ** 2 + configuration["depth"]


def config(jobs: int, *, backend: str = "inline", workers: int = 1, **job: object) -> StudyConfig:
    """Return a study of `jobs` jobs, by random search."""
    job = job or {"function": "common:trivial"}
    return StudyConfig(
        name="bench",
        seed=1,
        strategy=PluginChoice("random"),
        objectives=(Objective("loss", "minimize"),),
        job=JobSettings(directory=str(Path(__file__).parent), **job),
        space=SPACE,
        workers=workers,
        budget=Budget(jobs=jobs),
        backend=PluginChoice(backend),
    )


def run(study: StudyConfig, store: Path | None) -> float:
    """Run a study to its end, and return how many seconds that took."""
    with HyperParameterOptimizer(study, store=store) as optimizer:
        began = time.perf_counter()
        optimizer.start()
        optimizer.wait()
        seconds = time.perf_counter() - began
        if optimizer.error is not None:
            raise optimizer.error
        completed = len(optimizer.result().trials)
        assert completed == study.budget.jobs, completed
    return seconds


@contextmanager
def stopwatch() -> Iterator[list[float]]:
    """Append the seconds of the block to the list that it is given."""
    seconds: list[float] = []
    began = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - began)


def say(what: str, figure: str, target: str = "") -> None:
    """Print one figure, with its requirement."""
    print(f"{what:<58} {figure:>16}   {target}", flush=True)
