"""The study's seed alone decides: no global stream, no process, no hash, no order of keys."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from hpo_core.contracts.strategy import (
    Answer,
    Exhausted,
    History,
    Problem,
    SavedState,
    Start,
    Strategy,
    Suggestion,
)
from hpo_core.model.report import Decision, Report
from hpo_core.model.values import JSON
from hpo_core.testing import gallery
from hpo_core.testing.drawing import Case, cases, for_all
from hpo_core.testing.elsewhere import suggestions, suggestions_elsewhere
from hpo_core.testing.kit import check
from hpo_core.testing.recorded_run import require_same
from hpo_core.testing.simulator import Simulator
from hpo_core.testing.spaces import reseeded
from hpo_core.testing.subject import Broken, NotApplicable, Subject
from hpo_core.testing.wording import told

T = TypeVar("T")

SEEDS = (1, 2, 3, 4, 5)


@check(
    remedy="draw from a generator of the strategy's own, made from problem.seed",
)
def the_same_seed_gives_the_same_suggestions(subject: Subject) -> str | None:
    """The same seed gives the same suggestions."""

    def body(case: Case) -> None:
        one, other = (
            Simulator(subject.make(case.problem), case.problem).play(case.moves) for _ in range(2)
        )
        require_same(one.suggestions, other.suggestions, "with the same seed once more")

    for_all(subject, cases(subject), body)
    return None


@check(
    remedy="seed the generator from problem.seed; a fixed seed makes every study the same",
)
def different_seeds_give_different_suggestions(subject: Subject) -> str | None:
    """Different seeds give different suggestions, unless it walks a finite space to its end."""
    problem = gallery.roomy(subject)
    runs: dict[int, list[Any]] = {}
    for seed in SEEDS:
        again = reseeded(problem, seed)
        runs[seed] = suggestions(subject.make(again), again)
    different = {repr(run) for run in runs.values()}
    if len(different) == 1 and _is_exhaustive(subject):
        raise NotApplicable("it is deterministic: it walks a finite space once, to its end")
    for seed, run in runs.items():
        for earlier in range(SEEDS[0], seed):
            if runs[earlier] == run:
                raise Broken(
                    f"seeds {earlier} and {seed} give the same {len(run)} suggestions\n"
                    f"{told(problem)}"
                )
    return None


def _is_exhaustive(subject: Subject) -> bool:
    """Return whether it suggests each configuration of finite spaces once and is then exhausted."""
    for problem, strategy in gallery.made(subject, gallery.finite(subject)):
        run = Simulator(strategy, problem).run(1000)
        starts = [one.configuration for one in run.suggestions if isinstance(one, Start)]
        if len(set(starts)) < len(starts) or not isinstance(run.answers[-1][0], Exhausted):
            return False
    return True


@check(
    remedy="use random.Random(seed) or numpy.random.default_rng(seed), never random.random(), "
    "random.seed() or numpy.random.rand()",
)
def global_random_streams_are_left_alone(subject: Subject) -> str | None:
    """Nothing is drawn from the global streams of random and numpy, nor left changed there."""

    def body(case: Case) -> None:
        subject.make(case.problem).ask(1)  # it may import numpy first of all here
        runs = []
        with _global_streams_kept():
            for salt in (1, 2):
                _seed_global_streams(salt)
                strategy = _untouched("being made", lambda: subject.make(case.problem))
                run = Simulator(_Watched(strategy), case.problem).play(case.moves)
                runs.append(run.suggestions)
        require_same(runs[0], runs[1], "with the global streams seeded otherwise")

    for_all(subject, cases(subject), body)
    return None


@check(
    remedy="never iterate over a set, nor use hash(): sort, or use hashlib",
)
def another_process_gives_the_same_suggestions(subject: Subject) -> str | None:
    """The suggestions are the same in another process, with other hashes."""
    if subject.origin is None:
        raise NotApplicable("no other process can find it: define it at the top of a module")
    problems = [gallery.roomy(subject), *gallery.finite(subject)]
    here = [
        (problem, suggestions(strategy, problem))
        for problem, strategy in gallery.made(subject, problems)
    ]
    for hash_seed in (1, 2):
        there = suggestions_elsewhere(subject.origin, [one for one, _ in here], hash_seed)
        for (problem, expected), got in zip(here, there, strict=True):
            for place, (one, other) in enumerate(zip(expected, got, strict=False), 1):
                if one != other:
                    raise Broken(
                        f"suggestion {place}, with PYTHONHASHSEED={hash_seed}: it suggests "
                        f"{other}, not {one}\n{told(problem)}"
                    )
            if len(expected) != len(got):
                raise Broken(f"it makes {len(got)} suggestions, not {len(expected)}")
    return None


@check(
    remedy="sort a mapping's keys before their order can have a say",
)
def the_order_of_keys_does_not_matter(subject: Subject) -> str | None:
    """The order of keys in conditions, forbidden combinations and sets does not matter."""

    def body(case: Case) -> None:
        problem = case.problem
        turned = msgspec.convert(_reversed_keys(msgspec.to_builtins(problem)), Problem)
        one, other = (
            Simulator(subject.make(given), given).play(case.moves) for given in (problem, turned)
        )
        require_same(one.suggestions, other.suggestions, "with keys in another order")

    for_all(subject, cases(subject), body)
    return None


def _reversed_keys(value: Any) -> Any:
    match value:
        case dict():
            return {key: _reversed_keys(value[key]) for key in reversed(value)}
        case list() | tuple():
            return [_reversed_keys(entry) for entry in value]
        case _:
            return value


# -- the global streams ---------------------------------------------------------------------


class _Watched:
    """A strategy that may not touch the global random streams."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy

    def ask(self, trial_id: int, /) -> Answer:
        return _untouched("ask", lambda: self._strategy.ask(trial_id))

    def adopt(self, trial_id: int, suggestion: Suggestion, /) -> None:
        _untouched("adopt", lambda: self._strategy.adopt(trial_id, suggestion))

    def tell(self, report: Report, /) -> Decision:
        return _untouched("tell", lambda: self._strategy.tell(report))

    def save_state(self) -> JSON:
        return _untouched("save_state", self._strategy.save_state)

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        _untouched("restore", lambda: self._strategy.restore(history, saved))


def _untouched(what: str, call: Callable[[], T]) -> T:
    before = _states()
    result = call()
    for name, state in _states().items():
        if before.get(name, state) != state:
            raise Broken(f"{what} changes the global stream of {name}")
    return result


def _states() -> dict[str, object]:
    states: dict[str, object] = {"random": random.getstate()}
    if (numpy := _numpy()) is not None:
        kind, keys, *rest = numpy.random.get_state()
        states["numpy"] = (kind, keys.tobytes(), *rest)
    return states


def _seed_global_streams(salt: int) -> None:
    random.seed(salt)
    if (numpy := _numpy()) is not None:
        numpy.random.seed(salt)


@contextmanager
def _global_streams_kept() -> Iterator[None]:
    state, numpy = random.getstate(), _numpy()
    numpy_state = None if numpy is None else numpy.random.get_state()
    try:
        yield
    finally:
        random.setstate(state)
        if numpy is not None:
            numpy.random.set_state(numpy_state)


def _numpy() -> Any:
    """Return numpy if somebody has imported it."""
    return sys.modules.get("numpy")
