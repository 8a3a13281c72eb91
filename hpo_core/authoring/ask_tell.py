"""`AskTell`: a strategy based on any library with an ask-and-tell interface.

The library works with points of the unit cube and losses (lower is better). This class handles
everything else: parameters of every kind, conditions, forbidden combinations, repeated suggestions,
enqueued configurations, failed trials, the library's random streams, and recovery.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, ClassVar

import msgspec

from hpo_core.authoring.cube import UnitCube
from hpo_core.authoring.streams import RandomStreams, loaded
from hpo_core.authoring.tried import Tried
from hpo_core.contracts.strategy import (
    Asked,
    BaseStrategy,
    Capability,
    Exhausted,
    History,
    NoOptions,
    Problem,
    SavedState,
    Start,
    Suggestion,
    Told,
    Wait,
)
from hpo_core.model.report import Decision, Report
from hpo_core.model.values import JSON, Configuration, same_values

TRIES = 20
"""Number of unusable suggestions of the library in a row after which a random configuration is
used.
"""


class AskTell(BaseStrategy):
    """A strategy based on a library with ask and tell: override `setup`, `suggest` and `learn`.

    The library is asked when hpo-core asks, and told when a trial ends. It is told the result of
    each of its candidates once: the loss of the trial; immediately the known loss if the
    configuration has been tried before; or the worst loss so far if the trial fails or the
    configuration is forbidden (see `failed`). If it suggests nothing new, a random configuration is
    used.

    While one of the following methods runs, the global random streams of `random`, numpy and
    PyTorch are replaced by the strategy's own, seeded by the study. The methods must depend only on
    their arguments, not on time, files, or the order of a set. By default, a study is resumed by
    replaying its history; implement `save` and `load` to make that fast.

    Args:
        problem: The problem.
        options: The strategy's options.

    Attributes:
        problem: The study.
        options: The strategy's options.
        cube: Converts between points and configurations.
    """

    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.CONDITIONAL,
            Capability.FORBIDDEN,
            Capability.INTEGERS,
            Capability.CATEGORICALS,
        }
    )
    """The capabilities, also used for its `StrategySpec`."""

    least_dimensions: ClassVar[int] = 1
    """Minimum number of coordinates that the library accepts; coordinates without effect are
    added.
    """

    repeats: ClassVar[bool] = False
    """Whether a configuration may be tried again, for objectives with noise."""

    handles_attempts = True  # it ignores the reports of running jobs

    def __init__(self, problem: Problem, options: Any = NoOptions()) -> None:  # noqa: B008  # frozen
        self.problem = problem
        self.options = options
        self.cube = UnitCube(problem.space, self.least_dimensions)
        self._tried = Tried(problem.space, problem.seed, repeats=self.repeats)
        self._running: dict[int, _Trial] = {}
        self._failed: list[Any] = []  # candidates that failed before the first loss
        self._held: _Trial | None = None  # a suggestion replaced by an adopted one
        before = loaded()
        self._set_up()
        if loaded() != before:  # it has just imported numpy or PyTorch
            self._set_up()

    # -- the library -------------------------------------------------

    def setup(self, dimensions: int, seed: int) -> None:
        """Create the library's optimizer. Called when the strategy is built, possibly twice.

        Args:
            dimensions: Number of coordinates of a point, each from 0 to 1.
            seed: A seed for the library, from 1 to 2^31 - 1, derived from that of the study.
        """
        raise NotImplementedError

    def suggest(self) -> Any:
        """Return the library's next candidate: a point, or any object that `point` accepts.

        None means that it needs the results of earlier candidates first. It must not change the
        state.
        """
        raise NotImplementedError

    def learn(self, candidate: Any, loss: float) -> None:
        """Tell the library the loss of a candidate; lower is better."""
        raise NotImplementedError

    def foreign(self, point: list[float], loss: float) -> None:
        """Tell the library the loss of a point that it has not suggested. By default, it is not
        told.
        """

    def point(self, candidate: Any) -> Sequence[float]:
        """Return the coordinates of a candidate. By default, a candidate is a list of
        coordinates.
        """
        coordinates: Sequence[float] = candidate
        return coordinates

    def configuration(self, candidate: Any) -> Configuration:
        """Return the configuration of a candidate. By default, it is that at its `point`.

        For a library that suggests values of the parameters themselves.
        """
        return self.cube.configuration(self._coordinates(candidate))

    def failed(self, candidate: Any, worst: float) -> None:
        """Tell the library of a candidate without a loss. By default, it is told the worst loss so
        far.

        Called only after the first loss.
        """
        self.learn(candidate, worst)

    def save(self) -> JSON:
        """Return the optimizer's state as small plain JSON, or None if it cannot be saved."""
        return None

    def load(self, state: Any) -> None:
        """Restore a state that `save` returned, after `setup` has created the optimizer.

        From then on, running candidates are represented by their points, as lists of floats.
        """
        raise NotImplementedError

    # -- the strategy -----------------------------------------------------------------------

    def ask(self, trial_id: int, /) -> Start | Wait | Exhausted:
        """Suggest a configuration of the library, or a random one if the library suggests nothing
        new.

        Raises:
            StrategyError: If neither the library nor random sampling finds an allowed
                configuration.
        """
        if self._tried.is_all:
            return Exhausted()
        trial = self._next(trial_id)
        if trial is None:
            return Wait()
        self._start(trial_id, trial)
        return Start(trial.configuration)

    def adopt(self, trial_id: int, suggestion: Suggestion, /) -> None:
        """Run another configuration in place of the library's, which is kept for the next ask."""
        if not isinstance(suggestion, Start):
            return
        trial = None if self._tried.is_all else self._next(trial_id)
        if trial is None or not same_values(trial.configuration, suggestion.configuration):
            self._held = trial
            trial = _Trial(suggestion.configuration, [])
        self._start(trial_id, trial)

    def tell(self, report: Report, /) -> Decision:
        """Tell the library the result of a trial at its end."""
        if report.is_final and report.trial_id in self._running:
            self._conclude(*self._end(report))
        return Decision.CONTINUE

    def save_state(self) -> JSON:
        """Return the library's state, if it can be saved, and the results it has not been told."""
        with self._streams.in_place():
            library = self.save()
            if library is None:
                return None
            running = {str(trial_id): self._points(t) for trial_id, t in self._running.items()}
            failed = [self._coordinates(candidate) for candidate in self._failed]
            held = self._held and [dict(self._held.configuration), self._points(self._held)]
        return {
            "library": library,
            "running": running,
            "failed": failed,
            "held": held,
            "streams": self._streams.to_json(),
        }

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Replay the history, or the part after the library's saved state."""
        if saved is None:
            super().restore(history, None)
            return
        for event in history[: saved.events]:
            match event:
                case Asked(trial_id, Start(configuration)):
                    self._start(trial_id, _Trial(configuration, []))
                case Told(report) if report.is_final and report.trial_id in self._running:
                    self._end(report)
        state = saved.state
        for trial_id, candidates in state["running"].items():
            self._running[int(trial_id)].candidates = candidates
        self._failed = state["failed"]
        if state["held"] is not None:
            configuration, candidates = state["held"]
            self._held = _Trial(Configuration(configuration), candidates)
        self._streams.restore(state["streams"])
        with self._streams.in_place():
            self.load(state["library"])
        super().restore(history[saved.events :], None)

    # -- candidates -------------------------------------------------------------------------

    def _set_up(self) -> None:
        digest = blake2b(str(self.problem.seed).encode(), digest_size=4).digest()
        self._streams = RandomStreams(self.problem.seed)
        with self._streams.in_place():
            self.setup(self.cube.size, int.from_bytes(digest, "little") % (2**31 - 1) + 1)

    def _next(self, trial_id: int) -> _Trial | None:
        """Return the next trial; None if the library needs results first."""
        held, self._held = self._held, None
        if held is not None and self._is_fit(held):
            return held
        for attempt in range(TRIES):
            with self._streams.in_place():
                candidate = self.suggest()
                if candidate is None:
                    is_unchanged = held is None and attempt == 0
                    if is_unchanged and self._running:
                        return None
                    break
                configuration = self.configuration(candidate)
            trial = _Trial(configuration, [candidate])
            if self._is_fit(trial):
                return trial
        return _Trial(self._tried.draw(trial_id), [])

    def _coordinates(self, candidate: Any) -> list[float]:
        return [float(coordinate) for coordinate in self.point(candidate)]

    def _points(self, trial: _Trial) -> list[list[float]]:
        return [self._coordinates(candidate) for candidate in trial.candidates]

    def _is_fit(self, trial: _Trial) -> bool:
        """Return whether to run a candidate. If not, the library is informed, now or later."""
        configuration = trial.configuration
        if self.problem.space.is_forbidden(configuration):
            self._conclude(trial, None)
            return False
        if self._tried.may_run(configuration):
            return True
        running = (t for t in self._running.values() if same_values(t.configuration, configuration))
        if (same := next(running, None)) is not None:
            same.candidates += trial.candidates
        elif trial.candidates:
            self._conclude(trial, self._tried.loss_of(configuration))
        return False

    def _end(self, report: Report) -> tuple[_Trial, float | None]:
        """Record the end of a running trial; return it with its loss, or None without a loss."""
        trial = self._running.pop(report.trial_id)
        loss = None if report.losses is None else report.losses[0]
        self._tried.add(trial.configuration, loss)
        return trial, loss

    def _start(self, trial_id: int, trial: _Trial) -> None:
        self._running[trial_id] = trial
        self._tried.add(trial.configuration)

    def _conclude(self, trial: _Trial, loss: float | None) -> None:
        """Tell the library the result of a trial, for its candidates or as a foreign point."""
        with self._streams.in_place():
            if loss is None:
                self._failed += trial.candidates
            elif trial.candidates:
                for candidate in trial.candidates:
                    self.learn(candidate, loss)
            else:
                self.foreign(self.cube.point(trial.configuration), loss)
            if (worst := self._tried.worst) is not None:
                failed, self._failed = self._failed, []
                for candidate in failed:
                    self.failed(candidate, worst)


class _Trial(msgspec.Struct):
    """A running trial, or one that may be run next.

    Attributes:
        configuration: Its configuration.
        candidates: The library's candidates with this configuration: none, one, or several if it
            was suggested again while running.
    """

    configuration: Configuration
    candidates: list[Any]
