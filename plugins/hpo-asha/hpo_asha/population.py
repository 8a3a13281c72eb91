"""Population-based training: bad members copy checkpoints of good ones, and change their values."""

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
        configuration: Its current values.
        iterations: The iteration that it has reached.
        score: Its score at the end of its last job; None before that, and if that job failed.
        generation: How many times it was resumed.
        failures: Number of its jobs that have failed in a row.
        latest: The last reported value of the metric as a loss, or None.
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
    """The settings of a population; see `hpo_asha.options.PBTOptions`."""

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
    the population takes the configuration and a copy of the checkpoint of a member that is drawn
    from the best quantile. Explore changes the configuration; see `hpo_asha.explore`.
    A quantile has at least one member while two members have scores. A score is the last value of
    the metric, even if the best value counts for the study: it measures the weights that are
    copied.

    The population begins with configurations of the searcher, or of the user. Once all members are
    started, the member with the fewest iterations is resumed first, so that few workers train many
    members evenly. A member that diverges or whose job fails is the worst: it becomes a copy of a
    good one, until it has failed three times in a row. When all members have failed, another
    population begins. When all have trained to the maximum, the search is exhausted. If the budget
    of trials ends, the population continues with its present members.

    With rules 1, for older stored studies: a quantile may be empty, a failed member is not
    replaced, a score is the value that counts for the study, and an incomplete population does not
    continue.

    A donor is one of the best members that is not running, if possible, since its checkpoint is not
    being written then. A copy of a running member gets the target of that member's job. A member
    that has trained to the end is not a donor: nothing would be left to train.

    The notes of each `Resume` contain the ``generation`` and, after an exploit, the donor
    (``from``) and the changed values (``changed``). The random numbers of a decision depend only on
    the seed, the trial and the generation. The searcher is told that a member is stopped at the end
    of its first interval: later its configuration is not the suggested one.

    Args:
        problem: The study.
        searcher: Where the first configurations come from.
        settings: The settings of the population.
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
        self._started = 0  # number of started members, including failed ones

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
        """Start no more trials, and warn if the population remains incomplete."""
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
        """Return the donor of a member; None if it is not among the worst, or no donor exists."""
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
        """Whether a quantile of the members without a failure would be empty."""
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
        """Return the score of a member whose job has ended."""
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
        """Let a member that cannot be resumed wait for a donor, or drop it."""
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
        """Whether all members have failed, so that no donor exists."""
        return all(one.failures and one.id not in self._running for one in self._alive.values())
