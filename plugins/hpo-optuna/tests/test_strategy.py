"""OptunaStrategy: spaces, constraints, late tells, fixed parameters, errors."""

from __future__ import annotations

import itertools
import logging
import math
import random
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import optuna
import pytest
from hpo_optuna import samplers, strategy
from hpo_optuna.options import (
    GP,
    NSGA2,
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
)
from hpo_optuna.strategy import OptunaStrategy

from hpo_core.plugin import (
    Categorical,
    Configuration,
    Constraint,
    Decision,
    Exhausted,
    Float,
    Int,
    InvalidInput,
    Objective,
    ParameterSet,
    Problem,
    Report,
    SearchSpace,
    Start,
    Status,
    StrategyError,
    Unsupported,
)

X = SearchSpace((Float("x", 0, 1),))


def problem(space: SearchSpace, **more: Any) -> Problem:
    objectives = more.pop("objectives", (Objective("loss", "minimize"),))
    return Problem(space=space, objectives=objectives, seed=more.pop("seed", 7), **more)


def made(options: Options, space: SearchSpace = X, **more: Any) -> OptunaStrategy:
    return build(problem(space, **more), options)


def asked(
    strategy: OptunaStrategy, trials: int, loss: float | None = 1.0
) -> Iterator[Configuration]:
    for trial_id in range(1, trials + 1):
        answer = strategy.ask(trial_id)
        if isinstance(answer, Exhausted):
            return
        yield answer.configuration
        value = sum(float(v) for v in answer.configuration.values() if isinstance(v, int | float))
        strategy.tell(final(trial_id, value))


def final(
    trial_id: int, loss: float | None, status: Status = Status.COMPLETED, **more: Any
) -> Report:
    losses = None if loss is None else (loss,)
    return Report(trial_id=trial_id, job_id=f"{trial_id}.1", losses=losses, status=status, **more)


def running(trial_id: int, iteration: int | None, loss: float) -> Report:
    return Report(
        trial_id=trial_id,
        job_id="j",
        iteration=iteration,
        losses=(loss,),
        metrics={"loss": loss},
    )


# -- spaces ----------------------------------------------------------------------------------


def test_steps_are_exact_where_optunas_sums_are_not() -> None:
    space = SearchSpace((Float("x", 0, 1, step=0.1), Float("y", 0.1, 1.0, step=0.3)))
    seen = list(asked(made(Random(), space), 200))
    assert {c["x"] for c in seen} == {n / 10 for n in range(11)}
    assert {c["y"] for c in seen} == {0.1, 0.4, 0.7, 1.0}
    with pytest.raises(AssertionError):  # Optuna's own: 0.30000000000000004
        assert 3 * 0.1 == 0.3


@pytest.mark.parametrize("options", [TPE(n_startup_trials=5), NSGA2(population_size=5), Random()])
def test_forbidden_combinations_are_asked_for_again(options: Options) -> None:
    space = SearchSpace(
        (Categorical("a", ("p", "q", "r")), Int("n", 1, 3), Float("x", 0, 1)),
        ({"a": ("p", "q"), "n": (1, 2)}, {"n": 3, "a": "r"}),
    )
    seen = list(asked(made(options, space), 60))
    assert len(seen) == 60
    assert {(c["a"], c["n"]) for c in seen} == {("p", 3), ("q", 3), ("r", 1), ("r", 2)}


def test_a_sampler_that_keeps_to_what_is_forbidden_is_an_error_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strategy, "REFUSED_IN_A_ROW", 50)
    names = ("a", "b", "c")  # one in a million is allowed
    space = SearchSpace(
        (Float("x", 0, 1), *(Int(name, 0, 99) for name in names)),
        tuple({name: tuple(range(1, 100))} for name in names),
    )
    with pytest.raises(StrategyError, match="suggestions in a row were forbidden"):
        made(Random(), space).ask(1)


def test_a_set_is_one_choice_and_choices_keep_their_types() -> None:
    space = SearchSpace(
        (
            ParameterSet("s", tuple({"u": n, "v": -n} for n in range(4))),
            Categorical("c", (1, 1.0, True, "1", None)),
        )
    )
    seen = list(asked(made(Random(), space), 80))
    assert {(c["u"], c["v"]) for c in seen} == {(n, -n) for n in range(4)}
    assert {repr(c["c"]) for c in seen} == {"1", "1.0", "True", "'1'", "None"}


def test_whole_numbers_that_optuna_would_round_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"parameters\.n: Optuna keeps integers as floats"):
        made(Random(), SearchSpace((Int("n", 0, 2**60),)))


def test_seeds_beyond_32_bits_are_taken() -> None:
    assert list(asked(made(Random(), seed=2**40 + 5), 3)) == list(asked(made(Random(), seed=5), 3))


# -- brute force -----------------------------------------------------------------------------


def test_brute_force_needs_a_finite_space() -> None:
    with pytest.raises(
        InvalidInput, match=r"parameters\.x\.step: brute force needs a finite space"
    ):
        made(BruteForce())


def test_brute_force_visits_what_is_neither_forbidden_nor_fixed_out_once() -> None:
    space = SearchSpace((Int("a", 0, 4), Int("b", 0, 4), Int("c", 0, 2)), ({"a": 1, "c": (0, 1)},))
    seen = list(asked(made(BruteForce(fixed={"b": 2}), space), 99))
    wanted = {(a, 2, c) for a, c in itertools.product(range(5), range(3)) if a != 1 or c == 2}
    assert sorted(tuple(c.values()) for c in seen) == sorted(wanted)


def test_brute_force_is_exhausted_though_trials_still_run() -> None:
    searched = made(BruteForce(), SearchSpace((Int("n", 1, 3),)))
    searched.adopt(1, Start(Configuration(n=2)))
    assert {searched.ask(2).configuration["n"], searched.ask(3).configuration["n"]} == {1, 3}
    assert searched.ask(4) == searched.ask(4) == Exhausted()
    searched.adopt(4, Start(Configuration(n=2)))
    assert searched.ask(5) == Exhausted()


# -- reports ---------------------------------------------------------------------------------


def test_what_comes_late_repeated_or_from_a_stranger_changes_nothing() -> None:
    one, other = made(TPE(pruner="median")), made(TPE(pruner="median"))
    for each in (one, other):
        each.ask(1)
        each.tell(running(1, 1, 0.5))
        each.tell(final(1, 0.5))
    for report in (
        running(1, 2, 9.0),
        final(1, 9.0),
        final(1, None, Status.FAILED),
        final(77, 1.0),
    ):
        assert one.tell(report) is Decision.CONTINUE
    assert one.ask(2) == other.ask(2)


def test_a_trial_that_was_stopped_stays_so() -> None:
    searched = made(TPE(pruner=Threshold(upper=1.0)))
    searched.ask(1)
    decisions = [
        searched.tell(running(1, step, loss)) for step, loss in ((1, 0.5), (2, 2.0), (3, 0.1))
    ]
    assert decisions == [Decision.CONTINUE, Decision.STOP, Decision.STOP]


def test_a_pruner_is_not_asked_before_the_least_iteration() -> None:
    searched = made(TPE(pruner=Threshold(upper=1.0)), min_iterations=3)
    searched.ask(1)
    assert [searched.tell(running(1, step, 2.0)) for step in (1, 2, 3)] == [
        Decision.CONTINUE,
        Decision.CONTINUE,
        Decision.STOP,
    ]


def test_reports_without_an_iteration_or_the_metric_are_not_the_pruners() -> None:
    searched = made(TPE(pruner=Threshold(upper=1.0)))
    searched.ask(1)
    assert searched.tell(running(1, None, 2.0)) is Decision.CONTINUE
    other = Report(trial_id=1, job_id="j", iteration=1, losses=(2.0,), metrics={"other": 2.0})
    assert searched.tell(other) is Decision.CONTINUE


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (Status.COMPLETED, "COMPLETE"),
        (Status.STOPPED, "PRUNED"),
        (Status.FAILED, "FAIL"),
        (Status.TIMED_OUT, "FAIL"),
    ],
)
def test_each_end_of_a_trial_has_its_state_in_optuna(status: Status, state: str) -> None:
    searched = made(TPE())
    searched.ask(1)
    counts = status in (Status.COMPLETED, Status.STOPPED)
    searched.tell(final(1, 0.25 if counts else None, status, iteration=4))
    (trial,) = searched._study.trials
    assert trial.state.name == state
    assert trial.value == (0.25 if counts else None)


# -- constraints -----------------------------------------------------------------------------


def test_constraints_are_told_as_what_exceeds_their_bounds() -> None:
    searched = made(TPE(constraints=("memory", Constraint("time", 2.0))))
    searched.ask(1)
    early = Report(trial_id=1, job_id="j", iteration=1, metrics={"memory": -1.0, "time": 9.0})
    searched.tell(early)
    searched.tell(final(1, 0.5, metrics={"time": 3.5}))
    assert searched._study.trials[0].constraints == {"memory": -1.0, "time": 1.5}


def test_unreported_constraint_fails_the_trial_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    searched = made(TPE(constraints=("memory",)))
    searched.ask(1)
    with caplog.at_level(logging.WARNING):
        searched.tell(final(1, 0.5))
    assert searched._study.trials[0].state.name == "FAIL"
    assert "trial 1 reported no number for 'memory'" in caplog.text


def test_the_studys_own_constraints_are_told_as_well() -> None:
    options = TPE(constraints=(Constraint("memory", 1.0), "time"))
    searched = made(options, constraints=(Constraint("memory", 1.0),))
    searched.ask(1)
    searched.tell(final(1, 0.5, metrics={"memory": 0.5, "time": -2.0}))
    assert searched._study.trials[0].constraints == {"memory": -0.5, "time": -2.0}


# -- options ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (TPE(fixed={"y": 1}), r"fixed\.y: there is no parameter 'y'"),
        (TPE(fixed={"x": 2.0}), r"fixed\.x: x lies between"),
        (NSGA2(population_size=1), "population_size must be greater than or equal to 2"),
        (TPE(multivariate=False, group=True), "group option can only be enabled"),
        (CmaEs(use_separable_cma=True, with_margin=True), "do not support"),
        (TPE(pruner=Percentile(percentile=120.0)), "pruner: Percentile must be between 0 and 100"),
        (TPE(pruner=Threshold()), "pruner: Either lower or upper must be specified"),
        (TPE(pruner=Asha(reduction_factor=1)), "pruner: The value of reduction_factor is 1"),
    ],
)
def test_unfit_options_are_refused_with_the_reason(options: Options, message: str) -> None:
    if isinstance(options, CmaEs):
        pytest.importorskip("cmaes")
    with pytest.raises(InvalidInput, match=message):
        made(options)


def test_a_set_is_fixed_as_a_whole() -> None:
    space = SearchSpace((ParameterSet("s", ({"u": 1, "v": 2}, {"u": 3, "v": 4})), Float("x", 0, 1)))
    with pytest.raises(InvalidInput, match=r"fixed\.u: fix v as well: they are one set"):
        made(TPE(fixed={"u": 1}), space)
    with pytest.raises(InvalidInput, match="is not one of its combinations"):
        made(TPE(fixed={"u": 1, "v": 4}), space)
    seen = list(asked(made(TPE(fixed={"u": 3, "v": 4}), space), 20))
    assert {(c["u"], c["v"]) for c in seen} == {(3, 4)}


def test_a_pruner_serves_one_objective_alone() -> None:
    two = (Objective("a", "minimize"), Objective("b", "minimize"))
    with pytest.raises(InvalidInput, match="pruner: Optuna's pruners serve one objective alone"):
        made(TPE(pruner=Median()), objectives=two)


@pytest.mark.parametrize(
    ("options", "missing", "extra"),
    [(CmaEs(), "cmaes", "cmaes"), (GP(), "scipy and torch", "gp"), (QMC(), "scipy", "qmc")],
)
def test_a_missing_package_is_an_error_that_names_the_extra(
    options: Options, missing: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samplers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Unsupported, match=rf"needs {missing}.*pip install 'hpo-optuna\[{extra}\]'"):
        made(options)


# -- quiet, and apart from the rest of the process -------------------------------------------


def test_random_draws_give_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("cmaes")
    space = SearchSpace((Categorical("kind", ("a", "b")), Float("x", 0, 1), Float("y", 0, 1)))
    with caplog.at_level(logging.WARNING):
        list(asked(made(CmaEs(), space), 20))
    (record,) = caplog.records
    assert "it draws kind at random" in record.getMessage()
    caplog.clear()
    list(asked(made(CmaEs(warn_independent_sampling=False), space), 20))
    assert caplog.records == []


@pytest.mark.parametrize(
    "options",
    [TPE(group=True, pruner="asha"), NSGA2(population_size=4), QMC(), Random(fixed={"x": 0.5})],
)
def test_optuna_says_nothing_and_no_global_stream_is_touched(
    options: Options, capfd: pytest.CaptureFixture[str]
) -> None:
    space = SearchSpace((Float("x", 0, 1), Int("n", 1, 5), Categorical("c", ("a", "b"))))
    level = optuna.logging.get_verbosity()
    before = random.getstate(), np.random.get_state()[1].tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(asked(made(options, space), 30))
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    assert optuna.logging.get_verbosity() == level
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "pruner",
    [Median(n_startup_trials=2), Percentile(percentile=25.0), Patient(patience=1), Wilcoxon()],
    ids=lambda one: type(one).__name__,
)
def test_nan_in_curves_causes_no_warning_of_numpy(pruner: Pruner) -> None:
    """The reason of each job reports them."""
    strategy = made(TPE(pruner=pruner), max_iterations=4)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for trial_id in range(1, 7):
            strategy.ask(trial_id)
            for iteration in range(1, 4):
                loss = math.nan if trial_id % 3 else float(iteration)
                strategy.tell(running(trial_id, iteration, loss))
            strategy.tell(final(trial_id, 1.0))
    assert caught == []


# -- pruners that can stop no job ------------------------------------------------------------


@pytest.mark.parametrize(
    ("pruner", "why"),
    [
        (
            Hyperband(min_resource=9, max_resource=3),
            "pruner.max_resource, 3, is below min_resource, 9",
        ),
        (Asha(min_resource=20), "pruner.min_resource is 20, and job.max_iterations 20"),
        (Median(n_warmup_steps=30), "pruner.n_warmup_steps is 30, and job.max_iterations 20"),
        (
            Patient(patience=2, wrapped_pruner=Hyperband(min_resource=50)),
            "pruner.wrapped_pruner.min_resource is 50, and job.max_iterations 20",
        ),
    ],
    ids=repr,
)
def test_a_pruner_that_can_stop_no_job_is_warned_of(
    pruner: Pruner, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    made(TPE(pruner=pruner), max_iterations=20)
    assert f"the pruner never stops a job: {why}" in caplog.text


@pytest.mark.parametrize("pruner", [Hyperband(), Asha(), Median(n_warmup_steps=19)], ids=repr)
def test_a_pruner_that_can_stop_jobs_is_not_warned_of(
    pruner: Pruner, caplog: pytest.LogCaptureFixture
) -> None:
    made(TPE(pruner=pruner), max_iterations=20)
    assert caplog.text == ""
