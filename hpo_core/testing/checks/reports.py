"""Reports: out of order, late, repeated, failed, NaN, with several objectives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from hpo_core.contracts.strategy import Asked, Capability, Problem, Told, same_answer
from hpo_core.model.objective import Objective
from hpo_core.testing.cases import Case
from hpo_core.testing.drawing import cases, for_all
from hpo_core.testing.kit import check
from hpo_core.testing.landscape import Landscape
from hpo_core.testing.long_runs import LANDSCAPES
from hpo_core.testing.moves import Do
from hpo_core.testing.recorded_run import require_same
from hpo_core.testing.simulator import Simulator
from hpo_core.testing.spaces import constrained
from hpo_core.testing.subject import Broken, NotApplicable, Subject
from hpo_core.testing.wording import as_text


@check(
    remedy="store reports by trial and iteration, and do not rely on their order",
)
def reports_may_come_out_of_order(subject: Subject) -> str | None:
    """Reports may arrive in any order, even a final one before an earlier one of the same job."""

    def body(case: Case) -> None:
        run = case.simulate(subject.make(case.problem))
        strategy = subject.make(case.problem)
        for event in _tells_reversed(run.history):
            if isinstance(event, Asked):
                strategy.adopt(event.trial_id, event.suggestion)
            else:
                strategy.tell(event.report)
        strategy.ask(run.next_trial)

    for_all(subject, cases(subject), body)
    return None


def _tells_reversed(history: Iterable[Asked | Told]) -> Iterator[Asked | Told]:
    """Reverse the reports between two asks."""
    told: list[Told] = []
    for event in history:
        if isinstance(event, Told):
            told.append(event)
        else:
            yield from reversed(told)
            told.clear()
            yield event
    yield from reversed(told)


@check(
    remedy="ignore a repeated report, and a report of a job that has ended",
)
def reports_may_be_late_and_repeated(subject: Subject) -> str | None:
    """Reports may arrive late and more than once."""
    _survives(subject, Do.REPORT, Do.FINISH, Do.REPEAT)
    return None


@check(
    remedy="ignore a report whose trial_id is unknown",
)
def reports_of_unknown_trials_are_survived(subject: Subject) -> str | None:
    """A report of an unknown trial does no harm."""
    _survives(subject, Do.FINISH, Do.UNKNOWN_TRIAL)
    return None


@check(
    remedy="expect report.losses to be None, and look at report.status",
)
def failed_and_timed_out_jobs_are_survived(subject: Subject) -> str | None:
    """Jobs may fail or time out; their reports have no losses."""
    _survives(subject, Do.REPORT, Do.FINISH, Do.FAIL, Do.TIME_OUT)
    return None


@check(
    remedy="expect Status.STOPPED for any running job, with or without losses",
)
def jobs_that_others_end_are_survived(subject: Subject) -> str | None:
    """Jobs may be ended by the budget or a time limit, or be lost and run again."""
    _survives(subject, Do.REPORT, Do.FINISH, Do.TIME_LIMIT, Do.END, Do.LOSE)
    return None


@check(
    remedy="compare losses, or scale them by ranks; never square or exponentiate them as they are",
)
def losses_of_any_size_are_survived(subject: Subject) -> str | None:
    """Losses may be enormous, of either sign, or all equal."""
    sizes = (Landscape.ENORMOUS, Landscape.EQUAL)
    _survives(subject, Do.REPORT, Do.FINISH, landscapes=sizes)
    return None


@check(
    remedy="expect report.losses to be None while a job runs, and metrics to be NaN",
)
def nan_is_survived(subject: Subject) -> str | None:
    """A metric may be NaN: the report has no losses."""
    _survives(subject, Do.REPORT, Do.FINISH, Do.NAN)
    return None


def _survives(subject: Subject, *moves: Do, landscapes: Sequence[Landscape] = LANDSCAPES) -> None:
    """Simulate such moves and some more jobs, and check the suggestions."""

    def body(case: Case) -> None:
        _require_in_space(case.simulate(subject.make(case.problem)).run(3), case.problem)

    for_all(subject, cases(subject, moves=moves, landscapes=landscapes), body)


@check(
    remedy="learn from report.losses, where lower is better, not from report.metrics",
)
def maximising_mirrors_minimising(subject: Subject) -> str | None:
    """Maximising a metric gives the same suggestions as minimising its negative."""

    def body(case: Case) -> None:
        one, other = (
            case.simulate(subject.make(given), given).run(8)
            for given in (case.problem, _mirrored(case.problem))
        )
        require_same(one.suggestions, other.suggestions, "with the negative metric maximised")

    for_all(subject, cases(subject), body)
    return None


def _mirrored(problem: Problem) -> Problem:
    turned = {"minimize": "maximize", "maximize": "minimize"}
    objectives = tuple(
        msgspec.convert({"metric": one.metric, "direction": turned[one.direction]}, Objective)
        for one in problem.objectives
    )
    return msgspec.structs.replace(problem, objectives=objectives)


@check(
    remedy="expect as many losses as problem.objectives, or drop MULTI_OBJECTIVE from the spec",
    needs=Capability.MULTI_OBJECTIVE,
)
def several_objectives_are_taken(subject: Subject) -> str | None:
    """It runs studies with two and with three objectives."""
    for objectives in (2, 3):

        def body(case: Case) -> None:
            run = case.simulate(subject.make(case.problem))
            _require_in_space(run.run(3), case.problem)

        for_all(subject, cases(subject, objectives=objectives), body)
    return None


@check(
    remedy="read the constraints from report.metrics, and expect that one may be missing",
    needs=Capability.CONSTRAINTS,
)
def constraints_are_taken(subject: Subject) -> str | None:
    """It runs studies with a constraint, which trials satisfy, violate or do not report."""

    def body(case: Case) -> None:
        problem = constrained(case.problem)
        run = case.simulate(subject.make(problem), problem)
        _require_in_space(run.run(6), problem)

    for_all(subject, cases(subject), body)
    return None


@check(
    remedy="declare is_adaptive in the spec, or let no report change what ask answers",
)
def reports_change_nothing_if_it_is_not_adaptive(subject: Subject) -> str | None:
    """A strategy that is not adaptive suggests the same, whether or not it is told any report."""
    if subject.is_adaptive:
        raise NotApplicable("it is adaptive (is_adaptive in its spec)")

    def body(case: Case) -> None:
        run = case.simulate(subject.make(case.problem))
        untold = subject.make(case.problem)
        for event in run.history:
            if isinstance(event, Told):
                continue
            if event.adopted:
                untold.adopt(event.trial_id, event.suggestion)
                continue
            answer = untold.ask(event.trial_id)
            if not same_answer(answer, event.suggestion):
                raise Broken(
                    f"for trial {event.trial_id} it suggests {as_text(event.suggestion)} if it is "
                    f"told reports, and {as_text(answer)} if it is not"
                )

    for_all(subject, cases(subject), body)
    return None


def _require_in_space(run: Simulator, problem: Problem) -> None:
    for suggestion in run.suggestions:
        configuration = suggestion.configuration
        if configuration is not None and (faults := problem.space.wrong(configuration)):
            raise Broken(f"{as_text(suggestion)}: {faults[0]}")
