"""Parity with hpbandster: the same study run by hpbandster (`native.py`) and by the strategy.

hpbandster runs as usual, in a separate process with a time limit; here the strategy is asked and
told, with one worker. Budgets are compared in hpbandster's units.
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hpo_bohb.options import Bandit, BOHBOptions, HyperBandOptions, RandomOptions
from hpo_bohb.plugin import build

from hpo_core.plugin import (
    Categorical,
    Constant,
    Exhausted,
    Float,
    Int,
    Objective,
    Problem,
    Report,
    Resume,
    SearchSpace,
    Start,
    Status,
)

NATIVE = Path(__file__).parent / "native.py"
LIMIT = 120.0
"""Seconds after which a native run has failed."""

native = runpy.run_path(str(NATIVE))

LR = Float("lr", 1e-4, 1e-1, log=True)
MOMENTUM = Float("momentum", 0.0, 0.99)
UNITS = Int("units", 4, 512, log=True)
DEPTH = Int("depth", 1, 9)
KIND = Categorical("kind", ("sgd", "adam", "none"))

SPACES = {
    "numbers": SearchSpace((LR, MOMENTUM, UNITS)),
    "mixed": SearchSpace((LR, DEPTH, KIND, Constant("fixed", "yes"))),
    "conditional": SearchSpace(
        (
            LR,
            Float("momentum", 0.0, 0.99, when={"kind": "sgd"}),
            Int("depth", 1, 9, when={"kind": ("sgd", "adam")}),
            KIND,
            UNITS,
        )
    ),
    "forbidden": SearchSpace((LR, DEPTH, KIND), ({"kind": "adam", "depth": (1, 2, 3)},)),
}

VARIANTS: Mapping[str, type[Bandit]] = {
    "bohb": BOHBOptions,
    "hyperband": HyperBandOptions,
    "random": RandomOptions,
}


class Compared(NamedTuple):
    """Two runs that were the same.

    Attributes:
        evaluations: How many evaluations they had.
        picks: How many configurations the model picked.
    """

    evaluations: int
    picks: int


def natively(study: Mapping[str, Any]) -> list[Any]:
    """Return the evaluations of hpbandster's own run."""
    run = subprocess.run(
        [sys.executable, NATIVE, json.dumps(study)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
    )
    evaluations: list[Any] = json.loads(run.stdout)
    return evaluations


def here(study: Mapping[str, Any], *, resume: bool) -> tuple[list[Any], int]:
    """Return the evaluations of the strategy, and how many picks were the model's."""
    kind = VARIANTS[study["variant"]]
    ours = {} if kind is RandomOptions else {"resume": resume}
    problem = Problem(
        space=SPACES[study["space"]],
        objectives=(Objective("loss", "minimize"),),
        seed=study["seed"],
        min_iterations=native["LEAST"],
        max_iterations=native["MOST"],
    )
    strategy = build(problem, kind(n_iterations=study["brackets"], **study["options"], **ours))
    configurations: dict[int, Any] = {}
    evaluations = []
    picks = 0
    while not isinstance(answer := strategy.ask(len(configurations) + 1), Exhausted):
        assert isinstance(answer, Start | Resume), "with one worker nothing has to be waited for"
        if isinstance(answer, Start):
            trial_id = len(configurations) + 1
            configurations[trial_id] = dict(answer.configuration)
            picks += answer.notes["model_based"] and "promoted_from" not in answer.notes
        else:
            trial_id = answer.trial_id
        configuration, budget = configurations[trial_id], answer.notes["budget"]
        is_failed = study["fails"] and native["has_failed"](configuration, budget)
        loss = None if is_failed else native["loss_of"](configuration, budget)
        evaluations.append([answer.notes["config_id"], budget, configuration, loss])
        strategy.tell(
            Report(
                trial_id=trial_id,
                job_id=f"{trial_id}.{answer.iterations}",
                iteration=answer.iterations,
                losses=None if loss is None else (loss,),
                status=Status.FAILED if loss is None else Status.COMPLETED,
            )
        )
    return evaluations, picks


def compare(
    variant: str,
    space: str,
    seed: int,
    *,
    brackets: int,
    fails: bool = False,
    resume: bool = True,
    **options: Any,
) -> Compared:
    """Run a study both ways; fail at the first evaluation that differs."""
    study = {
        "variant": variant,
        "space": space,
        "seed": seed,
        "brackets": brackets,
        "options": options,
        "fails": fails,
    }
    theirs = natively(study)
    ours, picks = here(study, resume=resume)
    for place, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        assert one == other, f"evaluation {place + 1} of {len(theirs)}"
    assert len(ours) == len(theirs)
    return Compared(len(ours), picks)


@pytest.fixture
def parity() -> Callable[..., Compared]:
    """What compares a study's two runs: see `compare`."""
    return compare
