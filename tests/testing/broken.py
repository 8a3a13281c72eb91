"""Strategies that break one promise each; `BROKEN` names the check that must find it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from samples import ALL_SPACES, Halving, Stream

from hpo_core.plugin import (
    BaseStrategy,
    Capability,
    Configuration,
    Exhausted,
    InvalidInput,
    Lattice,
    Problem,
    Report,
    Resume,
    Start,
    Wait,
)

BROKEN: dict[type[BaseStrategy], str] = {}


def breaks(check: str) -> Callable[[type[BaseStrategy]], type[BaseStrategy]]:
    def noted(strategy: type[BaseStrategy]) -> type[BaseStrategy]:
        BROKEN[strategy] = check
        return strategy

    return noted


# -- suggestions ----------------------------------------------------------------------------


@breaks("accepts_what_it_declares")
class RefusesConditions(Stream):
    def __init__(self, problem: Problem) -> None:
        if problem.space.is_conditional:
            raise InvalidInput([])
        super().__init__(problem)


@breaks("answers_fit_the_contract")
class SuggestsADict(Stream):
    def ask(self, trial_id: int, /) -> Any:
        return Start(dict(super().ask(trial_id).configuration))  # type: ignore[arg-type]


@breaks("answers_fit_the_contract")
class DecidesInWords(Stream):
    def tell(self, report: Report, /) -> Any:
        super().tell(report)
        return "continue"


@breaks("answers_fit_the_contract")
class NotesATuple(Stream):
    def ask(self, trial_id: int, /) -> Any:
        return msgspec.structs.replace(super().ask(trial_id), notes={"rung": (1, 2)})


@breaks("answers_fit_the_contract")
class AnswersNothing(Stream):
    def ask(self, trial_id: int, /) -> Any:
        return None


@breaks("suggestions_lie_in_the_space")
class LeavesTheRange(Stream):
    def draw(self) -> Configuration:
        drawn = super().draw()
        return Configuration({k: v + 1 if type(v) is int else v for k, v in drawn.items()})


@breaks("suggestions_lie_in_the_space")
class SuggestsNumpyScalars(Stream):
    def draw(self) -> Configuration:
        drawn = super().draw()
        return Configuration(
            {k: np.float64(v) if type(v) is float else v for k, v in drawn.items()}
        )


@breaks("only_active_parameters_are_set")
class SetsInactiveParameters(Stream):
    def draw(self) -> Configuration:
        starts = {name: axis.start for name, axis in self.space.by_name.items()}
        return Configuration({**starts, **super().draw()})


@breaks("no_forbidden_combination_is_suggested")
class IgnoresForbidden(Stream):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.space = msgspec.structs.replace(problem.space, forbidden=())


@breaks("no_linear_inequality_is_violated")
class IgnoresInequalities(Stream):
    capabilities = ALL_SPACES | {Capability.LINEAR}

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.space = msgspec.structs.replace(problem.space, linear=())


@breaks("iteration_targets_are_respected")
class TrainsTooFar(Stream):
    def ask(self, trial_id: int, /) -> Any:
        return msgspec.structs.replace(super().ask(trial_id), iterations=81)


@breaks("what_it_does_is_declared")
class StopsUndeclared(Halving):
    capabilities = ALL_SPACES | {Capability.RESUMING}


@breaks("what_it_does_is_declared")
class ResumesUndeclared(Halving):
    capabilities = ALL_SPACES | {Capability.STOPPING}


@breaks("only_open_trials_are_resumed")
class ResumesWhatRuns(Halving):
    def candidate(self) -> int | None:
        return next(iter(sorted(self.running - self.promoted)), None)


@breaks("no_trial_starts_after_the_last")
class StartsAllTheSame(Halving):
    def no_more_trials(self) -> None:
        self.trials = 13


@breaks("no_trial_starts_after_the_last")
class WaitsForEver(Halving):
    def no_more_trials(self) -> None:
        self.trials = 0
        self.running.add(0)


@breaks("reports_change_nothing_if_it_is_not_adaptive")
class LearnsUndeclared(Stream):
    is_adaptive = False


# -- randomness -----------------------------------------------------------------------------


@breaks("the_same_seed_gives_the_same_suggestions")
class IsUnseeded(Stream):
    def generator(self) -> random.Random:
        return random.Random()


@breaks("different_seeds_give_different_suggestions")
class HasAFixedSeed(Stream):
    def generator(self) -> random.Random:
        return random.Random(1337)


@breaks("different_seeds_give_different_suggestions")
class TellsFewSeedsApart(Stream):
    def generator(self) -> random.Random:
        return random.Random(self.problem.seed % 3)


@breaks("global_random_streams_are_left_alone")
class DrawsFromTheGlobalStream(Stream):
    def draw(self) -> Configuration:
        random.random()
        return super().draw()


@breaks("global_random_streams_are_left_alone")
class SeedsNumpy(Stream):
    def generator(self) -> random.Random:
        np.random.seed(self.problem.seed)
        return super().generator()


@breaks("global_random_streams_are_left_alone")
class BorrowsTheGlobalStream(Stream):
    """Restores the stream after a draw, but the suggestions depend on its state."""

    def generator(self) -> random.Random:
        state = random.getstate()
        seed = random.random()
        random.setstate(state)
        return random.Random(f"{self.problem.seed} {seed}")


@breaks("another_process_gives_the_same_suggestions")
class Hashes(Stream):
    def generator(self) -> random.Random:
        return random.Random(hash(f"seed {self.problem.seed}"))


@breaks("another_process_gives_the_same_suggestions")
class WalksASet(Stream):
    def draw(self) -> Configuration:
        drawn = super().draw()
        names = list({f"number {self.random.random()}" for _ in range(5)})
        self.random = random.Random(names[0])
        return drawn


@breaks("the_order_of_keys_does_not_matter")
class ReadsTheOrderOfKeys(Stream):
    def generator(self) -> random.Random:
        return random.Random(f"{self.problem.seed} {self.problem.space!r}")


# -- recovery -------------------------------------------------------------------------------


@breaks("adopting_equals_suggesting")
class AdoptsNothing(Stream):
    def adopt(self, trial_id: int, suggestion: Start | Resume, /) -> None:
        assert suggestion.configuration is not None
        self.configurations[trial_id] = suggestion.configuration


@breaks("recovery_is_exact_at_every_point")
class RestoresNothing(Stream):
    def restore(self, history: Any, saved: Any, /) -> None:
        pass


@breaks("recovery_is_exact_at_every_point")
class ForgetsWhatWasTold(Stream):
    def restore(self, history: Any, saved: Any, /) -> None:
        super().restore(history, saved)
        self.best = None


@breaks("recovery_from_an_older_state_is_exact")
class TrustsTheStateAlone(Stream):
    """Handles later reports, but assumes that the saved state includes every ask."""

    def restore(self, history: Any, saved: Any, /) -> None:
        if saved is None:
            super().restore(history, None)
            return
        super().restore(history, msgspec.structs.replace(saved, events=len(history)))


@breaks("the_saved_state_is_plain_json")
class SavesATuple(Stream):
    def save_state(self) -> Any:
        return {**super().save_state(), "words": tuple(self.random.getstate()[1])}


@breaks("the_saved_state_is_plain_json")
class SavesWhatJsonHasNot(Stream):
    def save_state(self) -> Any:
        return {**super().save_state(), "best": float("inf")}


# -- reports --------------------------------------------------------------------------------


@breaks("reports_may_come_out_of_order")
class ExpectsOrder(Stream):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.last: dict[str, int] = {}

    def tell(self, report: Report, /) -> Any:
        now = report.iteration or 0
        if now < self.last.get(report.job_id, 0):
            raise RuntimeError("iterations run backwards")
        self.last[report.job_id] = now
        return super().tell(report)


@breaks("reports_may_be_late_and_repeated")
class ExpectsOneEnd(Stream):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.ended: set[str] = set()

    def tell(self, report: Report, /) -> Any:
        assert report.job_id not in self.ended
        if report.is_final:
            self.ended.add(report.job_id)
        return super().tell(report)


@breaks("reports_of_unknown_trials_are_survived")
class KnowsAllTrials(Stream):
    def tell(self, report: Report, /) -> Any:
        self.configurations[report.trial_id]
        return super().tell(report)


@breaks("failed_and_timed_out_jobs_are_survived")
class ExpectsLosses(Stream):
    def tell(self, report: Report, /) -> Any:
        if report.is_final:
            report.losses[0]  # type: ignore[index]
        return super().tell(report)


@breaks("nan_is_survived")
class ExpectsNumbers(Stream):
    def tell(self, report: Report, /) -> Any:
        for value in report.metrics.values():
            int(value * 100)
        return super().tell(report)


@breaks("maximising_mirrors_minimising")
class LearnsFromMetrics(Stream):
    def tell(self, report: Report, /) -> Any:
        losses = tuple(report.metrics.values()) or None
        return super().tell(msgspec.structs.replace(report, losses=losses))


@breaks("several_objectives_are_taken")
class KnowsOneLoss(Stream):
    def tell(self, report: Report, /) -> Any:
        if report.losses is not None:
            (_,) = report.losses
        return super().tell(report)


@breaks("constraints_are_taken")
class ExpectsTheConstraint(Stream):
    def tell(self, report: Report, /) -> Any:
        for constraint in self.problem.constraints:
            report.metrics[constraint.metric]
        return super().tell(report)


# -- a study's life -------------------------------------------------------------------------


@breaks("many_jobs_may_be_pending")
class HasTenSlots(Stream):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.free = list(range(10))
        self.slots: dict[int, int] = {}

    def ask(self, trial_id: int, /) -> Any:
        self.slots[trial_id] = self.free.pop()
        return super().ask(trial_id)

    def tell(self, report: Report, /) -> Any:
        if report.is_final and report.trial_id in self.slots:
            self.free.append(self.slots.pop(report.trial_id))
        return super().tell(report)


@breaks("all_jobs_may_fail")
class NeedsASuccess(Stream):
    def ask(self, trial_id: int, /) -> Any:
        return Wait() if self.best is None and trial_id > 20 else super().ask(trial_id)


@breaks("waiting_never_deadlocks")
class WaitsForWhatHasEnded(Stream):
    def ask(self, trial_id: int, /) -> Any:
        return Wait() if trial_id % 3 == 0 else super().ask(trial_id)


class Once(Stream):
    """Draws until it has all configurations of a finite space, each one once."""

    patience = 1000

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.seen: set[Configuration] = set()
        self.is_over = False

    def ask(self, trial_id: int, /) -> Any:
        for _ in range(self.patience):
            if not self.space.is_finite or len(self.seen) < Lattice(self.space).size:
                answer = super().ask(trial_id)
                if answer.configuration not in self.seen:
                    self.seen.add(answer.configuration)
                    return answer
        return self.over(trial_id)

    def over(self, trial_id: int) -> Any:
        return Exhausted()


@breaks("exhaustion_is_reached_and_stays")
class GivesUpEarly(Once):
    patience = 2


@breaks("exhaustion_is_reached_and_stays")
class BeginsAgain(Once):
    def over(self, trial_id: int) -> Any:
        self.is_over = not self.is_over
        return Exhausted() if self.is_over else Stream.ask(self, trial_id)


# -- extremes -------------------------------------------------------------------------------


@breaks("a_space_of_one_point_is_taken")
class DividesByTheWidth(Stream):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        if problem.space.is_finite:
            1 / (Lattice(problem.space).size - 1)


@breaks("two_hundred_parameters_are_taken")
class CountsTheConfigurations(Stream):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        if len(problem.space.parameters) > 100:
            float(10 ** (2 * len(problem.space.parameters)))


class LooseOptions(msgspec.Struct, frozen=True):
    points: int = 3


@breaks("unknown_options_are_refused")
class SwallowsOptions(Stream):
    options = LooseOptions


class ChangeableOptions(msgspec.Struct, forbid_unknown_fields=True):
    points: int = 3


@breaks("unknown_options_are_refused")
class HasChangeableOptions(Stream):
    options = ChangeableOptions
