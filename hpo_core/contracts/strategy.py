"""The contract of a strategy: it decides what to run next, and learns from what comes back."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec

from hpo_core.model.constraint import Constraint
from hpo_core.model.errors import StrategyError
from hpo_core.model.objective import Objective
from hpo_core.model.parameters import Categorical, Int, ParameterSet
from hpo_core.model.report import Decision, Report
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import JSON, Configuration, same_values


class Start(msgspec.Struct, gc=False, frozen=True, tag="start"):
    """Run a new trial.

    Attributes:
        configuration: A value for each active parameter; one of the space's, not forbidden.
        iterations: How far to train it; None for as far as the study lets a job go.
        notes: Plain JSON of the strategy's own (a bracket, a generation), stored with the trial
            and given back in the history.
    """

    configuration: Configuration
    iterations: int | None = None
    notes: Any = None


class Resume(msgspec.Struct, gc=False, frozen=True, tag="resume"):
    """Carry a paused or completed trial on from its checkpoint: a new job of the same trial.

    A failed trial can be resumed too, from a copy of another one's checkpoint.

    Attributes:
        trial_id: The trial.
        iterations: How far to train it, counted from its beginning.
        configuration: A new configuration for it (population-based training); None to keep it.
        checkpoint_from: The trial whose checkpoint to copy first; None to keep its own.
        notes: Plain JSON of the strategy's own, stored with the job.
    """

    trial_id: int
    iterations: int | None = None
    configuration: Configuration | None = None
    checkpoint_from: int | None = None
    notes: Any = None


class Wait(msgspec.Struct, frozen=True, tag="wait"):
    """Nothing to run now; ask again after the next report. Never with nothing running."""


class Exhausted(msgspec.Struct, frozen=True, tag="exhausted"):
    """Nothing to run ever again."""


Suggestion: TypeAlias = Start | Resume
"""A strategy's wish that something be run."""

Answer: TypeAlias = Start | Resume | Wait | Exhausted
"""What a strategy may answer when asked. `Wait` and `Exhausted` leave it unchanged."""


class Asked(msgspec.Struct, gc=False, frozen=True):
    """An ask of the past, with the suggestion that came of it.

    Attributes:
        trial_id: The id that a new trial would get, as it was passed to ``ask``.
        suggestion: What was suggested.
        adopted: Whether it came from elsewhere (a point that a user enqueued), by ``adopt``.
    """

    trial_id: int
    suggestion: Suggestion
    adopted: bool = False


class Told(msgspec.Struct, gc=False, frozen=True):
    """A report of the past, with the strategy's decision."""

    report: Report
    decision: Decision


class SavedState(msgspec.Struct, frozen=True):
    """A strategy's state as it was saved.

    Attributes:
        state: What ``save_state`` returned.
        events: How many events of the history it had seen by then.
    """

    state: Any
    events: int


History: TypeAlias = Sequence[Asked | Told]
"""Everything that was asked and told, in order."""


class Strategy(Protocol):
    """Decides what to run next.

    The controller calls from one thread. A strategy keeps its own random stream, seeded from
    `Problem.seed`, and leaves the global ones as they are.

    Besides these methods it may have six things more. ``capabilities``, a frozenset of
    `Capability`, says what this very strategy can do, where that is known only once it is built,
    or where there is no spec; it stands above the spec's. ``no_more_trials()`` is called at most
    once in a session, when the budget of trials is used up: from then on ``ask`` carries trials
    on, waits, or is exhausted, and starts none; without it the first `Start` is the last that is
    asked. ``handles_attempts``, if true, says that it replaces by itself what it heard of a trial
    when a report of a new `Report.attempt` comes; without it, it is built again where a job is
    retried that has reported, and restored from a history without those reports.
    ``compares_targets``, if true, says that it compares trials at the iterations that they were to
    train, also those that it adopts without any; see below. ``close()`` is called once, when the
    session is over, however it ends: for what has to be ended or freed.
    ``interrupt(at_once=False)`` is for a strategy that waits for something outside, such as
    another process. It is called from another thread or a signal handler, perhaps
    in the middle of another method, when the session is to end: from then on each method returns
    or raises `StrategyError` within about two seconds, with ``at_once=True`` immediately. What it
    was not told thereby, it is told when the study is resumed.

    A trial that its time limit has ended before its target is completed for its user. A strategy
    that resumes trials, has itself suggested that target or ``compares_targets`` would rank it
    where it has not been, and is told that it was stopped, at the iteration that it has reached.
    """

    def ask(self, trial_id: int, /) -> Answer:
        """Say what to run next.

        Args:
            trial_id: The id that a new trial gets if the answer is `Start`. It is offered again
                after any other answer.
        """
        ...

    def adopt(self, trial_id: int, suggestion: Suggestion, /) -> None:
        """Behave as though this had been your suggestion when asked with `trial_id`."""
        ...

    def tell(self, report: Report, /) -> Decision:
        """Take a report in: intermediate or final, in any order, perhaps late or repeated.

        Returns:
            What to do with the job; see `Decision`. After a final report only PAUSE matters.
        """
        ...

    def save_state(self) -> JSON:
        """Return what `restore` needs beyond the history, as plain JSON, small; None if nothing."""
        ...

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Take up where an interrupted run left off.

        Called at most once, before anything else, on a strategy that was built again. After it
        the next ``ask`` is the one that the uninterrupted run would have made.

        Args:
            history: All that was asked and told, in order.
            saved: The last state that was saved; the last events may be younger than it.
        """
        ...


class BaseStrategy:
    """A strategy that needs only ``ask``: override what yours does better.

    As it stands it learns nothing from reports, saves nothing, adopts nothing, and restores by
    doing it all again: each ask is made once more and compared, each report told once more.
    """

    def ask(self, trial_id: int, /) -> Answer:
        """Say what to run next; see `Strategy.ask`."""
        raise NotImplementedError

    def adopt(self, trial_id: int, suggestion: Suggestion, /) -> None:
        """Register a suggestion that came from elsewhere; here it changes nothing."""

    def tell(self, report: Report, /) -> Decision:
        """Take a report in; here it changes nothing, and every job goes on."""
        return Decision.CONTINUE

    def save_state(self) -> JSON:
        """Return what `restore` needs beyond the history; here nothing."""
        return None

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Do everything once more: a strategy for which that is slow overrides it.

        Raises:
            StrategyError: If an ask comes out otherwise than it is stored.
        """
        for event in history:
            match event:
                case Told(report):
                    self.tell(report)
                case Asked(trial_id, suggestion, adopted=True):
                    self.adopt(trial_id, suggestion)
                case Asked(trial_id, suggestion):
                    again = self.ask(trial_id)
                    if not same_answer(again, suggestion):
                        raise StrategyError(
                            f"restoring trial {trial_id}: the strategy now suggests {again}, but "
                            f"{suggestion} is stored; was it installed in another version?"
                        )

    def close(self) -> None:
        """Free what has to be freed; called once, when the session is over. Here nothing."""


def same_answer(one: Answer, other: Answer) -> bool:
    """Say whether two answers are equal, the types of their values too: 1 is not 1.0, nor True."""
    ours, theirs = (getattr(answer, "configuration", None) or {} for answer in (one, other))
    return one == other and same_values(ours, theirs)


class Capability(enum.Enum):
    """What a study may need of a strategy. What it needs and lacks is an error at the start."""

    CONDITIONAL = "conditional parameters"
    FORBIDDEN = "forbidden combinations"
    INTEGERS = "integers"
    CATEGORICALS = "categoricals"
    MULTI_OBJECTIVE = "several objectives"
    STOPPING = "stopping jobs early"
    RESUMING = "resuming trials"
    CONSTRAINTS = "constraints"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy is told of a study when it is built.

    Attributes:
        space: The search space.
        objectives: At least one; reports carry a loss for each, in this order.
        constraints: Metrics that must keep a bound; reports carry them in ``metrics``.
        seed: The study's seed; the source of all randomness.
        min_iterations: The least iteration at which a job may be stopped or paused.
        max_iterations: The most iterations of a job; None if not limited.
        workers: How many jobs run at once.
    """

    space: SearchSpace
    objectives: tuple[Objective, ...]
    seed: int
    constraints: tuple[Constraint, ...] = ()
    min_iterations: int = 1
    max_iterations: int | None = None
    workers: int = 1

    @property
    def needs(self) -> frozenset[Capability]:
        """What it needs of its strategy."""
        axes = self.space.parameters
        wanted = {
            Capability.CONDITIONAL: self.space.is_conditional,
            Capability.FORBIDDEN: bool(self.space.forbidden),
            Capability.INTEGERS: any(isinstance(axis, Int) for axis in axes),
            Capability.CATEGORICALS: any(
                isinstance(axis, Categorical | ParameterSet) for axis in axes
            ),
            Capability.MULTI_OBJECTIVE: len(self.objectives) > 1,
            Capability.CONSTRAINTS: bool(self.constraints),
        }
        return frozenset(need for need, is_needed in wanted.items() if is_needed)


class NoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options type of what takes no options."""


class StrategySpec(msgspec.Struct, frozen=True, kw_only=True):
    """Announces one strategy of a plugin; making it imports nothing heavy.

    Attributes:
        name: The config string: the plugin's entry-point name, such as ``"optuna"``, or with a
            variant, ``"optuna:cmaes"``. The first spec of a plugin is its default.
        summary: One line for ``hpo plugins``.
        build: Makes the strategy, from the problem and the options; imports what it needs.
            It raises `hpo_core.InvalidInput` for options that don't suit the problem, and
            `hpo_core.plugin.Unsupported` for a problem that is beyond it.
        options: A frozen `msgspec.Struct` with the options, their types and defaults.
        capabilities: What it can do; see also `Strategy`.
        stored_defaults: For each option that was added in a later version the value by which a
            study that was stored before it goes on as it was. New studies get the option's default.
    """

    name: str
    summary: str
    build: Callable[[Problem, Any], Strategy]
    options: type[msgspec.Struct] = NoOptions
    capabilities: frozenset[Capability] = frozenset()
    stored_defaults: Mapping[str, Any] = {}
