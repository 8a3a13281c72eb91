"""Population-based training: bad members copy good ones' checkpoints, and change their values."""

from __future__ import annotations

import random
from collections.abc import Collection

import msgspec

from hpo_asha.explore import Explorer, changes
from hpo_asha.pausing import PausedTrial, PausingScheduler
from hpo_asha.rungs import Result
from hpo_asha.scheduler import log, with_notes
from hpo_asha.searcher import Searcher, as_stopped
from hpo_core import (
    Configuration,
    Decision,
    Exhausted,
    Problem,
    Report,
    Resume,
    Start,
    Wait,
)


class Member(PausedTrial):
    """A member of the population.

    Attributes:
        configuration: Its values, as they are now.
        iterations: How far it has trained.
        score: What it counted when its last job ended; None before that.
        generation: How many times it was carried on.
    """

    __slots__ = ("configuration", "generation", "iterations", "score")

    def __init__(self, trial_id: int, goal: int, target: int, configuration: Configuration) -> None:
        super().__init__(trial_id, goal, target)
        self.configuration = configuration
        self.iterations = 0
        self.score: Result | None = None
        self.generation = 0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a population is trained; see `hpo_asha.options.PBT`."""

    population_size: int
    interval: int
    quantile_fraction: float
    names: Collection[str]
    resample_probability: float
    perturbation_factors: tuple[float, float]


class Population(PausingScheduler[Member]):
    """Population-based training, asynchronous.

    Algorithm 1 of Jaderberg et al., "Population Based Training of Neural Networks", 2017. A member
    trains for an interval (``step``), and reports (``eval``); then it is ``ready``. Exploit is the
    paper's truncation selection (section 4.1.1): a member whose score is in the worst quantile of
    the population takes the configuration and a copy of the checkpoint of one that is
    drawn from the best quantile. Explore changes the configuration; see `hpo_asha.explore`.
    Scores are what members counted at the end of their last interval.

    The population begins with configurations of the searcher's, or enqueued by a user. Once all
    are started, the member that has trained least is carried on first, so that few workers train
    many members in step. One whose job fails is not replaced, unless none is left: then another
    population begins. When all have trained as far as can be, the search is exhausted.

    A donor is one of the best that is not running, if there is one; its checkpoint is not being
    written then. Whoever copies one that is running trains as far as that one's job does.
    One that has trained to the end is no donor: there would be nothing left to train.

    Each `Resume` notes the ``generation``, and where there was an exploit whom it is ``from`` and
    what was ``changed``. A decision's random numbers depend on the seed, the trial and the
    generation alone. The searcher is told of a member at the end of its first interval, as stopped
    there: later it is not what the searcher had suggested.

    Args:
        problem: The study.
        searcher: Where the first configurations come from.
        settings: How the population is trained.
    """

    def __init__(self, problem: Problem, searcher: Searcher, settings: Settings) -> None:
        super().__init__(problem, searcher)
        self._seed = problem.seed
        self._settings = settings
        self._explorer = Explorer(
            problem.space,
            settings.names,
            settings.resample_probability,
            settings.perturbation_factors,
        )
        self._alive: dict[int, Member] = {}
        self._started = 0  # how many of the population were started, those that failed included

    # -- asking -----------------------------------------------------------------------------

    def _answer(self, trial_id: int) -> Start | Resume | Wait | Exhausted:
        instead: Wait | Exhausted = Exhausted()
        if self._started < self._settings.population_size:
            new = self._new(trial_id)
            if isinstance(new, Start):
                return with_notes(new, self._settings.interval, generation=0)
            if self._is_full:
                return self._without(new)
            instead = new
        ready = [
            member
            for member in self._alive.values()
            if member.id not in self._running and member.iterations < self._most
        ]
        if ready:
            return self._next_interval(min(ready, key=lambda one: (one.iterations, one.id)))
        return self._without(instead)

    def no_more_trials(self) -> None:
        """Start no trial any more, and say so if that leaves the population incomplete."""
        super().no_more_trials()
        size = self._settings.population_size
        if self._started < size:
            log.warning(
                "the budget of trials ends with %d of a population's %d: they are not carried on, "
                "since the others have a say in that; extend the study by %d trials, or take a "
                "population_size of %d",
                self._started,
                size,
                size - self._started,
                self._started,
            )

    def _next_interval(self, member: Member) -> Resume:
        generation = member.generation + 1
        stream = random.Random(f"pbt {self._seed} {member.id} {generation}")
        donor = self._donor(member, stream)
        if donor is None:
            target = self._after(member.iterations)
            return Resume(member.id, target, notes={"generation": generation})
        is_running = donor.id in self._running
        changed = self._explorer.change(donor.configuration, stream)
        return Resume(
            member.id,
            donor.target if is_running else self._after(donor.iterations),
            configuration=changed,
            checkpoint_from=donor.id,
            notes={
                "generation": generation,
                "from": donor.id,
                "changed": changes(donor.configuration, changed),
            },
        )

    def _after(self, iterations: int) -> int:
        return min(iterations + self._settings.interval, self._most)

    def _donor(self, member: Member, stream: random.Random) -> Member | None:
        """Return whom a member copies; None if it is not among the worst, or none can be copied."""
        ranked = sorted(one.score for one in self._alive.values() if one.score is not None)
        few = int(len(ranked) * self._settings.quantile_fraction)
        if member.score not in ranked[len(ranked) - few :]:
            return None
        best = [self._alive[each.trial_id] for each in ranked[:few] if each.is_finite]
        unfinished = [one for one in best if one.iterations < self._most]
        resting = [one for one in unfinished if one.id not in self._running]
        donors = resting or unfinished
        return donors[int(stream.random() * len(donors))] if donors else None

    # -- what becomes of it -----------------------------------------------------------------

    def _begin(self, trial_id: int, start: Start) -> Member:
        goal = self._settings.interval
        member = Member(trial_id, goal, self._target(start), start.configuration)
        self._alive[trial_id] = member
        self._started += 1
        return member

    def _carry_on(self, trial: Member, resume: Resume) -> None:
        trial.goal = trial.target = self._target(resume)
        trial.generation += 1
        if resume.configuration is not None:
            trial.configuration = resume.configuration

    def _end(self, trial: Member, report: Report) -> Decision:
        reached = self._reached(trial, report)
        if reached is None or self._was_never_paused(trial, reached):
            self._lose(trial, reached)
            self._searcher.finish(report)
            return Decision.CONTINUE
        trial.iterations = reached
        trial.score = self._result(trial, report)
        if reached >= self._most:
            self._searcher.finish(report)
            return Decision.CONTINUE
        self._searcher.finish(as_stopped(report, reached))
        return Decision.PAUSE

    def _lose(self, member: Member, reached: int | None) -> None:
        """Do without a member that can't be carried on."""
        del self._alive[member.id]
        if self._was_never_paused(member, reached):
            self._started -= 1
        if not self._alive:
            self._started = 0
