"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import msgspec
import nevergrad as ng
import numpy as np
import pytest
from hpo_nevergrad.options import (
    PSO,
    TBPSA,
    NGOpt,
    OnePlusOne,
    Options,
    Registry,
    ScrHammersleySearch,
    TwoPointsDE,
)
from hpo_nevergrad.plugin import build

from hpo_core.plugin import Float, InvalidInput, Report, SearchSpace, Start, Status, Strategy, Wait
from hpo_core.testing import (
    SHORT_CHECKS,
    VALLEY,
    InstalledContract,
    other_defaults,
    suggestions,
    valley,
    valley_points,
)


def ours(options: Options, trials: int) -> list[list[float]]:
    return valley_points(build(VALLEY, options), trials)


class TestNGOpt(InstalledContract):
    strategy = "nevergrad:ngopt"
    examples = 1
    long_runs = ()
    checks = SHORT_CHECKS


class TestDE(InstalledContract):
    strategy = "nevergrad:de"
    given = {"budget": 100}
    examples = 3
    long_runs = (30,)


@pytest.mark.quick
class TestOnePlusOne(InstalledContract):
    strategy = "nevergrad:oneplusone"
    examples = 2
    long_runs = ()
    checks = SHORT_CHECKS


@pytest.mark.quick
@pytest.mark.parametrize(
    ("options", "name"),
    [
        (NGOpt(), "NGOpt"),
        (NGOpt(budget=1000), "NGOpt"),
        (TwoPointsDE(), "TwoPointsDE"),
        (PSO(), "PSO"),
        (OnePlusOne(), "OnePlusOne"),
        (TBPSA(), "TBPSA"),
        (ScrHammersleySearch(budget=60), "ScrHammersleySearch"),
        (Registry(name="CMA"), "CMA"),
    ],
    ids=str,
)
def test_suggestions_are_those_of_its_own_loop(options: Options, name: str) -> None:
    space = ng.p.Tuple(ng.p.Scalar(lower=0.0, upper=1.0), ng.p.Scalar(lower=0.0, upper=1.0))
    space.random_state = np.random.RandomState(7)
    native = ng.optimizers.registry[name](space, budget=options.budget, num_workers=1)
    found = []
    np.random.seed(7)  # pycma draws from the global stream
    for _ in range(60):
        candidate = native.ask()
        native.tell(candidate, valley(*candidate.value))
        if list(candidate.value) not in found:  # hpo-core tries no configuration twice
            found.append(list(candidate.value))
    assert ours(options, len(found)) == found


def test_the_surrogate_model_of_ngopt_runs_with_the_numpy_that_is_installed() -> None:
    space = SearchSpace((Float("x", 0.0, 1.0),))
    strategy = build(msgspec.structs.replace(VALLEY, space=space), NGOpt())
    found = suggestions(strategy, lambda c: (c["x"] - 0.3) ** 2, 40)  # type: ignore[operator]
    assert min(abs(c["x"] - 0.3) for c in found) < 1e-3  # type: ignore[operator]


def final(trial_id: int, loss: float | None) -> Report:
    return Report(
        trial_id=trial_id,
        job_id=f"{trial_id}.1",
        losses=None if loss is None else (loss,),
        status=Status.FAILED if loss is None else Status.COMPLETED,
    )


def one_worker() -> Strategy:
    """An optimizer that takes one configuration at a time: NGOpt chooses Cobyla here."""
    return build(msgspec.structs.replace(VALLEY, workers=1), NGOpt(budget=12))


def test_a_sequential_optimizer_is_not_asked_before_its_candidate_has_a_loss() -> None:
    strategy = one_worker()
    assert isinstance(strategy.ask(1), Start)
    assert strategy.ask(2) == Wait()
    strategy.tell(final(1, 0.5))
    assert isinstance(strategy.ask(2), Start)


def test_a_sequential_optimizer_goes_on_after_a_first_job_that_failed() -> None:
    strategy = one_worker()
    for trial_id, loss in enumerate([None, None, 0.5, 0.4, 0.3], 1):
        assert isinstance(strategy.ask(trial_id), Start)
        strategy.tell(final(trial_id, loss))


def test_a_sequential_optimizer_refuses_several_workers() -> None:
    with pytest.raises(InvalidInput, match="Cobyla takes one configuration at a time, not 4"):
        build(msgspec.structs.replace(VALLEY, workers=4), Registry(name="Cobyla"))


def test_cma_takes_a_single_number_without_fcmaes_and_so_do_later_studies_of_the_process() -> None:
    before = ours(Registry(name="CMA"), 9)
    single = msgspec.structs.replace(VALLEY, space=SearchSpace((Float("x", 0.0, 1.0),)))
    found = suggestions(build(single, Registry(name="CMA")), lambda c: abs(c["x"] - 0.3), 60)  # type: ignore[operator]
    assert min(abs(c["x"] - 0.3) for c in found) < 1e-2  # type: ignore[operator]
    assert ours(Registry(name="CMA"), 9) == before


def test_a_sequence_without_a_budget_is_refused() -> None:
    with pytest.raises(InvalidInput, match="budget: the sequence is spread over it"):
        build(VALLEY, ScrHammersleySearch())


def test_a_name_that_the_registry_lacks_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InvalidInput, match="no optimizer 'TwoPointDE'; did you mean 'TwoPointsDE'"):
        build(VALLEY, Registry(name="TwoPointDE"))


def test_the_defaults_are_those_of_the_library() -> None:
    function = ng.optimizers.base.Optimizer.__init__
    assert other_defaults(TwoPointsDE, function, own={"num_workers"}) == []
