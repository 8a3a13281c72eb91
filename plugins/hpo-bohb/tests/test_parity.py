"""With one worker and the same seed, evaluations are those of hpbandster's own run, one for one.

hpbandster runs as its users start it, in a process of its own with a time limit (`native.py`); here
the strategy is asked and told. Budgets are compared as hpbandster has them.
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hpo_bohb.options import BOHB, Bandit, HyperBand, RandomSearch
from hpo_bohb.plugin import build

from hpo_core import (
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
    "bohb": BOHB,
    "hyperband": HyperBand,
    "random": RandomSearch,
}


def natively(
    variant: str, space: str, seed: int, brackets: int, options: Mapping[str, Any]
) -> list[Any]:
    """Return the evaluations of hpbandster's own run."""
    run = subprocess.run(
        [sys.executable, NATIVE, variant, space, str(seed), str(brackets), json.dumps(options)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
    )
    evaluations: list[Any] = json.loads(run.stdout)
    return evaluations


def here(
    variant: str, space: str, seed: int, brackets: int, options: Mapping[str, Any]
) -> tuple[list[Any], int]:
    """Return the evaluations of the strategy, and how many picks were the model's."""
    problem = Problem(
        space=SPACES[space],
        objectives=(Objective("loss", "minimize"),),
        seed=seed,
        min_iterations=native["LEAST"],
        max_iterations=native["MOST"],
    )
    strategy = build(problem, VARIANTS[variant](n_iterations=brackets, **options))
    configurations: dict[int, Any] = {}
    evaluations = []
    picks = 0
    while not isinstance(answer := strategy.ask(len(configurations) + 1), Exhausted):
        assert isinstance(answer, Start | Resume), "with one worker nothing has to be waited for"
        trial_id = len(configurations) + 1
        if isinstance(answer, Start):
            configurations[trial_id] = dict(answer.configuration)
            picks += answer.notes["model_based"]
        else:
            trial_id = answer.trial_id
        configuration, budget = configurations[trial_id], answer.notes["budget"]
        loss = native["loss_of"](configuration, budget)
        evaluations.append([answer.notes["config_id"], budget, configuration, loss])
        strategy.tell(
            Report(
                trial_id=trial_id,
                job_id=f"{trial_id}.{answer.iterations}",
                iteration=answer.iterations,
                losses=(loss,),
                status=Status.COMPLETED,
            )
        )
    return evaluations, picks


def require_parity(
    variant: str, space: str, seed: int, brackets: int = 9, **options: Any
) -> tuple[int, int]:
    """Compare the runs, and return how many evaluations and how many of the model's picks."""
    theirs = natively(variant, space, seed, brackets, options)
    ours, picks = here(variant, space, seed, brackets, options)
    for place, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        assert one == other, f"evaluation {place + 1} of {len(theirs)}"
    assert len(ours) == len(theirs)
    return len(ours), picks


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("space", SPACES)
def test_170_evaluations_of_bohb_are_hpbandsters_own(space: str, seed: int) -> None:
    evaluations, picks = require_parity("bohb", space, seed)

    assert evaluations >= 150
    assert picks > 0
