"""Small studies that have really run, one for each case that plots must handle."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import hpo_core as hpo
from hpo_core import Categorical, Constant, Constraint, Float, Int, Objective

PARAMETERS = [
    Float("lr", 1e-4, 1.0, log=True),
    Int("hidden", 8, 64),
    Categorical("kind", ["plain", "deep"]),
    Int("depth", 2, 6, when={"kind": "deep"}),
    Constant("version", 3),
]


def train(configuration: Any, job: hpo.JobInfo) -> None:
    loss = abs(math.log10(configuration["lr"]) + 2) + configuration.get("depth", 1) / 100
    if configuration["lr"] > 0.2:
        raise ValueError(f"diverged at loss {job.trial_id}.5")
    for epoch in range(1, (job.iterations or 3) + 1):
        odd = math.nan if epoch == 1 and job.trial_id == 2 else 1 / epoch
        hpo.report(epoch, loss=loss + odd, accuracy=1 - loss / 4, size=configuration["hidden"])


def study(**more: Any) -> hpo.Study:
    """Return a study that has run."""
    given: dict[str, Any] = {
        "function": train,
        "parameters": PARAMETERS,
        "objective": "loss",
        "direction": "minimize",
        "budget": {"trials": 24},
        "backend": "inline",
        "seed": 5,
    }
    given |= more
    if not isinstance(given["objective"], str):
        del given["direction"]
    return hpo.Study(**given).run(progress=False)


@cache
def plain() -> hpo.Study:
    return study(name="plain")


@cache
def rungs() -> hpo.Study:
    return study(name="rungs", strategy="asha:hyperband", max_iterations=9)


@cache
def constrained() -> hpo.Study:
    return study(
        name="constrained",
        objective="accuracy",
        direction="maximize",
        constraints=[Constraint("size", 40.0)],
    )


@cache
def several() -> hpo.Study:
    wanted = [Objective("loss", "minimize"), Objective("size", "maximize")]
    return study(name="several", objective=wanted, constraints=[Constraint("loss", 2.5)])


HOSTILE = "<script>alert(1)</script> & </script> \"quoted\" 'a' \x1b[31m \u202e %{x} $y$"


def quick(configuration: Any) -> dict[str, float]:
    return {HOSTILE: configuration[HOSTILE]}


@cache
def hostile() -> hpo.Study:
    return study(
        name="hostile",
        function=quick,
        parameters=[Float(HOSTILE, 0, 1), Categorical("kind", [HOSTILE, "1", 1, True, None])],
        objective=HOSTILE,
        budget={"trials": 12},
    )


@cache
def new() -> hpo.Study:
    return hpo.Study(
        function=train,
        parameters=PARAMETERS,
        objective="loss",
        direction="minimize",
        name="new",
    )


ODD: list[Callable[[], hpo.Study]] = [rungs, several, hostile, new]
KINDS: list[Callable[[], hpo.Study]] = [plain, constrained, *ODD]


def close() -> None:
    """Free the studies in memory."""
    for make in KINDS:
        if make.cache_info().currsize:  # type: ignore[attr-defined]
            make().close()
            make.cache_clear()  # type: ignore[attr-defined]


def traces(figure: Any, name: str) -> Iterator[Any]:
    """Yield the traces of a figure that have a name."""
    return (trace for trace in figure.data if trace.name == name)
