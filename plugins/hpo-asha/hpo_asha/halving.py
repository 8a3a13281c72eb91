"""Successive halving, synchronous: a rung is decided once all its trials have ended."""

from __future__ import annotations

from hpo_asha.pausing import PausedTrial, PausingScheduler
from hpo_asha.rungs import Rung
from hpo_asha.scheduler import log, with_notes
from hpo_asha.searcher import Searcher, as_stopped
from hpo_core.plugin import Decision, Exhausted, Problem, Report, Resume, Start, Wait


class Step:
    """One rung of a bracket.

    Attributes:
        results: The results of the trials that have reached it.
        entered: Number of trials that train for this rung or have reached it.
        ended: Number of their jobs that have ended, with or without a result.
        promoted: Number of promoted trials: the best ones, in order.
    """

    __slots__ = ("ended", "entered", "promoted", "results")

    def __init__(self) -> None:
        self.results = Rung()
        self.entered = self.ended = self.promoted = 0


class Bracket:
    """One run of successive halving.

    Args:
        number: Its number, from 0.
        size: Number of trials at the start.
        rungs: Number of rungs, including the last one.
        eta: The reduction factor.
    """

    def __init__(self, number: int, size: int, rungs: int, eta: int) -> None:
        self.number = number
        self.size = size
        self._eta = eta
        self.steps = [Step() for _ in range(rungs)]

    @property
    def is_open(self) -> bool:
        """Whether another trial can enter."""
        return self.steps[0].entered < self.size

    @property
    def is_over(self) -> bool:
        """Whether the bracket is complete."""
        is_idle = all(step.ended == step.entered for step in self.steps)
        return is_idle and not self.is_open and self.promotable() is None

    def promotable(self, *, closed: bool = False) -> tuple[int, int] | None:
        """Return a trial to promote and the target rung, or None.

        Args:
            closed: Whether to decide with the trials that have entered so far.
        """
        size = self.steps[0].entered if closed else self.size
        is_decided = self.steps[0].entered == size
        for rung, step in enumerate(self.steps[:-1], 1):
            if not is_decided or step.ended < step.entered:
                return None
            quota = max(size // self._eta**rung, 1)
            if step.promoted < min(quota, len(step.results)):
                best = step.results[step.promoted]
                if best.is_finite:
                    return best.trial_id, rung
        return None

    def promote(self, rung: int) -> None:
        """Register that the next best trial is promoted to a rung; no more trials can enter."""
        self.size = self.steps[0].entered
        self.steps[rung - 1].promoted += 1
        self.steps[rung].entered += 1


class Halver(PausedTrial):
    """A trial within a bracket.

    Attributes:
        bracket: Its bracket.
        rung: The rung that it trains for, or has last reached.
    """

    __slots__ = ("bracket", "rung")

    def __init__(self, trial_id: int, bracket: Bracket, goal: int, target: int) -> None:
        super().__init__(trial_id, goal, target)
        self.bracket = bracket
        self.rung = 0


class SuccessiveHalving(PausingScheduler[Halver]):
    """Successive halving: of ``n`` trials the best ``floor(n eta^-i)`` reach rung ``i``.

    Successive Halving by Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and
    Hyperparameter Optimization", AISTATS 2016, section 3, with ``eta`` as in the inner loop of
    Algorithm 1 in Li et al., JMLR 18, 2018. A rung is decided once the jobs of all its trials have
    ended; until then free workers wait. After a bracket the next one starts.

    A trial whose job fails keeps its place among the ``n``, and is not promoted; nor is one
    whose result is not a finite number. If the searcher has no more trials, the last bracket
    continues with the trials that it has. If the budget ends, the bracket remains open until the
    study is extended, unless no earlier bracket is complete: then it continues with its trials
    (`completes`). At least one trial of each bracket trains to the maximum. An enqueued trial takes
    a place in the bracket, and frees it if it ends before it could be paused.

    The searcher is told that a trial is stopped when it is paused for the first time, since it is
    asked for a whole bracket before any promotion. It is told nothing of later results.

    Args:
        problem: The study.
        searcher: Where configurations come from.
        levels: The iterations of each rung.
        size: Number of trials at the start of a bracket.
        eta: The reduction factor.
        completes: See `hpo_asha.pausing.PausingScheduler`.
    """

    def __init__(
        self,
        problem: Problem,
        searcher: Searcher,
        levels: tuple[int, ...],
        size: int,
        eta: int,
        completes: bool = True,
    ) -> None:
        super().__init__(problem, searcher, completes)
        self._levels = levels
        self._size = size
        self._eta = eta
        self._brackets: list[Bracket] = []  # the incomplete ones
        self._begun = 0

    def _answer(self, trial_id: int) -> Start | Resume | Wait | Exhausted:
        if (resume := self._promotion()) is not None:
            return resume
        if self._brackets and not self._brackets[-1].is_open:
            return Wait()
        new = self._new(trial_id)
        if isinstance(new, Start):
            number = self._brackets[-1].number if self._brackets else self._begun
            return with_notes(new, self._levels[0], bracket=number)
        if isinstance(new, Exhausted) and (not self._is_full or self._must_complete):
            return self._promotion(closed=True) or self._without(new)
        return self._without(new)

    def no_more_trials(self) -> None:
        """Start no more trials, and warn if a bracket remains open."""
        super().no_more_trials()
        if not (self._brackets and self._brackets[-1].is_open):
            return
        bracket = self._brackets[-1]
        entered, size = bracket.steps[0].entered, bracket.size
        if self._completes and len(self._brackets) == 1 and not self._has_completed:
            log.warning(
                "the budget of trials ends with %d of a bracket's %d: it goes on with those, since "
                "otherwise no trial would be trained to the end",
                entered,
                size,
            )
        else:
            log.warning(
                "the budget of trials ends with %d of a bracket's %d: they are not compared, since "
                "successive halving waits for all of them; extend the study by %d trials, or take "
                "a smaller n",
                entered,
                size,
                size - entered,
            )

    def _promotion(self, *, closed: bool = False) -> Resume | None:
        for bracket in self._brackets:
            if (found := bracket.promotable(closed=closed)) is not None:
                trial_id, rung = found
                return Resume(trial_id, self._levels[rung], notes={"rung": rung})
        return None

    def _begin(self, trial_id: int, start: Start) -> Halver:
        if not (self._brackets and self._brackets[-1].is_open):
            bracket = Bracket(self._begun, self._size, len(self._levels), self._eta)
            self._brackets.append(bracket)
            self._begun += 1
        bracket = self._brackets[-1]
        bracket.steps[0].entered += 1
        return Halver(trial_id, bracket, self._levels[0], self._target(start))

    def _resumed(self, trial: Halver, resume: Resume) -> None:
        trial.rung += 1
        trial.goal = self._levels[trial.rung]
        trial.target = self._target(resume)
        trial.bracket.promote(trial.rung)

    def _end(self, trial: Halver, report: Report) -> Decision:
        reached = self._reached(trial, report)
        step = trial.bracket.steps[trial.rung]
        self._note_completed(reached, self._result(trial, report))
        if self._was_never_paused(trial, reached):
            step.entered -= 1
        else:
            step.ended += 1
            if reached is not None:
                step.results.add(self._result(trial, report))
        if trial.bracket.is_over:
            self._brackets.remove(trial.bracket)
        if reached is None or reached >= self._most:
            self._searcher.finish(report)
            return Decision.CONTINUE
        self._searcher.finish(as_stopped(report, reached))
        return Decision.PAUSE
