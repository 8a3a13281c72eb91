"""Strategies that break a promise late, or in rare cases."""

from __future__ import annotations

import math
import random
import string
from typing import Any

import msgspec
import numpy as np
from broken import breaks
from broken_outside import Late
from samples import Stream

from hpo_core.plugin import (
    Asked,
    Categorical,
    Configuration,
    Decision,
    Int,
    Problem,
    Report,
    Resume,
    Start,
    Status,
    Told,
    Unsupported,
    Wait,
)

# -- statuses -------------------------------------------------------------------------------


@breaks("failed_and_timed_out_jobs_are_survived")
class KnowsNoTimeOuts(Stream):
    def tell(self, report: Report, /) -> Any:
        {Status.RUNNING: 0, Status.COMPLETED: 1, Status.FAILED: 2, Status.STOPPED: 3}[report.status]
        return super().tell(report)


@breaks("jobs_that_others_end_are_survived")
class StopsNothingSoNothingIsStopped(Stream):
    def tell(self, report: Report, /) -> Any:
        assert report.status not in (Status.STOPPED, Status.PAUSED)
        return super().tell(report)


@breaks("jobs_that_others_end_are_survived")
class KnowsOneJobForEachTrial(Stream):
    def tell(self, report: Report, /) -> Any:
        assert report.job_id == f"{report.trial_id}.1" or report.trial_id > 9_999
        return super().tell(report)


@breaks("jobs_that_others_end_are_survived")
class TrainsForwardOnly(Stream):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.reached: dict[int, int] = {}

    def tell(self, report: Report, /) -> Any:
        now = report.iteration or 0
        if not report.is_final and now < self.reached.get(report.trial_id, 0):
            raise RuntimeError("the trial trains backwards")
        self.reached[report.trial_id] = now
        return super().tell(report)


@breaks("failed_and_timed_out_jobs_are_survived")
class HasTwelveLives(Late):
    def tell(self, report: Report, /) -> Any:
        if report.status is Status.FAILED:
            self.failed = getattr(self, "failed", 0) + 1
            assert self.failed <= 12
        return super().tell(report)


@breaks("nan_is_survived")
class CountsNaNToTen(Late):
    def tell(self, report: Report, /) -> Any:
        if any(math.isnan(value) for value in report.metrics.values()):
            self.bad = getattr(self, "bad", 0) + 1
            assert self.bad <= 10
        return super().tell(report)


@breaks("reports_may_be_late_and_repeated")
class KeepsAQueueLate(Late):
    def tell(self, report: Report, /) -> Any:
        if self.is_late and report.is_final and report.job_id in self.ended:
            raise IndexError("pop from an empty queue")
        return super().tell(report)


# -- recovery -------------------------------------------------------------------------------


class Narrowing(Late):
    """Draws once more for each ended job of a kind, so its suggestions show what it forgets."""

    forgets: tuple[Status, ...] = ()

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.counts = dict.fromkeys(Status, 0)

    def tell(self, report: Report, /) -> Any:
        if report.is_final:
            self.counts[report.status] += 1
        return super().tell(report)

    def draw(self) -> Configuration:
        draws = sum(self.counts[status] for status in self.forgets)
        for _ in range(draws % 7):
            self.random.random()
        return super().draw()

    def restore(self, history: Any, saved: Any, /) -> None:
        super().restore(history, saved)
        for status in self.forgets:
            self.counts[status] = 0


@breaks("recovery_is_exact_at_every_point")
class ForgetsTimeOuts(Narrowing):
    forgets = (Status.TIMED_OUT,)


@breaks("recovery_is_exact_at_every_point")
class ForgetsFailures(Narrowing):
    forgets = (Status.FAILED,)


@breaks("recovery_is_exact_at_every_point")
class ForgetsWhatWasStopped(Narrowing):
    forgets = (Status.STOPPED,)


@breaks("recovery_is_exact_at_every_point")
class ForgetsNaN(Late):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.bad = 0

    def tell(self, report: Report, /) -> Any:
        self.bad += not report.is_final and report.losses is None
        return super().tell(report)

    def draw(self) -> Configuration:
        if self.bad:
            self.random.random()
        return super().draw()

    def restore(self, history: Any, saved: Any, /) -> None:
        super().restore(history, saved)
        self.bad = 0


@breaks("recovery_is_exact_at_every_point")
class KeepsTheLastFortyEvents(Late):
    def restore(self, history: Any, saved: Any, /) -> None:
        super().restore(history, saved)
        told = [event for event in history if isinstance(event, Told)][:-40]
        if any(self.best and event.report.losses == (self.best[0],) for event in told):
            self.best = None


@breaks("recovery_is_exact_at_every_point")
class DrawsWhenItSaves(Late):
    def save_state(self) -> Any:
        if self.is_late:
            self.random.random()
        return super().save_state()


@breaks("recovery_is_exact_at_every_point")
class RoundsWhatItSavesLate(Late):
    temperature = 1.0

    def draw(self) -> Configuration:
        self.temperature *= 0.9137
        if self.is_late:
            self.random = random.Random(f"{self.random.random()} {self.temperature}")
        return super().draw()

    def save_state(self) -> Any:
        return {**super().save_state(), "temperature": round(self.temperature, 3)}

    def restore(self, history: Any, saved: Any, /) -> None:
        if saved is not None:
            self.temperature = saved.state["temperature"]
        super().restore(history, saved)


@breaks("recovery_is_exact_at_every_point")
class TakesForeignPointsForItsOwn(Late):
    """Restored in its late phase, it lets a user's point replace the best."""

    def restore(self, history: Any, saved: Any, /) -> None:
        super().restore(history, saved)
        adopted = [one for one in history if isinstance(one, Asked) and one.adopted]
        if self.is_late and adopted and self.best is not None:
            self.best = (self.best[0], adopted[-1].suggestion.configuration)


@breaks("recovery_from_an_older_state_is_exact")
class TrustsTheStateAloneLate(Late):
    def restore(self, history: Any, saved: Any, /) -> None:
        if saved is not None and saved.events > 60:
            saved = msgspec.structs.replace(saved, events=len(history))
        super().restore(history, saved)


@breaks("adopting_equals_suggesting")
class AdoptsNothingLate(Late):
    def adopt(self, trial_id: int, suggestion: Start | Resume, /) -> None:
        if not self.is_late:
            super().adopt(trial_id, suggestion)
        else:
            self.configurations[trial_id] = suggestion.configuration  # type: ignore[assignment]


@breaks("the_saved_state_is_plain_json")
class SavesNumpyLate(Late):
    def save_state(self) -> Any:
        return {**super().save_state(), "n": np.int64(1) if self.is_late else 1}


# -- losses and values ----------------------------------------------------------------------


class Learning(Late):
    def tell(self, report: Report, /) -> Any:
        if report.losses is not None and report.is_final:
            self.learn(report.losses[0])
        return super().tell(report)

    def learn(self, loss: float) -> None:
        raise NotImplementedError


@breaks("losses_of_any_size_are_survived")
class SquaresLosses(Learning):
    def learn(self, loss: float) -> None:
        loss**2


@breaks("losses_of_any_size_are_survived")
class ExponentiatesLosses(Learning):
    def learn(self, loss: float) -> None:
        math.exp(-loss)


@breaks("losses_of_any_size_are_survived")
class ScalesByTheRange(Learning):
    def learn(self, loss: float) -> None:
        self.all = [*getattr(self, "all", []), loss]
        if len(self.all) > 20:
            (loss - min(self.all)) / (max(self.all) - min(self.all))


@breaks("losses_of_any_size_are_survived")
class CountsInHistograms(Learning):
    def learn(self, loss: float) -> None:
        [0, 0, 0, 0][int(loss)]


@breaks("maximising_mirrors_minimising")
class TurnsTheSignLate(Late):
    def tell(self, report: Report, /) -> Any:
        wrong = self.is_late and self.problem.objectives[0].direction == "maximize"
        losses = report.losses and tuple(-loss if wrong else loss for loss in report.losses)
        return super().tell(msgspec.structs.replace(report, losses=losses))


@breaks("large_integers_are_exact")
class RoundsThroughFloat(Stream):
    def draw(self) -> Configuration:
        drawn = super().draw()
        return Configuration({k: int(float(v)) if type(v) is int else v for k, v in drawn.items()})


@breaks("large_integers_are_exact")
class TabulatesIntegers(Stream):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        for axis in problem.space.parameters:
            if isinstance(axis, Int):
                len(range(axis.low, axis.high + 1))


@breaks("thousands_of_choices_are_taken")
class NamesChoicesByLetters(Stream):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        for axis in problem.space.parameters:
            if isinstance(axis, Categorical):
                [string.ascii_letters[index] for index in range(axis.size)]


# -- late answers ---------------------------------------------------------------------------


class LateAnswers(Late):
    def ask(self, trial_id: int, /) -> Any:
        answer = super().ask(trial_id)
        return self.changed(answer) if self.is_late else answer

    def changed(self, answer: Start) -> Any:
        raise NotImplementedError


@breaks("suggestions_lie_in_the_space")
class LeavesTheRangeLate(LateAnswers):
    def changed(self, answer: Start) -> Any:
        wild = {k: v * 2 if type(v) is float else v for k, v in answer.configuration.items()}
        return Start(Configuration(wild))


@breaks("suggestions_lie_in_the_space")
class SuggestsNumpyLate(LateAnswers):
    def changed(self, answer: Start) -> Any:
        return Start(Configuration({k: np.array([v])[0] for k, v in answer.configuration.items()}))


@breaks("only_active_parameters_are_set")
class SetsInactiveParametersLate(LateAnswers):
    def changed(self, answer: Start) -> Any:
        starts = {name: axis.start for name, axis in self.space.by_name.items()}
        return Start(Configuration({**starts, **answer.configuration}))


@breaks("no_forbidden_combination_is_suggested")
class IgnoresForbiddenLate(Late):
    def draw(self) -> Configuration:
        if self.is_late:
            self.space = msgspec.structs.replace(self.problem.space, forbidden=())
        return super().draw()


@breaks("iteration_targets_are_respected")
class TrainsTooFarLate(LateAnswers):
    def changed(self, answer: Start) -> Any:
        return Start(answer.configuration, iterations=(self.problem.max_iterations or 99) * 3)


@breaks("answers_fit_the_contract")
class NotesNumpyLate(LateAnswers):
    def changed(self, answer: Start) -> Any:
        return Start(answer.configuration, notes={"generation": np.int64(len(self.ended))})


@breaks("answers_fit_the_contract")
class NumbersTrialsByNumpy(LateAnswers):
    def changed(self, answer: Start) -> Any:
        return Start(answer.configuration, iterations=np.int64(9))


@breaks("answers_fit_the_contract")
class DecidesNothingLate(Late):
    def tell(self, report: Report, /) -> Any:
        return None if self.is_late else super().tell(report)


@breaks("what_it_does_is_declared")
class StopsUndeclaredLate(Late):
    def tell(self, report: Report, /) -> Any:
        super().tell(report)
        return Decision.STOP if self.is_late else Decision.CONTINUE


@breaks("accepts_what_it_declares")
class FindsConditionsUnsupported(Stream):
    def __init__(self, problem: Problem) -> None:
        if problem.space.is_conditional:
            raise Unsupported("no conditions")
        super().__init__(problem)


# -- waiting --------------------------------------------------------------------------------


@breaks("waiting_never_deadlocks")
class StallsAfterFortyTrials(Late):
    def ask(self, trial_id: int, /) -> Any:
        return Wait() if len(self.ended) > 40 and trial_id % 4 == 0 else super().ask(trial_id)


class Generations(Stream):
    """Waits between generations of ten until enough of the last one has ended."""

    counts: tuple[Status, ...] = (Status.COMPLETED,)

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.open: set[int] = set()

    def ask(self, trial_id: int, /) -> Any:
        if trial_id % 10 == 0 and self.open:
            return Wait()
        self.open.add(trial_id)
        return super().ask(trial_id)

    def tell(self, report: Report, /) -> Any:
        if report.status in self.counts:
            self.open.discard(report.trial_id)
        return super().tell(report)


@breaks("waiting_never_deadlocks")
class WaitsForFailedTrials(Generations):
    counts = (Status.COMPLETED, Status.TIMED_OUT, Status.STOPPED)


@breaks("waiting_never_deadlocks")
class WaitsForTimedOutTrials(Generations):
    counts = (Status.COMPLETED, Status.FAILED, Status.STOPPED)


@breaks("waiting_never_deadlocks")
class WaitsForStoppedTrials(Generations):
    counts = (Status.COMPLETED, Status.FAILED, Status.TIMED_OUT)


class Batches(Generations):
    counts = tuple(status for status in Status if status is not Status.RUNNING)


@breaks("waiting_leaves_nothing_behind")
class DrawsBeforeItWaits(Batches):
    def ask(self, trial_id: int, /) -> Any:
        if trial_id > 30 and trial_id % 10 == 0 and self.open:
            self.random.random()
        return super().ask(trial_id)


@breaks("waiting_leaves_nothing_behind")
class WaitsThreeTimes(Batches):
    def ask(self, trial_id: int, /) -> Any:
        answer = super().ask(trial_id)
        if isinstance(answer, Wait):
            self.waits = getattr(self, "waits", 0) + 1
            if self.waits % 3 == 0:
                self.open.clear()
        return answer
