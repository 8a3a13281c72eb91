"""Random search draws independently, never repeats in a finite space, and visits all of it."""

from __future__ import annotations

import itertools
import math
import os
import random
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.plugin import (
    Asked,
    Capability,
    Categorical,
    Configuration,
    Constant,
    Decision,
    Exhausted,
    Float,
    Int,
    Lattice,
    NoOptions,
    Objective,
    ParameterSet,
    Problem,
    Report,
    SearchSpace,
    Start,
    Status,
    Strategy,
    StrategyError,
    StrategySpec,
    Told,
)

NESTED = SearchSpace(
    (
        Categorical("model", ("linear", "tree", "net")),
        Int("depth", 1, 7, step=3, when={"model": "tree"}),
        Int("layers", 1, 2, when={"model": "net"}),
        Categorical("dropout", (True, False), when={"layers": 2}),
        ParameterSet("data", ({"scaler": "none", "size": 1}, {"scaler": "unit", "size": 2})),
        Constant("version", 3),
    ),
    ({"model": "tree", "scaler": "none"}, {"layers": 1, "size": 2}),
)
CONTINUOUS = SearchSpace(
    (
        Float("lr", 1e-4, 1e-1, log=True),
        Categorical("model", ("tree", "net")),
        Float("dropout", 0, 0.5, when={"model": "net"}),
    )
)
HUNDRED = SearchSpace((Int("a", 0, 9), Int("b", 0, 9)))
SKEWED = SearchSpace((Int("n", 1, 200, log=True),))
HUGE = SearchSpace(tuple(Int(f"n{place}", 1, 1000) for place in range(4)))
FINITE = {"nested": NESTED, "hundred": HUNDRED, "skewed": SKEWED}


def spec() -> StrategySpec:
    """The strategy as the core finds it."""
    (entry,) = entry_points(group="hpo_core", name="random")
    (announced,) = entry.load().hpo_strategies()
    assert isinstance(announced, StrategySpec)
    return announced


def randomly(space: SearchSpace, seed: int = 7) -> Strategy:
    problem = Problem(space=space, objectives=(Objective("loss", "minimize"),), seed=seed)
    return spec().build(problem, NoOptions())


def asked(strategy: Strategy, trials: Iterable[int] | None = None) -> Iterator[Configuration]:
    for trial_id in itertools.count() if trials is None else trials:
        answer = strategy.ask(trial_id)
        if isinstance(answer, Exhausted):
            return
        assert isinstance(answer, Start)
        yield answer.configuration


# -- finite spaces ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(100))
def test_it_misses_none_of_100_points_where_others_gave_up_after_42_repeats(seed: int) -> None:
    """Known fault: random search over 100 points missed some in 89 % of runs."""
    seen = [(c["a"], c["b"]) for c in asked(randomly(HUNDRED, seed))]
    assert len(seen) == 100
    assert set(seen) == set(itertools.product(range(10), range(10)))


@pytest.mark.parametrize("space", FINITE.values(), ids=FINITE)
@pytest.mark.parametrize("seed", range(5))
def test_it_visits_all_of_a_finite_space_exactly_once(space: SearchSpace, seed: int) -> None:
    lattice = Lattice(space)
    seen = list(asked(randomly(space, seed)))
    assert sorted(map(lattice.index, seen)) == list(range(lattice.size))
    assert all(space.wrong(configuration) == [] for configuration in seen)


def test_strategy_stays_exhausted_once_all_is_seen() -> None:
    strategy = randomly(NESTED)
    trials = len(list(asked(strategy)))
    assert [strategy.ask(trials) for _ in range(3)] == [Exhausted()] * 3


def test_a_space_of_a_single_configuration_is_visited_once() -> None:
    space = SearchSpace((Constant("c", "only"),))
    assert list(asked(randomly(space))) == [Configuration(c="only")]


def test_a_point_that_was_adopted_is_not_suggested_again() -> None:
    strategy = randomly(HUNDRED)
    enqueued = [Configuration(a=place, b=place) for place in range(10)]
    for trial_id, configuration in enumerate(enqueued):
        strategy.adopt(trial_id, Start(configuration))
    seen = list(asked(strategy, itertools.count(10)))
    assert len(seen) == 90
    assert not set(seen) & set(enqueued)


def test_a_space_that_is_forbidden_nearly_everywhere_is_found_all_the_same() -> None:
    most = tuple(range(3, 20_001))
    space = SearchSpace((Int("n", 1, 20_000), Int("m", 1, 2)), ({"n": most},))
    seen = {(c["n"], c["m"]) for c in asked(randomly(space))}
    assert seen == {(1, 1), (1, 2), (2, 1), (2, 2)}


def test_memory_does_not_grow_with_a_space_of_10_to_the_12() -> None:
    tracemalloc.start()
    seen = set(asked(randomly(HUGE), range(1000)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen) == 1000
    assert peak < 2_000_000


# -- recovery: the suggestion depends on the seed, the trial and the set of what was seen -----


@given(st.data())
def test_recovery_is_exact_at_every_point(
    data: st.DataObject,
) -> None:
    space = data.draw(st.sampled_from([NESTED, SearchSpace((Int("n", 1, 12, log=True),))]))
    lattice = Lattice(space)
    steps = data.draw(st.lists(st.none() | st.integers(0, lattice.size - 1), max_size=25))
    strategy, history = randomly(space), []
    for trial_id, step in enumerate(steps):
        if step is None:
            suggestion = strategy.ask(trial_id)
            if isinstance(suggestion, Exhausted):
                break
        else:
            suggestion = Start(lattice[step])
            strategy.adopt(trial_id, suggestion)
        history.append(Asked(trial_id, suggestion, adopted=step is not None))
        report = Report(trial_id=trial_id, job_id="j", losses=(1.0,), status=Status.COMPLETED)
        history.append(Told(report, Decision.CONTINUE))
    restored = randomly(space)
    restored.restore(history, None)
    later = range(len(steps), len(steps) + 30)
    left = list(asked(strategy, later))
    assert list(asked(restored, later)) == left
    visited = [event.suggestion.configuration for event in history if isinstance(event, Asked)]
    assert {lattice.index(c) for c in [*visited, *left]} == set(range(lattice.size))


@pytest.mark.parametrize("cut", [0, 1, 15, 29])
def test_a_restart_at_15_of_30_does_not_repeat_the_first_15(cut: int) -> None:
    """Known fault: a sampler made again with its seed repeated all its configurations."""
    uninterrupted = list(asked(randomly(CONTINUOUS), range(30)))
    again = randomly(CONTINUOUS)
    again.restore([Asked(n, Start(c)) for n, c in enumerate(uninterrupted[:cut])], None)
    assert list(asked(again, range(cut, 30))) == uninterrupted[cut:]


@pytest.mark.parametrize("space", [HUNDRED, CONTINUOUS], ids=["finite", "infinite"])
def test_nothing_is_saved_since_the_history_is_enough(space: SearchSpace) -> None:
    strategy = randomly(space)
    strategy.ask(0)
    assert strategy.save_state() is None


# -- seeds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("space", [NESTED, CONTINUOUS], ids=["finite", "infinite"])
def test_the_seed_decides_and_a_global_one_does_not(space: SearchSpace) -> None:
    """Known fault: a process-wide seed made restarts repeat and two searches share a stream."""
    random.seed(1337)
    before = random.getstate()
    one, other = randomly(space, seed=1), randomly(space, seed=1)
    trials = range(8)
    paired = [(one.ask(trial_id), other.ask(trial_id)) for trial_id in trials]
    assert all(a == b for a, b in paired)
    assert random.getstate() == before
    random.seed(99)
    assert list(asked(randomly(space, seed=1), trials)) == [a.configuration for a, _ in paired]
    assert list(asked(randomly(space, seed=2), trials)) != [a.configuration for a, _ in paired]


@pytest.mark.parametrize("hash_seed", ["0", "4321"])
def test_another_process_with_another_hash_seed_draws_the_same(hash_seed: str) -> None:
    program = (
        "from hpo_core import *\n"
        f"space = {CONTINUOUS!r}\n"
        "from hpo_random_search.draws import draw\n"
        "print([dict(draw(space, 7, trial_id, 0)) for trial_id in range(5)])\n"
    ).replace("import *", "import Categorical, Float, SearchSpace")
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    here = [dict(configuration) for configuration in asked(randomly(CONTINUOUS), range(5))]
    assert printed.strip() == str(here)


def test_the_draws_of_a_seed_stay_what_they_are_from_version_to_version() -> None:
    space = SearchSpace((Int("n", 0, 999), Categorical("c", ("a", "b"))))
    assert [tuple(c.values()) for c in asked(randomly(space), range(4))] == [
        (22, "a"),
        (403, "b"),
        (556, "a"),
        (313, "b"),
    ]


# -- distributions ---------------------------------------------------------------------------


def chi_square(counts: Iterable[int], expected: Iterable[float]) -> float:
    return sum((n - e) ** 2 / e for n, e in zip(counts, expected, strict=True))


def drawn(space: SearchSpace, trials: int) -> list[Configuration]:
    return list(asked(randomly(space), range(trials)))


MORE = Float("more", 0, 1)  # makes a space infinite, so that nothing is drawn without return


def test_a_log_float_is_uniform_on_its_log_scale() -> None:
    decades = Counter(math.floor(math.log10(c["lr"])) for c in drawn(CONTINUOUS, 3000))
    assert set(decades) == {-4, -3, -2}
    assert chi_square(decades.values(), [1000] * 3) < 13.8  # 2 degrees of freedom, 1 in 1,000


def test_a_log_int_is_roughly_log_uniform_with_both_ends() -> None:
    space = SearchSpace((Int("n", 1, 32, log=True), MORE))
    counts = Counter(c["n"] for c in drawn(space, 5000))
    share = [math.log((n + 0.5) / (n - 0.5)) / math.log(65) for n in range(1, 33)]
    assert min(counts) == 1
    assert max(counts) == 32
    observed = [counts[n] for n in range(1, 33)]
    assert chi_square(observed, [5000 * p for p in share]) < 61.1  # 31 degrees, 1 in 1,000


def test_integers_choices_and_combinations_are_equally_likely() -> None:
    space = SearchSpace(
        (
            Int("n", 0, 4),
            Categorical("c", ("a", 1, 1.0, True, None)),
            ParameterSet("s", tuple({"x": n, "y": -n} for n in range(5))),
            MORE,
        )
    )
    configurations = drawn(space, 5000)
    for name in ("n", "c", "x"):
        counts = Counter(repr(c[name]) for c in configurations)
        assert len(counts) == 5
        assert chi_square(counts.values(), [1000] * 5) < 18.5  # 4 degrees, 1 in 1,000
    assert all(c["y"] == -c["x"] for c in configurations)


def test_a_choice_is_as_likely_however_large_its_branch() -> None:
    nets = [c for c in drawn(CONTINUOUS, 2000) if c["model"] == "net"]
    assert chi_square([len(nets), 2000 - len(nets)], [1000] * 2) < 10.8  # 1 degree, 1 in 1,000
    assert all(0 <= c["dropout"] <= 0.5 for c in nets)


def test_parameters_are_independent_of_each_other() -> None:
    cells = Counter(
        (c["n"], c["m"]) for c in drawn(SearchSpace((Int("n", 0, 3), Int("m", 0, 3), MORE)), 4000)
    )
    assert chi_square(cells.values(), [250] * 16) < 37.7  # 15 degrees, 1 in 1,000


# -- infinite spaces -------------------------------------------------------------------------


def test_forbidden_draws_are_drawn_again() -> None:
    space = SearchSpace((Float("x", 0, 1), Int("n", 1, 4)), ({"n": (1, 2)},))
    configurations = drawn(space, 300)
    assert {c["n"] for c in configurations} == {3, 4}
    assert len({c["x"] for c in configurations}) == 300


def test_an_infinite_space_forbidden_nearly_everywhere_is_an_error_with_the_remedy() -> None:
    names = ("a", "b", "c")  # all but 0 forbidden in each: one draw in 10^9 is allowed
    space = SearchSpace(
        (Float("x", 0, 1), *(Int(name, 0, 999) for name in names)),
        tuple({name: tuple(range(1, 1000))} for name in names),
    )
    with pytest.raises(StrategyError, match="10,000 random draws in a row were forbidden"):
        randomly(space).ask(0)


def test_a_job_goes_as_far_as_the_study_lets_it() -> None:
    for space in (NESTED, CONTINUOUS):
        answer = randomly(space).ask(0)
        assert isinstance(answer, Start)
        assert answer.iterations is None


# -- the plugin ------------------------------------------------------------------------------


def test_it_announces_what_it_can_do() -> None:
    assert spec().name == "random"
    assert spec().capabilities == {
        Capability.CONDITIONAL,
        Capability.FORBIDDEN,
        Capability.INTEGERS,
        Capability.CATEGORICALS,
        Capability.MULTI_OBJECTIVE,
        Capability.CONSTRAINTS,
        Capability.RANGES,
        Capability.LINEAR,
        Capability.STRUCTURED,
    }
