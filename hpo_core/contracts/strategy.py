"""The contract of a strategy, which suggests what to run and learns from reports."""

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
        configuration: A valid configuration of the search space: a value for each active parameter,
            not forbidden.
        iterations: Number of iterations to train; None for the maximum of the study.
        notes: Plain JSON for the strategy itself (a bracket, a generation), stored with the trial
            and returned in the history.
    """

    configuration: Configuration
    iterations: int | None = None
    notes: Any = None


class Resume(msgspec.Struct, gc=False, frozen=True, tag="resume"):
    """Resume a paused or completed trial from its checkpoint, with a new job.

    A failed trial can also be resumed, from a copy of another trial's checkpoint.

    Attributes:
        trial_id: The trial's number.
        iterations: Number of iterations to train, counted from the start of the trial.
        configuration: A new configuration (population-based training); None to keep the current
            one.
        checkpoint_from: The trial whose checkpoint is copied first; None to use its own.
        notes: Plain JSON for the strategy itself, stored with the job.
    """

    trial_id: int
    iterations: int | None = None
    configuration: Configuration | None = None
    checkpoint_from: int | None = None
    notes: Any = None


class Wait(msgspec.Struct, frozen=True, tag="wait"):
    """Nothing to run now; ask again after the next report. Only valid while a job is running."""


class Exhausted(msgspec.Struct, frozen=True, tag="exhausted"):
    """Nothing left to run."""


Suggestion: TypeAlias = Start | Resume
"""A suggestion of a strategy to run a job."""

Answer: TypeAlias = Start | Resume | Wait | Exhausted
"""The possible answers of `Strategy.ask`. `Wait` and `Exhausted` must not change the state of the
strategy: such an ask is not in the history.
"""


class Asked(msgspec.Struct, gc=False, frozen=True):
    """A past call of ``ask`` and the suggestion it returned, or a past call of ``adopt``.

    Attributes:
        trial_id: The id of a new trial, as passed to ``ask``.
        suggestion: The suggestion.
        adopted: Whether the suggestion was made elsewhere, such as a configuration that the user
            enqueued, and passed to ``adopt``.
    """

    trial_id: int
    suggestion: Suggestion
    adopted: bool = False


class Told(msgspec.Struct, gc=False, frozen=True):
    """A past report, with the strategy's decision."""

    report: Report
    decision: Decision


class SavedState(msgspec.Struct, frozen=True):
    """The saved state of a strategy.

    Attributes:
        state: The value that ``save_state`` returned.
        events: Number of events of the history that precede the state.
    """

    state: Any
    events: int


History: TypeAlias = Sequence[Asked | Told]
"""All past asks and reports, in order."""


class Strategy(Protocol):
    """Suggests what to run next.

    All calls come from the controller's thread. A strategy uses its own random stream, seeded with
    `Problem.seed`, and does not change the state of global ones.

    A strategy may have six optional members:

    ``capabilities``: a frozenset of `Capability` for this instance, if they are known only once it
    is built, or if there is no spec. It takes precedence over the spec.

    ``no_more_trials()``: called at most once in a session, when the budget allows no more trials.
    After it, ``ask`` must not return `Start`. Without this method, no more asks are made after the
    first `Start` that exceeds the budget.

    ``handles_attempts``: if true, a report with a new `Report.attempt` replaces earlier reports of
    the trial within the strategy. Otherwise, when a job that has reported is retried, the strategy
    is built again and restored from a history without those reports.

    ``compares_targets``: if true, the strategy compares trials at their target iterations,
    including adopted trials without a target; see below.

    ``close()``: called once at the end of the session, however it ends, to release resources.

    ``interrupt(at_once=False)``: for a strategy that waits for something external, such as another
    process. It is called from another thread or a signal handler, possibly during another method,
    to end the session. After it, each method must return or raise `StrategyError` within about two
    seconds, with ``at_once=True`` immediately. Reports that are lost thereby are passed again when
    the study is resumed.

    A trial that its time limit has ended before its target is completed for the user. A strategy
    that can resume trials, has suggested the target itself, or has ``compares_targets`` would rank
    such a trial at an iteration it has not reached. Its report therefore has the status STOPPED, at
    the iteration reached.
    """

    def ask(self, trial_id: int, /) -> Answer:
        """Suggest what to run next.

        Args:
        trial_id: The id of the new trial if the answer is `Start`. After any other answer, the same
        id is passed again.
        """
        ...

    def adopt(self, trial_id: int, suggestion: Suggestion, /) -> None:
        """Register a suggestion made elsewhere, as if `ask(trial_id)` had returned it.

        Args:
            trial_id: The id that a new trial gets.
            suggestion: A `Start` that the user enqueued or imported; with ``--adopt-history`` also
                a `Resume` that an earlier version of the strategy had suggested.
        """
        ...

    def tell(self, report: Report, /) -> Decision:
        """Handle a report. Reports may be intermediate or final, and may arrive late, repeated or
        out of order.

        Returns:
            The decision about the job. After a final report, only PAUSE has an effect.
        """
        ...

    def save_state(self) -> JSON:
        """Return the state that `restore` needs besides the history: small plain JSON, or None."""
        ...

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Restore the state of an interrupted run.

        Called at most once, as the first call on a newly built strategy. After it, the next ``ask``
        must return the same suggestion as in an uninterrupted run.

        Args:
            history: All past asks and reports, in order.
            saved: The last saved state. The last events of the history may be newer.
        """
        ...


class BaseStrategy:
    """Base class of strategies: only ``ask`` is required.

    By default, reports and adopted suggestions are ignored and no state is saved. `restore` replays
    the history: it repeats each ask, compares the answer, and passes each report again.
    """

    def ask(self, trial_id: int, /) -> Answer:
        """Suggest what to run next; see `Strategy.ask`."""
        raise NotImplementedError

    def adopt(self, trial_id: int, suggestion: Suggestion, /) -> None:
        """Register a suggestion made elsewhere. By default, it is ignored."""

    def tell(self, report: Report, /) -> Decision:
        """Handle a report. By default, it is ignored, and every job continues."""
        return Decision.CONTINUE

    def save_state(self) -> JSON:
        """Return the state that `restore` needs besides the history. By default, none."""
        return None

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Replay the history. Override it in a strategy for which that is slow.

        Raises:
            StrategyError: If an ask returns another suggestion than the stored one.
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
        """Release resources; called once, at the end of the session. By default, does nothing."""


def same_answer(one: Answer, other: Answer) -> bool:
    """Return whether two answers are equal, including the types of their values."""
    ours, theirs = (getattr(answer, "configuration", None) or {} for answer in (one, other))
    return one == other and same_values(ours, theirs)


class Capability(enum.Enum):
    """A feature that a study may need. If the strategy lacks a needed feature, the start fails."""

    CONDITIONAL = "conditional parameters"
    FORBIDDEN = "forbidden combinations"
    INTEGERS = "integers"
    CATEGORICALS = "categoricals"
    MULTI_OBJECTIVE = "several objectives"
    STOPPING = "stopping jobs early"
    RESUMING = "resuming trials"
    CONSTRAINTS = "constraints"
    RANGES = "conditions on ranges"
    LINEAR = "linear inequalities"
    STRUCTURED = "choices that are lists or tables"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Information about a study, passed to a strategy when it is built.

    Attributes:
        space: The search space.
        objectives: The objectives, at least one. Reports have a loss for each, in this order.
        constraints: Upper bounds on metrics; reports have the values in ``metrics``.
        seed: Random seed of the study.
        min_iterations: Minimum number of iterations before a job may be stopped or paused.
        max_iterations: Maximum number of iterations per job; None if unlimited.
        workers: Maximum number of jobs that run at once.
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
        """The capabilities that the strategy must have."""
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
            Capability.RANGES: self.space.has_ranges,
            Capability.LINEAR: bool(self.space.linear),
            Capability.STRUCTURED: any(axis.has_structure for axis in axes),
        }
        return frozenset(need for need, is_needed in wanted.items() if is_needed)


class NoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options type of a plugin without options."""


class StrategySpec(msgspec.Struct, frozen=True, kw_only=True):
    """Describes a strategy of a plugin. Creating the spec should import nothing heavy.

    Attributes:
        name: The config string: the plugin's entry-point name, such as ``"optuna"``, optionally
            with a variant: ``"optuna:cmaes"``. The first spec of a plugin is the default.
        summary: One line for ``hpo plugins``.
        build: Builds the strategy from the problem and the options, and imports what it needs.
            Raises `hpo_core.InvalidInput` for options that do not suit the problem, and
            `hpo_core.plugin.Unsupported` for a problem that it does not support.
        options: A frozen `msgspec.Struct` with the options, their types and defaults.
        capabilities: The capabilities of the strategy; see also `Strategy`.
        stored_defaults: For each option added in a later version, the value for studies stored
            before it existed, which preserves their behaviour. New studies get the default of the
            option.
        jobs_to_complete: Returns the least number of jobs, given the problem and the options, after
            which a first trial can have trained to ``max_iterations``. A smaller budget of jobs
            gets a warning. None for a strategy that trains each trial in one job.
        is_adaptive: Whether reports may change its suggestions. If not, as in grid and random
            search, short jobs are suggested before a worker is free for them.
    """

    name: str
    summary: str
    build: Callable[[Problem, Any], Strategy]
    options: type[msgspec.Struct] = NoOptions
    capabilities: frozenset[Capability] = frozenset()
    stored_defaults: Mapping[str, Any] = {}
    jobs_to_complete: Callable[[Problem, Any], int] | None = None
    is_adaptive: bool = True
