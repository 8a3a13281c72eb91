"""Population-based training: bad members copy good ones' checkpoints, and change their values."""

from __future__ import annotations

import math
import random
from collections.abc import Collection

import msgspec

from hpo_asha.explore import Explorer, changes
from hpo_asha.pausing import PausedTrial, PausingScheduler
from hpo_asha.rungs import RungResult
from hpo_asha.scheduler import log, with_notes
from hpo_asha.searcher import Searcher, as_stopped
from hpo_core.plugin import (
    Configuration,
    Decision,
    Exhausted,
    Problem,
    Report,
    Resume,
    Start,
    Status,
    Wait,
)


class Member(PausedTrial):
    """A member of the population.

    Attributes:
        configuration: Its values, as they are now.
        iterations: How far it has trained.
        score: What it counted when its last job ended; None before that, and if that job failed.
        generation: How many times it was resumed.
        failures: How many of its jobs have failed, one after the other.
        latest: The metric's value as a loss, as its job reported it last; None if it has not.
    """

    __slots__ = ("configuration", "failures", "generation", "iterations", "latest", "score")

    def __init__(self, trial_id: int, goal: int, target: int, configuration: Configuration) -> None:
        super().__init__(trial_id, goal, target)
        self.configuration = configuration
        self.iterations = 0
        self.score: RungResult | None = None
        self.generation = 0
        self.failures = 0
        self.latest: float | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a population is trained; see `hpo_asha.options.PBTOptions`."""

    population_size: int
    interval: int
    quantile_fraction: float
    names: Collection[str]
    resample_probability: float
    perturbation_factors: tuple[float, float]
    rules: int = 2


FAILURES = 3
"""Number of consecutive failures after which a member is given up."""


class Population(PausingScheduler[Member]):
    """Population-based training, asynchronous.

    Algorithm 1 of Jaderberg et al., "Population Based Training of Neural Networks", 2017. A member
    trains for an interval (``step``), and reports (``eval``); then it is ``ready``. Exploit is the
    paper's truncation selection (section 4.1.1): a member whose score is in the worst quantile of
    the population takes the configuration and a copy of the checkpoint of one that is
    drawn from the best quantile. Explore changes the configuration; see `hpo_asha.explore`.
    A quantile has at least one member while two have scores. A score is the metric's last value,
    also where the best one is what counts for the study: it says how good the weights are that are
    copied.

    The population begins with configurations of the searcher's, or enqueued by a user. Once all
    are started, the member that has trained least is resumed first, so that few workers train
    many members in step. A member that diverges or whose job fails is the worst there is: it
    becomes a copy of a good one, until it has failed three times one after the other. When all
    members have failed, another population begins. When all have trained as far as can be, the
    search is exhausted. If the budget of trials ends, the population goes on with the members that
    there are.

    With the rules 1, for studies stored before: a quantile may be nobody, a failed member is not
    replaced, a score is what the study counts, and an incomplete population does not go on.

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
        super().__init__(problem, searcher, completes=settings.rules >= 2)
        self._seed = problem.seed
        self._objective = problem.objectives[0]
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
            if self._is_full and not self._completes:
                return self._without(new)
            instead = new
        resting = [
            member
            for member in self._alive.values()
            if member.id not in self._running and member.iterations < self._most
        ]
        for member in sorted(resting, key=lambda one: (one.iterations, one.id)):
            if (resume := self._next_interval(member)) is not None:
                return resume
        return self._without(instead)

    def no_more_trials(self) -> None:
        """Start no trial any more, and say so if that leaves the population incomplete."""
        super().no_more_trials()
        size = self._settings.population_size
        if self._started < size and self._completes:
            log.warning(
                "the budget of trials ends with %d of a population's %d: it goes on with those",
                self._started,
                size,
            )
        elif self._started < size:
            log.warning(
                "the budget of trials ends with %d of a population's %d: they are not "
                "resumed, since that depends on the missing members; extend the study by "
                "%d trials, or take a "
                "population_size of %d",
                self._started,
                size,
                size - self._started,
                self._started,
            )

    def _next_interval(self, member: Member) -> Resume | None:
        """Return how a member continues; None if it has failed and there is no member to copy."""
        generation = member.generation + 1
        stream = random.Random(f"pbt {self._seed} {member.id} {generation}")
        donor = self._donor(member, stream)
        if donor is None and member.failures:
            return None
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
        if self._settings.rules >= 2 and (member.failures or self._is_small(ranked)):
            few = max(few, 1)
        if not member.failures and member.score not in ranked[len(ranked) - few :]:
            return None
        best = [self._alive[each.trial_id] for each in ranked[:few] if each.is_finite]
        unfinished = [one for one in best if one.iterations < self._most]
        resting = [one for one in unfinished if one.id not in self._running]
        donors = resting or unfinished
        return donors[int(stream.random() * len(donors))] if donors else None

    def _is_small(self, ranked: list[RungResult]) -> bool:
        """Whether so many have failed that a quantile of the others would be empty."""
        well = sum(not one.failures for one in self._alive.values())
        return len(ranked) >= 2 and int(well * self._settings.quantile_fraction) == 0

    # -- results -----------------------------------------------------------------

    def _begin(self, trial_id: int, start: Start) -> Member:
        goal = self._settings.interval
        member = Member(trial_id, goal, self._target(start), start.configuration)
        self._alive[trial_id] = member
        self._started += 1
        return member

    def _resumed(self, trial: Member, resume: Resume) -> None:
        trial.goal = trial.target = self._target(resume)
        trial.generation += 1
        trial.latest = None
        if resume.configuration is not None:
            trial.configuration = resume.configuration

    def _watch(self, trial: Member, report: Report) -> Decision:
        self._note_latest(trial, report)
        return super()._watch(trial, report)

    def _note_latest(self, member: Member, report: Report) -> None:
        if self._metric in report.metrics:
            loss = self._objective.loss(report.metrics[self._metric])
            member.latest = loss if math.isfinite(loss) else math.inf

    def _score(self, member: Member, report: Report) -> RungResult:
        """Return what a member is ranked by, whose job has ended."""
        result = self._result(member, report)
        if self._settings.rules == 1 or self._objective.value == "last" or member.latest is None:
            return result
        return result._replace(loss=member.latest)

    def _end(self, trial: Member, report: Report) -> Decision:
        self._note_latest(trial, report)
        reached = self._reached(trial, report)
        if reached is None or self._was_never_paused(trial, reached):
            self._lose(trial, report, reached)
            self._searcher.finish(report)
            return Decision.CONTINUE
        trial.iterations = reached
        trial.score = self._score(trial, report)
        trial.failures = 0
        if reached >= self._most:
            self._searcher.finish(report)
            return Decision.CONTINUE
        self._searcher.finish(as_stopped(report, reached))
        return Decision.PAUSE

    def _lose(self, member: Member, report: Report, reached: int | None) -> None:
        """Let a member that can't be resumed wait for one to copy, or do without it."""
        member.score = None
        member.failures += 1
        gives_place_back = self._was_never_paused(member, reached)
        may_copy = (
            self._settings.rules >= 2
            and report.status in (Status.FAILED, Status.TIMED_OUT)
            and member.failures < FAILURES
        )
        if gives_place_back or not may_copy:
            del self._alive[member.id]
        if gives_place_back:
            self._started -= 1
        elif self._started >= self._settings.population_size and self._is_without_hope:
            self._alive.clear()
        if not self._alive:
            self._started = 0

    @property
    def _is_without_hope(self) -> bool:
        """Whether all members have failed, so that there is no member to copy."""
        return all(one.failures and one.id not in self._running for one in self._alive.values())
