"""A decision of hpo-asha with 10,000 trials in a rung, compared with Optuna's pruner.

The stopping type and Optuna's successive halving pruner get the same reports alternately, and must
make the same decisions. Figures are medians of 200 decisions.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

import optuna
from common import say
from hpo_asha.options import AshaOptions, MedianOptions, Options
from hpo_asha.plugin import build

from hpo_core.plugin import (
    Configuration,
    Decision,
    Float,
    Objective,
    Problem,
    Report,
    Resume,
    SearchSpace,
    Start,
    Status,
    Strategy,
)

TRIALS = 10_000
DECISIONS = 200
PROBLEM = Problem(
    space=SearchSpace((Float("x", 0.0, 1.0),)),
    objectives=(Objective("loss", "minimize"),),
    seed=1,
    max_iterations=27,
)


def made(options: Options) -> Strategy:
    return build(PROBLEM, options)


def started(strategy: Strategy, trial: int, iterations: int | None = None) -> None:
    strategy.adopt(trial, Start(Configuration(x=0.5), iterations))


def report(trial: int, iteration: int, loss: float, status: Status = Status.RUNNING) -> Report:
    return Report(
        trial_id=trial,
        job_id=f"{trial}.1",
        iteration=iteration,
        losses=(loss,),
        status=status,
        metrics={"loss": loss},
    )


class Spent:
    """Notes what calls cost."""

    def __init__(self) -> None:
        self._seconds: list[float] = []

    def __call__(self, call: Callable[[], object]) -> object:
        began = time.perf_counter()
        result = call()
        self._seconds.append(time.perf_counter() - began)
        return result

    @property
    def microseconds(self) -> float:
        """What the middle one of the calls cost."""
        return statistics.median(self._seconds) * 1e6


def stopping_beside_optuna(losses: list[float]) -> tuple[float, float]:
    """Return what a decision to stop costs here and there, in microseconds."""
    strategy = made(AshaOptions(type="stopping"))
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
    study = optuna.create_study(pruner=pruner)
    ours, theirs = Spent(), Spent()
    for trial, loss in enumerate(losses[:TRIALS], 1):
        started(strategy, trial)
        strategy.tell(report(trial, 1, loss))
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.PRUNED,
                value=loss,
                intermediate_values={1: loss},
                system_attrs={"completed_rung_0": loss},  # what the pruner keeps of a trial
            )
        )
    for trial, loss in enumerate(losses[TRIALS:], TRIALS + 1):
        started(strategy, trial)
        told = report(trial, 1, loss)
        other = study.ask()

        def decide(told: Report = told) -> Decision:
            return strategy.tell(told)

        def prune(other: optuna.Trial = other, loss: float = loss) -> bool:
            other.report(loss, 1)
            return bool(other.should_prune())

        assert (ours(decide) is Decision.STOP) is theirs(prune)
    return ours.microseconds, theirs.microseconds


def promoting(losses: list[float]) -> float:
    """Return what it costs to take a trial in at a rung, and to say what is next."""
    strategy = made(AshaOptions())
    spent = Spent()
    for trial, loss in enumerate(losses, 1):
        started(strategy, trial, 1)
        told = report(trial, 1, loss, Status.COMPLETED)

        def decide(told: Report = told, trial: int = trial) -> object:
            strategy.tell(told)
            answer = strategy.ask(2 * TRIALS + trial)
            return isinstance(answer, Resume)

        if trial > TRIALS:
            spent(decide)
        else:
            strategy.tell(told)
    return spent.microseconds


def by_the_median(losses: list[float]) -> float:
    """Return the time of a decision, given a number of completed trials."""
    strategy = made(MedianOptions())
    spent = Spent()
    for trial, loss in enumerate(losses, 1):
        started(strategy, trial)
        for iteration in (1, 2, 3):
            told = report(trial, iteration, loss)
            if trial > TRIALS:
                spent(lambda told=told: strategy.tell(told))
            else:
                strategy.tell(told)
        if trial <= TRIALS:
            strategy.tell(report(trial, 3, loss, Status.COMPLETED))
    return spent.microseconds


def main() -> None:
    """Print the figures."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    drawn = random.Random(1)
    losses = [drawn.random() for _ in range(TRIALS + DECISIONS)]
    ours, theirs = stopping_beside_optuna(losses)
    say("asha, stopping, 10,000 in a rung: a decision", f"{ours:.1f} us", "< 20 us")
    say("Optuna's SuccessiveHalvingPruner, the same", f"{theirs:,.0f} us")
    say("Optuna / asha", f"{theirs / ours:,.0f}")
    cost = promoting(losses)
    say("asha, promotion: handling a result, and the next suggestion", f"{cost:.1f} us", "< 20 us")
    cost = by_the_median(losses)
    say("asha:median, 10,000 completed: a decision", f"{cost:.1f} us", "< 20 us")


if __name__ == "__main__":
    main()
