"""Adopting, saving, restoring: the next ask returns what it would have returned."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hpo_core.contracts.strategy import Asked, SavedState, Strategy, Told
from hpo_core.testing import gallery
from hpo_core.testing.cases import Case
from hpo_core.testing.checks.plain import not_plain
from hpo_core.testing.drawing import cases, for_all
from hpo_core.testing.kit import check
from hpo_core.testing.recorded_run import RecordedRun
from hpo_core.testing.simulator import Simulator
from hpo_core.testing.subject import Broken, NotApplicable, Subject


@check(
    remedy="let adopt change the same state as ask: draw and discard what ask would have drawn, "
    "and register the configuration",
)
def adopting_equals_suggesting(subject: Subject) -> str | None:
    """Adopting a suggestion has the same effect as making it."""

    def body(case: Case) -> None:
        run = RecordedRun(subject, case)
        asked = [place for place, event in enumerate(run.history) if isinstance(event, Asked)]
        for number in case.points(len(asked), subject.effort.cuts):
            place = asked[number - 1]
            strategy = subject.make(case.problem)
            _adopt_all(strategy, run.history[: place + 1])
            run.replay(strategy, place + 1, f"after adopting the first {number}")

    for_all(subject, cases(subject), body)
    return None


def _adopt_all(strategy: Strategy, history: Sequence[Asked | Told]) -> None:
    for event in history:
        if isinstance(event, Asked):
            strategy.adopt(event.trial_id, event.suggestion)
        else:
            strategy.tell(event.report)


@check(
    remedy="save what the history does not contain (a generator's state, a counter) in save_state, "
    "and handle every later event of the history",
)
def recovery_is_exact_at_every_point(subject: Subject) -> str | None:
    """Restored at any point of a run, it continues as if it had not been interrupted."""
    _recovers(subject, age=0)
    return None


@check(
    remedy="in restore, replay the events from saved.events on: ask, adopt, tell",
)
def recovery_from_an_older_state_is_exact(subject: Subject) -> str | None:
    """Restored from a state one suggestion older than the history, it also continues unchanged."""
    if not _recovers(subject, age=1):
        raise NotApplicable("it saves no state")
    return None


def _recovers(subject: Subject, *, age: int) -> bool:
    """Interrupt runs at each event; return whether a state was saved."""
    any_state = False

    def body(case: Case) -> None:
        nonlocal any_state
        run = RecordedRun(subject, case)
        any_state = any_state or bool(run.states)
        for cut in case.points(len(run.history), subject.effort.cuts):
            states = [state for state in run.states if state.events <= cut]
            saved = states[-1 - age] if len(states) > age else None
            strategy = subject.make(case.problem)
            strategy.restore(run.history[:cut], _through_json(saved))
            run.replay(strategy, cut, f"interrupted after event {cut}")

    for_all(subject, cases(subject), body)
    return any_state


def _through_json(saved: SavedState | None) -> SavedState | None:
    if saved is None:
        return None
    try:
        return SavedState(msgspec.json.decode(msgspec.json.encode(saved.state)), saved.events)
    except (TypeError, ValueError) as error:
        raise Broken(f"its state can't be saved as JSON: {error}") from error


@check(
    remedy="save dicts with string keys, lists, strings, finite numbers, booleans, None; a "
    "generator's state as lists of integers, never a pickle",
)
def the_saved_state_is_plain_json(subject: Subject) -> str | None:
    """The saved state is plain JSON."""
    any_state = False

    def body(case: Case) -> None:
        nonlocal any_state
        run = case.simulate(subject.make(case.problem))
        any_state = any_state or bool(run.states)
        for saved in run.states:
            for wrong in not_plain(saved.state):
                raise Broken(f"after event {saved.events}: {wrong}")

    for_all(subject, cases(subject), body)
    problem = gallery.large(subject)
    sizes = []
    for jobs in (10, 100):
        states = Simulator(subject.make(problem), problem).run(jobs).states
        if not any_state and not states:
            return "it saves no state"
        sizes.append(len(msgspec.json.encode(states[-1].state)) if states else 0)
    return f"{sizes[0]:,} bytes after 10 jobs, {sizes[1]:,} after 100"
