"""Only the study's seed decides: no global stream, process, hash or order of keys."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from hpo_core.authoring.streams import RandomStreams, global_states
from hpo_core.contracts.strategy import (
    Answer,
    Exhausted,
    Problem,
    Start,
    Suggestion,
)
from hpo_core.model.report import Decision, Report
from hpo_core.model.values import JSON
from hpo_core.testing import gallery
from hpo_core.testing.cases import Case
from hpo_core.testing.drawing import cases, for_all
from hpo_core.testing.drawn_by import drawn_by
from hpo_core.testing.elsewhere import PLACES, suggestions, suggestions_elsewhere
from hpo_core.testing.kit import check
from hpo_core.testing.recorded_run import require_same
from hpo_core.testing.simulator import Simulator
from hpo_core.testing.spaces import reseeded
from hpo_core.testing.subject import Broken, NotApplicable, Passing, Refused, Subject
from hpo_core.testing.wording import details

T = TypeVar("T")

SEEDS = (1, 2, 3, 4, 5, 2**8 + 1, 2**16 + 1, 2**24 + 1, 2**31 + 1)
"""Seeds that differ in low or in high bits; many libraries use 32 bits."""

JOBS = 12
"""Number of jobs of each seed that are compared."""

LONG_RUNS = 3
"""Number of long runs that are compared with another process."""


@check(
    remedy="draw from a generator that belongs to the strategy, seeded with problem.seed",
)
def the_same_seed_gives_the_same_suggestions(subject: Subject) -> str | None:
    """The same seed gives the same suggestions."""

    def body(case: Case) -> None:
        one, other = (case.simulate(subject.make(case.problem)) for _ in range(2))
        require_same(one.suggestions, other.suggestions, "in a second run with the same seed")

    for_all(subject, cases(subject), body)
    return None


@check(
    remedy="seed the generator from problem.seed; a fixed seed makes every study the same",
)
def different_seeds_give_different_suggestions(subject: Subject) -> str | None:
    """Different seeds give different suggestions, unless it enumerates a finite space."""
    problem = gallery.large(subject)
    runs: dict[int, list[Any]] = {}
    for seed in SEEDS:
        again = reseeded(problem, seed)
        runs[seed] = suggestions(subject.make(again), Case(again), JOBS)
    different = {repr(run) for run in runs.values()}
    if len(different) == 1 and _is_exhaustive(subject):
        raise NotApplicable("it is deterministic: it enumerates a finite space")
    for seed, run in runs.items():
        for earlier in SEEDS[: SEEDS.index(seed)]:
            if runs[earlier] == run:
                raise Broken(
                    f"seeds {earlier} and {seed} give the same {len(run)} suggestions\n"
                    f"{details(problem)}"
                )
    return None


def _is_exhaustive(subject: Subject) -> bool:
    """Return whether it enumerates finite spaces: each configuration once, then exhausted."""
    for problem, strategy in gallery.built(subject, gallery.finite(subject)):
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
    """It neither draws from the global streams of random, numpy and PyTorch nor changes them."""
    lines: list[str] = []

    def body(case: Case) -> None:
        subject.make(case.problem).ask(1)  # this may be the first import of numpy
        try:
            runs = [_suggestions(subject, case, salt) for salt in (1, 2)]
            require_same(runs[0], runs[1], "with other seeds of the global streams")
        except Broken as broken:
            if not lines:  # tracing is slow: do it once
                with RandomStreams(1).in_place():
                    lines.append(drawn_by(global_states, lambda: _watched(subject, case)))
            raise Broken(f"{broken}{_drawn(lines[0])}") from None

    for_all(subject, cases(subject), body)
    return None


def _suggestions(subject: Subject, case: Case, salt: int) -> list[Suggestion]:
    """Return a run's suggestions, with the global streams seeded with a salt."""
    with RandomStreams(salt).in_place():
        return _watched(subject, case)


def _watched(subject: Subject, case: Case) -> list[Suggestion]:
    strategy = _untouched("building it", lambda: subject.make(case.problem))
    return case.simulate(_Watched(strategy)).suggestions


def _drawn(by: str) -> str:
    return f"\ndrawn by {by}" if by else ""


@check(
    remedy="never iterate over a set, nor use hash(), the clock, the process id, the environment, "
    "the current folder: sort, use hashlib, draw from problem.seed",
)
def another_process_gives_the_same_suggestions(subject: Subject) -> str | None:
    """The suggestions are the same in another process, with another hash seed, environment, folder
    and time.
    """
    if subject.origin is None:
        raise NotApplicable("another process cannot import it: define it at the top of a module")
    problems = [gallery.large(subject), *gallery.finite(subject)]
    tried = [Case(problem) for problem in problems]
    tried += itertools.islice(cases(subject).long_runs, LONG_RUNS)
    here = {}
    for number, case in enumerate(tried):
        with suppress(Refused):
            here[number] = suggestions(subject.make(case.problem), case, JOBS)
    if not here:
        raise NotApplicable("it rejects all problems that are run in another process")
    taken = [tried[number] for number in here]
    for place in PLACES:
        there = suggestions_elsewhere(subject.origin, taken, JOBS, place)
        for case, expected, got in zip(taken, here.values(), there, strict=True):
            _require_same_lists(expected, got, case)
    return None


def _require_same_lists(expected: list[Any], got: list[Any], case: Case) -> None:
    for place, (one, other) in enumerate(zip(expected, got, strict=False), 1):
        if one != other:
            raise Broken(
                f"suggestion {place}, in another process, with another hash seed, environment, "
                f"folder and time: it suggests {other}, not {one}\n{details(case)}"
            )
    if len(expected) != len(got):
        raise Broken(
            f"in another process it makes {len(got)} suggestions, not {len(expected)}"
            f"\n{details(case)}"
        )


@check(
    remedy="sort the keys of a mapping before their order matters",
)
def the_order_of_keys_does_not_matter(subject: Subject) -> str | None:
    """The order of keys in conditions, forbidden combinations and sets does not matter."""

    def body(case: Case) -> None:
        problem = case.problem
        turned = msgspec.convert(_reversed_keys(msgspec.to_builtins(problem)), Problem)
        one, other = (case.simulate(subject.make(given), given) for given in (problem, turned))
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


class _Watched(Passing):
    """Checks that a strategy does not use the global random streams."""

    def ask(self, trial_id: int, /) -> Answer:
        return _untouched("ask", lambda: super(_Watched, self).ask(trial_id))

    def adopt(self, trial_id: int, suggestion: Suggestion, /) -> None:
        _untouched("adopt", lambda: super(_Watched, self).adopt(trial_id, suggestion))

    def tell(self, report: Report, /) -> Decision:
        return _untouched("tell", lambda: super(_Watched, self).tell(report))

    def save_state(self) -> JSON:
        return _untouched("save_state", super().save_state)


def _untouched(what: str, call: Callable[[], T]) -> T:
    before = global_states()
    result = call()
    for name, state in global_states().items():
        if before.get(name, state) != state:
            raise Broken(f"{what} changes the global stream of {name}")
    return result
