"""Suggestions and stops are, one for one, those of Optuna's own ask and tell.

Each space is written twice: as a space of hpo-core, and as a function for Optuna.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import optuna
import pytest
from hpo_optuna.options import (
    GP,
    NSGA2,
    NSGA3,
    QMC,
    TPE,
    BruteForce,
    CmaEs,
    Options,
    Random,
)
from hpo_optuna.plugin import build
from hpo_optuna.pruners import (
    Asha,
    Hyperband,
    Median,
    Patient,
    Percentile,
    Pruner,
    Threshold,
    Wilcoxon,
    make_pruner,
)
from hpo_optuna.strategy import study_name
from optuna.trial import TrialState

from hpo_core.plugin import (
    Categorical,
    Constant,
    Constraint,
    Decision,
    Exhausted,
    Float,
    Int,
    Objective,
    ParameterSet,
    Problem,
    Report,
    SearchSpace,
    Start,
    Status,
)

SEED = 7
Values = Mapping[str, Any]
Define = Callable[[optuna.Trial], dict[str, Any]]

MINIMIZE = (Objective("loss", "minimize"),)
TWO = (Objective("loss", "minimize"), Objective("gain", "maximize"))

CONTINUOUS = SearchSpace((Float("x", -5, 5), Float("lr", 1e-5, 1e-1, log=True), Float("y", 0, 1)))
MIXED = SearchSpace(
    (
        Categorical("model", ("linear", "tree", "net", None)),
        Int("depth", 1, 9, step=2, when={"model": "tree"}),
        Float("dropout", 0, 0.5, step=0.1, when={"model": "net"}),
        Float("lr", 1e-4, 1e-1, log=True),
        ParameterSet("data", ({"scaler": "none", "size": 1}, {"scaler": "unit", "size": 2})),
        Constant("version", 3),
        Int("units", 4, 64, log=True),
        Categorical("flag", (1, 1.0, True)),
    )
)
INTEGERS = SearchSpace((Int("a", 0, 10), Int("b", -6, 6, step=3), Int("c", 1, 1000, log=True)))
STEPPED = SearchSpace((Float("x", 0, 1, step=0.1), Float("y", -0.3, 0.6, step=0.3)))
FINITE = SearchSpace(
    (
        Categorical("model", ("tree", "net")),
        Int("depth", 1, 3, when={"model": "tree"}),
        Float("dropout", 0, 0.5, step=0.1, when={"model": "net"}),
        Int("units", 1, 5),
    )
)
WHOLE = SearchSpace((Int("a", 0, 10), Int("b", -6, 6, step=3)))


def continuous(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "x": trial.suggest_float("x", -5, 5),
        "lr": trial.suggest_float("lr", 1e-5, 1e-1, log=True),
        "y": trial.suggest_float("y", 0, 1),
    }


def mixed(trial: optuna.Trial) -> dict[str, Any]:
    values: dict[str, Any] = {
        "model": trial.suggest_categorical("model", ["linear", "tree", "net", None])
    }
    if values["model"] == "tree":
        values["depth"] = trial.suggest_int("depth", 1, 9, step=2)
    if values["model"] == "net":
        values["dropout"] = round(trial.suggest_float("dropout", 0, 0.5, step=0.1), 9)
    values["lr"] = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    data = trial.suggest_categorical("data", ["raw", "scaled"])
    values |= {"scaler": "none", "size": 1} if data == "raw" else {"scaler": "unit", "size": 2}
    values["version"] = 3
    values["units"] = trial.suggest_int("units", 4, 64, log=True)
    flag = trial.suggest_categorical("flag", ["int", "float", "bool"])
    return {**values, "flag": {"int": 1, "float": 1.0, "bool": True}[flag]}


def integers(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "a": trial.suggest_int("a", 0, 10),
        "b": trial.suggest_int("b", -6, 6, step=3),
        "c": trial.suggest_int("c", 1, 1000, log=True),
    }


def stepped(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "x": round(trial.suggest_float("x", 0, 1, step=0.1), 9),
        "y": round(trial.suggest_float("y", -0.3, 0.6, step=0.3), 9),
    }


def finite(trial: optuna.Trial) -> dict[str, Any]:
    values: dict[str, Any] = {"model": trial.suggest_categorical("model", ["tree", "net"])}
    if values["model"] == "tree":
        values["depth"] = trial.suggest_int("depth", 1, 3)
    else:
        values["dropout"] = round(trial.suggest_float("dropout", 0, 0.5, step=0.1), 9)
    return {**values, "units": trial.suggest_int("units", 1, 5)}


def whole(trial: optuna.Trial) -> dict[str, Any]:
    return {"a": trial.suggest_int("a", 0, 10), "b": trial.suggest_int("b", -6, 6, step=3)}


INFINITE = {
    "continuous": (CONTINUOUS, continuous),
    "mixed": (MIXED, mixed),
    "integers": (INTEGERS, integers),
}
ENDING = {"stepped": (STEPPED, stepped), "finite": (FINITE, finite), "whole": (WHOLE, whole)}


def numbers(values: Values) -> list[float]:
    return [
        (len(value) if isinstance(value, str) else float(value or 0)) for value in values.values()
    ]


def loss(values: Values) -> float:
    return sum((place + 1) * (x - 1) ** 2 for place, x in enumerate(numbers(values))) ** 0.5


def gain(values: Values) -> float:
    return sum(math.sin(x) for x in numbers(values))


def measured(values: Values, objectives: tuple[Objective, ...]) -> dict[str, float]:
    both = {"loss": loss(values), "gain": gain(values)}
    return {objective.metric: both[objective.metric] for objective in objectives}


def sampler(options: Options, **arguments: Any) -> optuna.samplers.BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        made: optuna.samplers.BaseSampler = getattr(optuna.samplers, options.optuna)(
            seed=SEED, **arguments
        )
    return made


def moves(trials: int, pending: int) -> Iterator[tuple[str, int]]:
    """Yield asks, and tells in shuffled order, with up to `pending` trials running."""
    shuffled = random.Random(3)
    running: list[int] = []
    for number in range(trials):
        if len(running) == pending:
            yield "tell", running.pop(shuffled.randrange(pending))
        yield "ask", number
        running.append(number)
    for number in running:
        yield "tell", number


def ours(
    options: Options,
    space: SearchSpace,
    trials: int,
    pending: int = 1,
    objectives: tuple[Objective, ...] = MINIMIZE,
    fails: bool = False,
) -> list[dict[str, Any]]:
    strategy = build(Problem(space=space, objectives=objectives, seed=SEED), options)
    asked: list[dict[str, Any]] = []
    for move, number in moves(trials, pending):
        if move == "ask":
            answer = strategy.ask(number + 1)
            if isinstance(answer, Exhausted):
                break
            assert isinstance(answer, Start)
            assert space.wrong(answer.configuration) == []
            asked.append(dict(answer.configuration))
        else:
            metrics = measured(asked[number], objectives)
            losses = tuple(each.loss(metrics[each.metric]) for each in objectives)
            failed = fails and number % 10 == 9
            strategy.tell(
                Report(
                    trial_id=number + 1,
                    job_id=f"{number + 1}.1",
                    losses=None if failed else losses,
                    status=Status.FAILED if failed else Status.COMPLETED,
                    metrics={**metrics, "memory": gain(asked[number])},
                )
            )
    return asked


def theirs(
    made: optuna.samplers.BaseSampler,
    define: Define,
    trials: int,
    pending: int = 1,
    objectives: tuple[Objective, ...] = MINIMIZE,
    fails: bool = False,
    constraint: float | None = None,
) -> list[dict[str, Any]]:
    study = optuna.create_study(
        sampler=made,
        directions=[each.direction for each in objectives],
        study_name=study_name(SEED),
    )
    asked: list[dict[str, Any]] = []
    running: dict[int, optuna.Trial] = {}
    for move, number in moves(trials, pending):
        if move == "ask":
            running[number] = study.ask()
            asked.append(define(running[number]))
        elif fails and number % 10 == 9:
            study.tell(running.pop(number), state=TrialState.FAIL)
        else:
            trial = running.pop(number)
            if constraint is not None:
                trial.set_constraint("memory", gain(asked[number]) - constraint)
            try:
                study.tell(trial, list(measured(asked[number], objectives).values()))
            except RuntimeError:  # brute force is at its end
                break
    return asked


@pytest.fixture(autouse=True)
def _quiet_optuna() -> Iterator[None]:
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(level)


# -- each sampler ----------------------------------------------------------------------------

VARIANTS: dict[str, tuple[Options, dict[str, Any]]] = {
    "tpe": (TPE(), {}),
    "tpe, grouped": (TPE(group=True), {"group": True}),
    "tpe, univariate": (TPE(multivariate=False), {"multivariate": False}),
    "cmaes": (CmaEs(), {}),
    "cmaes, separable": (CmaEs(use_separable_cma=True), {"use_separable_cma": True}),
    "cmaes, adaptive": (CmaEs(lr_adapt=True), {"lr_adapt": True}),
    "nsga2": (NSGA2(population_size=12), {"population_size": 12}),
    "nsga3": (NSGA3(population_size=12), {"population_size": 12}),
    "qmc": (QMC(), {}),
    "qmc, scrambled": (
        QMC(qmc_type="halton", scramble=True),
        {"qmc_type": "halton", "scramble": True},
    ),
    "random": (Random(), {}),
}


ONCE_EACH = ("tpe", "cmaes", "nsga2", "nsga3", "qmc", "random")


@pytest.mark.parametrize("space", INFINITE)
@pytest.mark.parametrize("variant", ONCE_EACH)
def test_two_hundred_configurations_are_those_of_optuna(variant: str, space: str) -> None:
    if variant == "cmaes":
        pytest.importorskip("cmaes")
    options, arguments = VARIANTS[variant]
    searched, define = INFINITE[space]
    mine = ours(options, searched, 200)
    assert len(mine) == 200
    assert mine == theirs(sampler(options, **arguments), define, 200)


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name not in ONCE_EACH])
def test_options_reach_the_sampler(variant: str) -> None:
    if variant.startswith("cmaes"):
        pytest.importorskip("cmaes")
    options, arguments = VARIANTS[variant]
    mine = ours(options, MIXED, 60)
    assert mine == theirs(sampler(options, **arguments), mixed, 60)
    assert mine != ours(VARIANTS[variant.partition(",")[0]][0], MIXED, 60)


@pytest.mark.parametrize("space", INFINITE)
def test_a_gaussian_process_suggests_what_it_suggests_in_optuna(space: str) -> None:
    """With 9 trials in place of 200: each that is modelled takes about a second."""
    pytest.importorskip("torch")
    searched, define = INFINITE[space]
    made = sampler(GP(), n_startup_trials=5)
    assert ours(GP(n_startup_trials=5), searched, 9, 2) == theirs(made, define, 9, 2)


@pytest.mark.parametrize("space", ENDING)
def test_brute_force_goes_through_all_in_optunas_order(space: str) -> None:
    searched, define = ENDING[space]
    mine = ours(BruteForce(), searched, 200)
    assert mine == theirs(sampler(BruteForce()), define, 200)
    assert len({str(values) for values in mine}) == len(mine)


@pytest.mark.parametrize("variant", ["tpe", "tpe, grouped", "cmaes", "nsga2", "qmc"])
def test_three_pending_trials_shuffled_tells_and_failures_change_nothing(variant: str) -> None:
    if variant.startswith("cmaes"):
        pytest.importorskip("cmaes")
    options, arguments = VARIANTS[variant]
    mine = ours(options, MIXED, 70, 3, fails=True)
    assert mine == theirs(sampler(options, **arguments), mixed, 70, 3, fails=True)


@pytest.mark.parametrize("variant", ["tpe", "nsga2", "nsga3", "qmc", "random"])
def test_with_two_objectives_each_in_its_own_direction(variant: str) -> None:
    options, arguments = VARIANTS[variant]
    mine = ours(options, MIXED, 80, objectives=TWO)
    assert mine == theirs(sampler(options, **arguments), mixed, 80, objectives=TWO)


@pytest.mark.parametrize("kind", [TPE, NSGA2])
def test_with_a_constraint_on_a_metric(kind: type[Any]) -> None:
    options = kind(constraints=(Constraint("memory", bound=0.5),))
    mine = ours(options, CONTINUOUS, 120)
    assert mine == theirs(sampler(options), continuous, 120, constraint=0.5)
    assert mine != ours(kind(), CONTINUOUS, 120)


@pytest.mark.parametrize("kind", [TPE, CmaEs, NSGA2, QMC, Random])
def test_with_fixed_parameters_the_others_are_searched_as_in_optuna(kind: type[Any]) -> None:
    if kind is CmaEs:
        pytest.importorskip("cmaes")
    options = kind(fixed={"model": "net", "units": 8, "scaler": "unit", "size": 2})
    made = sampler(options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fixed = {"model": "net", "units": 8, "data": "scaled"}
        partial = optuna.samplers.PartialFixedSampler(fixed, made)
    mine = ours(options, MIXED, 60)
    assert mine == theirs(partial, mixed, 60)
    assert {(each["model"], each["units"], each["size"]) for each in mine} == {("net", 8, 2)}


# -- each pruner -----------------------------------------------------------------------------

PRUNERS: dict[str, Pruner] = {
    "median": Median(n_startup_trials=3),
    "percentile": Percentile(percentile=30.0, n_startup_trials=3, n_warmup_steps=2),
    "asha": Asha(min_resource=1, reduction_factor=2),
    "asha, auto": Asha(),
    "hyperband": Hyperband(min_resource=1, max_resource=12, reduction_factor=2),
    "hyperband, auto": Hyperband(),
    "patient": Patient(patience=1),
    "patient, wrapped": Patient(patience=1, wrapped_pruner=Median(n_startup_trials=2)),
    "threshold": Threshold(upper=9.0, lower=0.5, n_warmup_steps=1),
    "wilcoxon": Wilcoxon(p_threshold=0.3),
}
STEPS = 12


def curve(values: Values, step: int) -> float:
    """A learning curve, with bumps."""
    return loss(values) * (1 + 2 / step) + 0.8 * math.sin(7 * step + numbers(values)[0])


def stops_of_ours(
    pruner: Pruner, trials: int, objective: Objective
) -> tuple[list[int | None], list[dict[str, Any]]]:
    strategy = build(
        Problem(space=CONTINUOUS, objectives=(objective,), seed=SEED), TPE(pruner=pruner)
    )
    stops: list[int | None] = []
    asked = []
    for trial_id in range(1, trials + 1):
        answer = strategy.ask(trial_id)
        assert isinstance(answer, Start)
        asked.append(dict(answer.configuration))
        status, stop, seen = Status.COMPLETED, None, []
        for step in range(1, STEPS + 1):
            value = curve(answer.configuration, step) * (
                -1 if objective.direction == "maximize" else 1
            )
            seen.append(objective.loss(value))
            counts = min(seen) if objective.value == "best" else seen[-1]
            report = Report(
                trial_id=trial_id,
                job_id="j",
                iteration=step,
                losses=(counts,),
                metrics={objective.metric: value},
            )
            if strategy.tell(report) is Decision.STOP:
                status, stop = Status.STOPPED, step
                break
        strategy.tell(
            Report(trial_id=trial_id, job_id="j", iteration=step, losses=(counts,), status=status)
        )
        stops.append(stop)
    return stops, asked


def stops_of_theirs(
    pruner: Pruner, trials: int, objective: Objective, reports_best: bool
) -> tuple[list[int | None], list[dict[str, Any]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = make_pruner(pruner)
    study = optuna.create_study(
        sampler=sampler(TPE()),
        pruner=made,
        direction=objective.direction,
        study_name=study_name(SEED),
    )
    best = max if objective.direction == "maximize" else min
    stops: list[int | None] = []
    asked = []
    for _ in range(trials):
        trial = study.ask()
        asked.append(continuous(trial))
        stop, seen = None, []
        for step in range(1, STEPS + 1):
            value = curve(asked[-1], step) * (-1 if objective.direction == "maximize" else 1)
            seen.append(value)
            trial.report(best(seen) if reports_best else value, step)
            if trial.should_prune():
                stop = step
                break
        if stop is None:
            study.tell(trial, best(seen) if objective.value == "best" else seen[-1])
        else:
            study.tell(trial, state=TrialState.PRUNED)
        stops.append(stop)
    return stops, asked


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("name", PRUNERS)
def test_the_same_trials_are_stopped_at_the_same_step(name: str, direction: Any) -> None:
    if name == "wilcoxon":
        pytest.importorskip("scipy")
    objective = Objective("loss", direction)
    mine = stops_of_ours(PRUNERS[name], 25, objective)
    assert mine == stops_of_theirs(PRUNERS[name], 25, objective, reports_best=False)
    if name != "threshold" or direction == "minimize":
        assert len(set(mine[0])) > 1, "some are stopped, and some are not"


@pytest.mark.parametrize("name", PRUNERS)
def test_where_the_best_value_counts_rankers_see_the_best_so_far_and_watchers_the_metric(
    name: str,
) -> None:
    if name == "wilcoxon":
        pytest.importorskip("scipy")
    objective = Objective("loss", "minimize", "best")
    sees_best = PRUNERS[name].sees_best
    mine = stops_of_ours(PRUNERS[name], 25, objective)
    assert mine == stops_of_theirs(PRUNERS[name], 25, objective, reports_best=sees_best)
