"""ASHA and asynchronous Hyperband by promotion: trials are paused at rungs, the best resumed."""

from __future__ import annotations

import heapq
from bisect import bisect_right

from hpo_asha.pausing import PausedTrial, PausingScheduler
from hpo_asha.rungs import BracketTurns, Rung, RungResult
from hpo_asha.scheduler import with_notes
from hpo_asha.searcher import Searcher, as_stopped
from hpo_core.plugin import Decision, Exhausted, Problem, Report, Resume, Start, Wait


class Climber(PausedTrial):
    """A trial that is promoted through the rungs.

    Attributes:
        bracket: Its bracket.
        rung: The rung that it trains for, or to which it may be promoted next.
    """

    __slots__ = ("bracket", "rung")

    def __init__(self, trial_id: int, bracket: int, goal: int, target: int) -> None:
        super().__init__(trial_id, goal, target)
        self.bracket = bracket
        self.rung = 0


class PromotionRung(Rung):
    """A rung, and its trials that wait for promotion."""

    __slots__ = ("_queue", "_unsettled", "_waiting")

    def __init__(self) -> None:
        super().__init__()
        self._queue: list[RungResult] = []  # a heap; some of them may have been promoted
        self._waiting: set[int] = set()
        self._unsettled: dict[int, Report] = {}  # of trials among the best so far

    def wait(self, result: RungResult, report: Report) -> None:
        """Add a waiting trial, with its final report in case it is not promoted."""
        heapq.heappush(self._queue, result)
        self._waiting.add(result.trial_id)
        self._unsettled[result.trial_id] = report

    def leave(self, trial_id: int) -> None:
        """Remove a trial that is promoted."""
        self._waiting.discard(trial_id)
        self._unsettled.pop(trial_id, None)

    def promotable(self, eta: int) -> int | None:
        """Return the best waiting trial, if it is among the best ``1 / eta`` of all."""
        best = self._best_waiting()
        if best is not None and self.place(best) < len(self) // eta:
            return best.trial_id
        return None

    def best_waiting(self) -> int | None:
        """Return the best waiting trial, regardless of its rank."""
        best = self._best_waiting()
        return None if best is None else best.trial_id

    def _best_waiting(self) -> RungResult | None:
        while self._queue and self._queue[0].trial_id not in self._waiting:
            heapq.heappop(self._queue)
        return self._queue[0] if self._queue else None

    def settle(self, place: int, eta: int) -> Report | None:
        """Return the report of the trial that is no longer among the best: either the trial that
        was just added at `place`, or the one that it displaced.
        """
        worst = max(place, len(self) // eta)
        return self._unsettled.pop(self[worst].trial_id, None) if worst < len(self) else None


class Promotion(PausingScheduler[Climber]):
    """ASHA: for each free worker, promote a trial if possible, else start a new one.

    Algorithm 2 of Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020
    (``get_job``): from the highest rung down, a trial is promoted if it is among the best ``floor(n
    / eta)`` of the ``n`` trials that have reached its rung and was not promoted before; the best
    trial first. With several brackets this is the paper's asynchronous Hyperband, which cycles
    through the brackets for new trials.

    A trial whose job fails is in no later rung: ``n`` counts results. A value that is not finite is
    not a result, and its trial is never promoted. A trial that has passed several rungs when it is
    paused, such as an enqueued one that reports rarely, enters only the last of them; a trial that
    has trained to the end without a pause enters none.

    If no trial can be started any more, none can be promoted, and none has trained to the end, the
    best trial of the highest rung is resumed nevertheless (`completes`): otherwise the study would
    have no completed trial.

    The searcher is told that a trial is stopped at a rung if it is not among the best ``floor(n /
    eta)`` when it reaches the rung, or if a better trial later displaces it. A trial among the best
    continues for the searcher as well, until it is not promoted any more, or is completed. So the
    searcher learns the final values of good trials. Of the few that are promoted late, because
    their rung has grown, it learns no more.

    Args:
        problem: The study.
        searcher: Where configurations come from.
        brackets: The brackets.
        eta: The reduction factor.
        completes: See `hpo_asha.pausing.PausingScheduler`.
    """

    def __init__(
        self,
        problem: Problem,
        searcher: Searcher,
        brackets: BracketTurns,
        eta: int,
        completes: bool = True,
    ) -> None:
        super().__init__(problem, searcher, completes)
        self._brackets = brackets
        self._eta = eta
        self._rungs = [[PromotionRung() for _ in levels[:-1]] for levels in brackets.levels]
        by_level = [
            (level, -bracket, rung)
            for bracket, rungs in enumerate(self._rungs)
            for level, rung in zip(brackets.levels[bracket], rungs, strict=False)
        ]
        by_level.sort(key=lambda entry: entry[:2], reverse=True)
        self._from_the_top = [rung for _, _, rung in by_level]

    def _answer(self, trial_id: int) -> Start | Resume | Wait | Exhausted:
        for rung in self._from_the_top:
            if (best := rung.promotable(self._eta)) is not None:
                return self._promotion(best)
        new = self._new(trial_id)
        if isinstance(new, Start):
            bracket = self._brackets.of(len(self._trials))
            notes = {"bracket": bracket} if len(self._rungs) > 1 else {}
            return with_notes(new, self._brackets.levels[bracket][0], **notes)
        if isinstance(new, Exhausted) and self._must_complete:
            for rung in self._from_the_top:
                if (best := rung.best_waiting()) is not None:
                    return self._promotion(best)
        return self._without(new)

    def _promotion(self, trial_id: int) -> Resume:
        trial = self._trials[trial_id]
        return Resume(trial_id, trial.goal, notes={"rung": trial.rung})

    def _begin(self, trial_id: int, start: Start) -> Climber:
        bracket = self._brackets.of(len(self._trials))
        goal = self._brackets.levels[bracket][0]
        return Climber(trial_id, bracket, goal, self._target(start))

    def _resumed(self, trial: Climber, resume: Resume) -> None:
        trial.target = self._target(resume)
        self._rungs[trial.bracket][trial.rung - 1].leave(trial.id)

    def _end(self, trial: Climber, report: Report) -> Decision:
        reached = self._reached(trial, report)
        result = self._result(trial, report)
        self._note_completed(reached, result)
        if reached is None or reached >= self._most or not result.is_finite:
            self._searcher.finish(report)
            return Decision.CONTINUE
        levels = self._brackets.levels[trial.bracket]
        trial.rung = bisect_right(levels, reached)
        trial.goal = levels[trial.rung]
        rung = self._rungs[trial.bracket][trial.rung - 1]
        rung.add(result)
        rung.wait(result, as_stopped(report, reached))
        settled = rung.settle(rung.place(result), self._eta)
        if settled is not None:
            self._searcher.finish(settled)
        return Decision.PAUSE
