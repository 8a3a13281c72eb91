"""The course of a study: many pending jobs, failures only, waiting, and the end."""

from __future__ import annotations

import msgspec

from hpo_core.contracts.strategy import (
    Answer,
    Capability,
    Exhausted,
    Problem,
    Resume,
    Start,
    Strategy,
    Wait,
)
from hpo_core.model.lattice import Lattice
from hpo_core.model.report import Status
from hpo_core.testing import gallery
from hpo_core.testing.cases import Case
from hpo_core.testing.drawing import cases, for_all
from hpo_core.testing.kit import check
from hpo_core.testing.recorded_run import require_same
from hpo_core.testing.simulator import Simulator
from hpo_core.testing.subject import Broken, NotApplicable, Passing, Subject
from hpo_core.testing.wording import as_text, details

PENDING = 50
PATIENCE = 1_000


@check(
    remedy="return Wait if a report is needed first, and do not assume that a job has ended",
)
def many_jobs_may_be_pending(subject: Subject) -> str | None:
    """It can be asked 50 times before anything is told."""
    problem = msgspec.structs.replace(gallery.large(subject), workers=PENDING)
    run = Simulator(subject.make(problem), problem)
    for _ in range(PENDING):
        run.ask()
    launched = len(run.running)
    for job in list(run.running):
        run.finish(job)
    run.run(3)
    return None if launched == PENDING else f"it allows {launched} pending jobs"


@check(
    remedy="forget a failed trial, and start another; never wait for a first success",
)
def all_jobs_may_fail(subject: Subject) -> str | None:
    """It continues when every job fails."""
    problem = gallery.large(subject)
    run = Simulator(subject.make(problem), problem).run(30, Status.FAILED)
    _require_no_deadlock(run)
    for wrong in run.bad_resumes:
        raise Broken(f"{wrong}\n{details(problem)}")
    for suggestion in run.suggestions:
        configuration = suggestion.configuration
        for fault in problem.space.wrong(configuration) if configuration is not None else ():
            raise Broken(f"{as_text(suggestion)}: {fault}\n{details(problem)}")
    return None


@check(
    remedy="return Wait only while a job is running; otherwise start a trial or return Exhausted",
)
def waiting_never_deadlocks(subject: Subject) -> str | None:
    """It never waits while no job is running."""

    def body(case: Case) -> None:
        run = case.simulate(subject.make(case.problem))
        for job in list(run.running):
            run.finish(job)
        _require_no_deadlock(run.run(6))

    for_all(subject, cases(subject), body)
    return None


@check(
    remedy="decide to wait before drawing or counting anything",
)
def waiting_leaves_nothing_behind(subject: Subject) -> str | None:
    """An ask that returns Wait or Exhausted does not change its state."""

    def body(case: Case) -> None:
        once = case.simulate(subject.make(case.problem))
        often = case.simulate(_AsksAgain(subject.make(case.problem)))
        require_same(once.suggestions, often.suggestions, "with two more asks after each Wait")

    for_all(subject, cases(subject), body)
    return None


@check(
    remedy="after no_more_trials() resume open trials, return Wait while a running trial may be "
    "resumed later, and then return Exhausted",
    needs=Capability.RESUMING,
)
def no_trial_starts_after_the_last(subject: Subject) -> str | None:
    """After `no_more_trials()` it starts no trial, and ends."""
    has_method = []

    def body(case: Case) -> None:
        strategy = subject.make(case.problem)
        run = case.simulate(strategy)
        trials = run.next_trial
        if not strategy.no_more_trials():
            return
        has_method.append(True)
        before = len(run.answers)
        run.run(PATIENCE, Status.COMPLETED, Status.COMPLETED, Status.FAILED)
        for answer, is_running in run.answers[before:]:
            if isinstance(answer, Wait) and not is_running:
                raise Broken("after no_more_trials() it waits although no job is running")
        if run.next_trial > trials:
            raise Broken(f"after no_more_trials() it starts trial {trials}")
        if not isinstance(run.answers[-1][0], Exhausted):
            raise Broken(f"after no_more_trials() and {PATIENCE} more jobs it is not exhausted")

    for_all(subject, cases(subject), body)
    if not has_method:
        raise NotApplicable("it has no method no_more_trials")
    return None


class _AsksAgain(Passing):
    """Asks a strategy twice more whenever it has nothing to start."""

    def ask(self, trial_id: int, /) -> Answer:
        answer = super().ask(trial_id)
        for _ in range(2):
            if isinstance(answer, Wait | Exhausted):
                answer = super().ask(trial_id)
        return answer


def _require_no_deadlock(run: Simulator) -> None:
    for place, (answer, is_running) in enumerate(run.answers, 1):
        if isinstance(answer, Wait) and not is_running:
            raise Broken(f"ask {place} returns Wait although no job is running")


@check(
    remedy="count the configurations that were tried, adopted ones too; after the first Exhausted "
    "always return Exhausted",
)
def exhaustion_is_reached_and_stays(subject: Subject) -> str | None:
    """A finite space is exhausted only when all of it has been tried, and then stays exhausted."""
    repeats = True
    for problem, strategy in gallery.built(subject, gallery.finite(subject)):
        if _runs_out(subject, problem, strategy, is_patient=False):
            repeats = False
        if _runs_out(subject, problem, subject.make(problem), is_patient=True):
            repeats = False
    return "it is never exhausted: it repeats configurations" if repeats else None


def _runs_out(subject: Subject, problem: Problem, strategy: Strategy, *, is_patient: bool) -> bool:
    """Ask far more often than there are configurations; return whether it became exhausted.

    Args:
        subject: The strategy.
        problem: Its problem.
        strategy: The strategy, built for the problem.
        is_patient: Whether each job ends before the next ask.
    """
    size = Lattice(problem.space).size
    run = Simulator(strategy, problem)
    for _ in range(3 * size + 20):
        answer = run.ask()
        if isinstance(answer, Exhausted):
            break
        if is_patient or isinstance(answer, Wait):
            for job in run.running[:1]:
                run.finish(job)
    else:
        return False
    tried = {one.configuration for one in run.suggestions if isinstance(one, Start)}
    if len(tried) < size and not _chooses(subject):
        raise Broken(
            f"it is exhausted after {len(tried)} of {size} configurations\n{details(problem)}"
        )
    for _ in range(3):
        for job in run.running[:1]:
            run.finish(job)
        if isinstance(again := run.ask(), Start | Resume | Wait):
            raise Broken(f"after Exhausted it returns {as_text(again)}\n{details(problem)}")
    return True


def _chooses(subject: Subject) -> bool:
    """Return whether it may omit configurations: a strategy that stops or resumes trials may."""
    return subject.can(Capability.STOPPING) or subject.can(Capability.RESUMING)
