"""Hill climbing: from the best of a few random trials, one step at a time."""

from __future__ import annotations

from random import Random

from hpo_core.plugin import (
    BaseStrategy,
    Configuration,
    Decision,
    Problem,
    Report,
    Resume,
    Start,
    Status,
    StrategyError,
)

from hpo_hillclimb.moves import a_step_away, anywhere
from hpo_hillclimb.options import Options, check

STEPS = 100
"""Number of forbidden steps in a row after which a random configuration is drawn."""

ATTEMPTS = 10_000
"""Number of forbidden configurations in a row after which the strategy fails."""


class HillClimb(BaseStrategy):
    """Step away from the best configuration of a climb, and start a new climb when it is stuck.

    Args:
        problem: The study.
        options: The options of the strategy.

    Raises:
        InvalidInput: For an option that is out of its range.
    """

    def __init__(self, problem: Problem, options: Options) -> None:
        check(options)
        self._space = problem.space
        self._seed = problem.seed
        self._options = options
        self._running: dict[int, Configuration] = {}
        self._top: tuple[float, Configuration] | None = None
        self._draws = options.first  # random trials before the climb starts
        self._misses = 0  # results in a row without an improvement

    def ask(self, trial_id: int, /) -> Start:
        """Suggest a step from the top, or a random configuration at the start of a climb."""
        stream = Random(f"hillclimb {self._seed} {trial_id}")
        for attempt in range(ATTEMPTS):
            if self._top is None or self._draws > 0 or attempt >= STEPS:
                found = anywhere(self._space, stream)
            else:
                found = a_step_away(self._space, self._top[1], self._options.step, stream)
            if not self._space.is_forbidden(found):
                self._running[trial_id] = found
                return Start(found)
        raise StrategyError(
            f"trial {trial_id}: {ATTEMPTS:,} configurations in a row were forbidden; leave those "
            "values out of the parameters instead"
        )

    def adopt(self, trial_id: int, suggestion: Start | Resume, /) -> None:
        """Register a configuration that the user enqueued, as if `ask` had returned it."""
        if isinstance(suggestion, Start):
            self._running[trial_id] = suggestion.configuration

    def tell(self, report: Report, /) -> Decision:
        """Learn from the end of a trial; never stop a job."""
        if report.is_final and report.trial_id in self._running:
            found = self._running.pop(report.trial_id)
            loss = report.losses[0] if report.losses is not None else None
            self._learn(found, loss if report.status is Status.COMPLETED else None)
        return Decision.CONTINUE

    def _learn(self, found: Configuration, loss: float | None) -> None:
        """Count a result, None for a failed trial."""
        self._draws -= 1
        if loss is not None and (self._top is None or loss < self._top[0]):
            self._top = (loss, found)
            self._misses = 0
        elif self._draws < 0:
            self._misses += 1
        if self._misses >= self._options.patience:  # stuck: start another climb
            self._top = None
            self._draws = self._options.first
            self._misses = 0
