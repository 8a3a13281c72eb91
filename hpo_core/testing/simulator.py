"""A simulated study: asks and tells a strategy as the controller does, job by job.

It follows the rules of the controller:

- Each launched job has exactly one final report.
- After PAUSE a trial may be resumed, after STOP it may not. A decision counts from the minimum
  iteration on, until the trial has reached its maximum.
- Values that are reported beyond a job's target are told as those at the target.
- A lost job is run again from the trial's last checkpoint, as another job.
- The state is saved after each suggestion.

Losses are a fixed function of configuration and iteration, so a run depends only on the strategy,
the problem, the landscape and the moves.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

import msgspec

from hpo_core.contracts.strategy import (
    Answer,
    Asked,
    Problem,
    Resume,
    SavedState,
    Start,
    Strategy,
    Suggestion,
    Told,
)
from hpo_core.controller.run.recovery import wrong_with
from hpo_core.model.failure import FailureCause
from hpo_core.model.job import TrialState, job_id
from hpo_core.model.objective import Losses
from hpo_core.model.report import Decision, Report, Status
from hpo_core.model.values import Configuration
from hpo_core.testing.landscape import Landscape
from hpo_core.testing.moves import Do, Move
from hpo_core.testing.spaces import drawn_configuration, uniform

_STATES = {
    Status.COMPLETED: TrialState.COMPLETED,
    Status.STOPPED: TrialState.STOPPED,
    Status.PAUSED: TrialState.PAUSED,
    Status.FAILED: TrialState.FAILED,
    Status.TIMED_OUT: TrialState.FAILED,
}
"""The state of a trial after the end of its job."""


class SimulatedJob(msgspec.Struct):
    """A running job.

    Attributes:
        iteration: The iteration that its trial has reached.
        is_target_suggested: Whether the strategy set the target.
    """

    trial_id: int
    id: str
    configuration: Configuration
    target: int | None
    iteration: int = 0
    is_target_suggested: bool = False


class _Trial(msgspec.Struct):
    configuration: Configuration
    state: TrialState = TrialState.RUNNING
    jobs: int = 1
    iteration: int = 0


class Simulator:
    """Simulate a study, move by move.

    Attributes:
        history: Suggestions and reports, in order, as the store would keep them.
        states: Saved states, in order, each with the number of events before it.
        running: The running jobs, the oldest first.
        answers: Every answer, and whether a job was running at that time.
        decisions: The return values of `tell`.
        bad_resumes: The faults of `Resume`s that the controller would reject.

    Args:
        strategy: The strategy.
        problem: Its problem.
        landscape: What the losses are like.
    """

    def __init__(
        self, strategy: Strategy, problem: Problem, landscape: Landscape = Landscape.USUAL
    ) -> None:
        self.history: list[Asked | Told] = []
        self.states: list[SavedState] = []
        self.running: list[SimulatedJob] = []
        self.answers: list[tuple[Answer, bool]] = []
        self.decisions: list[object] = []
        self.bad_resumes: list[str] = []
        self._strategy = strategy
        self._problem = problem
        self._landscape = landscape
        self._trials: dict[int, _Trial] = {}

    @property
    def next_trial(self) -> int:
        """The id of the next new trial."""
        return len(self._trials) + 1

    @property
    def suggestions(self) -> list[Suggestion]:
        """The suggestions of the strategy itself."""
        return own_suggestions(self.history)

    # -- moves ------------------------------------------------------------------------------

    def play(self, moves: Iterable[Move]) -> Simulator:
        """Make the moves in order; a move that is impossible now changes nothing."""
        for move in moves:
            self.make(move)
        return self

    def make(self, move: Move) -> None:
        """Make one move."""
        match move.do:
            case Do.ASK:
                if len(self.running) < self._problem.workers:
                    self.ask()
            case Do.ADOPT:
                if len(self.running) < self._problem.workers:
                    space = self._problem.space
                    self.adopt(Start(drawn_configuration(space, self.next_trial)))
            case Do.UNKNOWN_TRIAL:
                losses = self._losses(self._problem.space.defaults(), 1)
                self.tell(Report(trial_id=10_000, job_id="10000.1", iteration=1, losses=losses))
            case Do.REPEAT:
                if told := [event.report for event in self.history if isinstance(event, Told)]:
                    self.tell(told[-1 - move.which * 7 % len(told)])
            case _:
                if self.running:
                    self._make_with(self.running[move.which % len(self.running)], move.do)

    def _make_with(self, job: SimulatedJob, do: Do) -> None:
        """Make a move of a running job."""
        match do:
            case Do.REPORT:
                self.report(job)
            case Do.SKIP:
                self.report(job, by=5)
            case Do.FINISH:
                self.finish(job)
            case Do.TIME_LIMIT:
                self._reach_time_limit(job)
            case Do.FAIL:
                self.end(job, Status.FAILED)
            case Do.TIME_OUT:
                self.end(job, Status.TIMED_OUT)
            case Do.END:
                self.end(job, Status.STOPPED)
            case Do.LOSE:
                self._lose(job)
            case _:
                self.report(job, is_nan=True)

    def ask(self) -> Answer:
        """Ask the strategy, and launch what it suggests."""
        answer = self._strategy.ask(self.next_trial)
        self.answers.append((answer, bool(self.running)))
        if isinstance(answer, Start | Resume):
            self._launch(answer, adopted=False)
        return answer

    def adopt(self, suggestion: Start) -> None:
        """Let the strategy adopt an enqueued configuration, and launch it."""
        self._strategy.adopt(self.next_trial, suggestion)
        self._launch(suggestion, adopted=True)

    def report(self, job: SimulatedJob, *, by: int = 1, is_nan: bool = False) -> None:
        """Let a job train and report; it ends if the strategy decides so.

        Args:
            job: The job.
            by: Number of iterations; those beyond the target count as the target.
            is_nan: Whether it reports NaN.
        """
        if job.target is not None and job.iteration >= job.target:
            return
        job.iteration += by
        if job.target is not None:
            job.iteration = min(job.iteration, job.target)
        losses = self._losses(job.configuration, job.iteration)
        decision = self.tell(
            Report(
                trial_id=job.trial_id,
                job_id=job.id,
                iteration=job.iteration,
                attempt=1,
                losses=None if is_nan else losses,
                metrics=self._metrics((math.nan,) * len(losses) if is_nan else losses),
            )
        )
        if job.iteration >= self._problem.min_iterations and not self._is_trained(job):
            if decision is Decision.STOP:
                self.end(job, Status.STOPPED)
            elif decision is Decision.PAUSE:
                self.end(job, Status.PAUSED)

    def finish(self, job: SimulatedJob) -> None:
        """Let a job train to its target and complete, unless it is stopped before."""
        while job in self.running and job.target is not None and job.iteration < job.target:
            self.report(job)
        if job in self.running:
            self.end(job, Status.COMPLETED)

    def _reach_time_limit(self, job: SimulatedJob) -> None:
        """Let a job report, and then end at its time limit; its reports count."""
        self.report(job)
        if job in self.running:
            self.end(job, Status.STOPPED if job.is_target_suggested else Status.COMPLETED)

    def _lose(self, job: SimulatedJob) -> None:
        """Lose a job, without telling the strategy, and run it again."""
        trial = self._trials[job.trial_id]
        trial.jobs += 1
        job.id = job_id(job.trial_id, trial.jobs)
        job.iteration = trial.iteration

    def end(self, job: SimulatedJob, status: Status) -> None:
        """End a job, with its one final report."""
        self.running.remove(job)
        counts = status in (Status.COMPLETED, Status.STOPPED, Status.PAUSED)
        losses = self._losses(job.configuration, job.iteration) if counts else None
        trial = self._trials[job.trial_id]
        trial.state, trial.iteration = _STATES[status], job.iteration
        decision = self.tell(
            Report(
                trial_id=job.trial_id,
                job_id=job.id,
                iteration=job.iteration or None,
                attempt=1,
                losses=losses,
                status=status,
                metrics=self._metrics(losses) if losses else {},
                cause=self._cause(job, status),
            )
        )
        may_resume = status is Status.COMPLETED and not self._is_trained(job)
        if may_resume and decision is Decision.PAUSE:
            trial.state = TrialState.PAUSED

    def _cause(self, job: SimulatedJob, status: Status) -> FailureCause | None:
        """Return the cause of a failed job, each cause in turn; None if it has not failed."""
        if status is Status.TIMED_OUT:
            return FailureCause.TIMED_OUT
        causes = [cause for cause in FailureCause if cause is not FailureCause.TIMED_OUT]
        return causes[job.trial_id % len(causes)] if status is Status.FAILED else None

    def _is_trained(self, job: SimulatedJob) -> bool:
        """Return whether a job has reached the maximum of its trial."""
        most = self._problem.max_iterations
        return most is not None and job.iteration >= most

    def tell(self, report: Report) -> Decision:
        """Tell the strategy; an invalid decision is kept, and counts as CONTINUE."""
        decision = self._strategy.tell(report)
        self.decisions.append(decision)
        if not isinstance(decision, Decision):
            decision = Decision.CONTINUE
        self.history.append(Told(report, decision))
        return decision

    # -- whole runs -------------------------------------------------------------------------

    def run(self, jobs: int, *statuses: Status) -> Simulator:
        """Launch a number of jobs on all workers, or until the strategy is exhausted; end all.

        Args:
            jobs: Number of jobs.
            statuses: How the jobs end, in turn; by default they complete.
        """
        ends = itertools.cycle(statuses or (Status.COMPLETED,))
        for _ in range(jobs):
            while not isinstance(answer := self.ask(), Start | Resume) and self.running:
                self._end_first(next(ends))
            if not isinstance(answer, Start | Resume):
                break
            while len(self.running) >= self._problem.workers:
                self._end_first(next(ends))
        while self.running:
            self._end_first(next(ends))
        return self

    def _end_first(self, status: Status) -> None:
        if status is Status.COMPLETED:
            self.finish(self.running[0])
        else:
            self.end(self.running[0], status)

    # -- parts ------------------------------------------------------------------------------

    def _launch(self, suggestion: Suggestion, *, adopted: bool) -> None:
        new = self.next_trial
        if isinstance(suggestion, Start):
            trial = self._trials[new] = _Trial(suggestion.configuration)
            trial_id = new
        else:
            trial_id = suggestion.trial_id
            if wrong := self._wrong_with(suggestion):
                self.bad_resumes.append(wrong)
                return
            trial = self._trials[trial_id]
            trial.jobs += 1
            trial.state = TrialState.RUNNING
            trial.configuration = suggestion.configuration or trial.configuration
        target = suggestion.iterations or self._problem.max_iterations
        self.running.append(
            SimulatedJob(
                trial_id,
                job_id(trial_id, trial.jobs),
                trial.configuration,
                target,
                trial.iteration,
                suggestion.iterations is not None,
            )
        )
        self.history.append(Asked(new, suggestion, adopted))
        state = self._strategy.save_state()
        if state is not None:
            self.states.append(SavedState(state, len(self.history)))

    def _wrong_with(self, resume: Resume) -> str | None:
        trial = self._trials.get(resume.trial_id)
        state = None if trial is None else trial.state
        return wrong_with(resume, state, has_source=resume.checkpoint_from in self._trials)

    def _losses(self, configuration: Configuration, iteration: int) -> Losses:
        return tuple(
            self._landscape.loss(index, configuration, iteration)
            for index in range(len(self._problem.objectives))
        )

    def _metrics(self, losses: Losses) -> dict[str, float]:
        pairs = zip(self._problem.objectives, losses, strict=True)
        constraints = {
            each.metric: each.bound + uniform(each.metric, losses) - 0.5
            for each in self._problem.constraints
        }
        return constraints | {objective.metric: objective.loss(loss) for objective, loss in pairs}


def own_suggestions(history: Sequence[Asked | Told]) -> list[Suggestion]:
    """Return the suggestions of the strategy itself in a history."""
    return [event.suggestion for event in history if isinstance(event, Asked) and not event.adopted]
