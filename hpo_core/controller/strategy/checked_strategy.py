"""A strategy whose answers are validated and whose exceptions are converted."""

from __future__ import annotations

import logging
import threading
from typing import Any

from hpo_core.config import StudyConfig
from hpo_core.contracts.strategy import Answer, Exhausted, Resume, Start, Strategy, Suggestion, Wait
from hpo_core.controller.strategy.rebuild import handles_attempts
from hpo_core.model.errors import StrategyError
from hpo_core.model.report import Decision, Report
from hpo_core.model.text import counted
from hpo_core.model.values import JSON, Configuration
from hpo_core.store.records import decode, encode

_log = logging.getLogger("hpo_core")

_ANYTHING = (Exception, SystemExit)  # exceptions that a plugin may raise


class StrategyInterrupted(StrategyError):
    """The strategy did not answer in time while the study was ending."""


class CheckedStrategy:
    """A wrapper of a strategy that validates its answers.

    Args:
        strategy: The strategy.
        config: The study's configuration.

    Attributes:
        lost: The error with which it ended when it was interrupted, or None. After an error the
            strategy is not called any more; it is told the missing reports when the study is
            resumed.
    """

    def __init__(self, strategy: Strategy, config: StudyConfig) -> None:
        self._strategy = strategy
        self._name = config.strategy.name
        self._space = config.space
        self._least = config.job.min_iterations
        self._most = config.job.max_iterations
        self._is_full = False  # whether no_more_trials was called
        self._is_interrupted = False
        self.lost: StrategyInterrupted | None = None
        self._timer: threading.Timer | None = None

    @property
    def handles_attempts(self) -> bool:
        """Whether it replaces the reports of an earlier attempt by itself."""
        return handles_attempts(self._strategy)

    @property
    def compares_targets(self) -> bool:
        """Whether it compares trials at their target iterations, whoever set them."""
        return bool(getattr(self._strategy, "compares_targets", False))

    def replace(self, strategy: Strategy, *, is_full: bool | None = None) -> None:
        """Continue with another strategy that has been told the same history.

        Args:
            strategy: The other strategy.
            is_full: Whether to call its `no_more_trials`; None if unchanged.

        Raises:
            StrategyError: If it raises.
        """
        if strategy is not self._strategy:
            self.close()
        self._strategy = strategy
        self._is_full = self._is_full if is_full is None else is_full
        if self._is_full:
            self.no_more_trials()
        if self._is_interrupted:
            self.interrupt()

    def ask(self, trial_id: int) -> tuple[Answer, JSON]:
        """Return the strategy's answer, and its state to be saved after a suggestion.

        Raises:
            StrategyError: If it raises, or its answer is invalid.
        """
        answer = self._call("ask", trial_id)
        if isinstance(answer, Wait | Exhausted):
            return answer, None
        if not isinstance(answer, Start | Resume):
            raise self.broken(f"ask returned {answer!r}, not a suggestion")
        self._check(answer)
        return answer, self._state()

    def adopt(self, trial_id: int, suggestion: Suggestion) -> JSON:
        """Register a suggestion that was made elsewhere with the strategy; return its state.

        Raises:
            StrategyError: If it raises.
        """
        self._call("adopt", trial_id, suggestion)
        return self._state()

    def tell(self, report: Report) -> Decision:
        """Tell the strategy, and return its decision.

        Raises:
            StrategyError: If it raises, or answers what it may not.
        """
        decision = self._call("tell", report)
        if type(decision) is not Decision:
            raise self.broken(f"tell returned {decision!r}, not a Decision")
        return decision

    def no_more_trials(self) -> bool:
        """Tell the strategy that it can start no more trials; return whether it has that method.

        Raises:
            StrategyError: If it raises.
        """
        if getattr(self._strategy, "no_more_trials", None) is None:
            return False
        self._call("no_more_trials")
        self._is_full = True
        return True

    def interrupt(self, *, at_once: bool = False) -> None:
        """Interrupt a strategy that waits for something, because the study is ending.

        Safe in any thread and signal handler. A strategy without ``interrupt`` does not wait.
        """
        interrupt = getattr(self._strategy, "interrupt", None)
        if interrupt is None:
            return
        self._is_interrupted = True
        try:
            interrupt(at_once=at_once)
        except _ANYTHING as error:  # the call comes from outside of a turn
            _log.warning("%s", self._raised("interrupt", error))

    def interrupt_after(self, seconds: float) -> None:
        """Interrupt the strategy after a number of seconds, when the study's time is up."""
        if self._timer is not None:
            self._timer.cancel()
        if seconds <= threading.TIMEOUT_MAX and hasattr(self._strategy, "interrupt"):
            self._timer = threading.Timer(max(seconds, 0.0), self.interrupt)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Let the strategy release its resources at the end of the study."""
        if self._timer is not None:
            self._timer.cancel()
        close = getattr(self._strategy, "close", None)
        if close is None:
            return
        try:
            close()
        except _ANYTHING as error:  # too late to affect the study
            _log.warning("%s", self._raised("close", error))

    def broken(self, what: str) -> StrategyError:
        """Return the error for a violation of the contract."""
        return StrategyError(f"the strategy {self._name!r} broke its contract: {what}")

    def _call(self, method: str, *given: Any) -> Any:
        """Call a method of the strategy.

        Raises:
            StrategyError: If it raises anything.
        """
        try:
            return getattr(self._strategy, method)(*given)
        except _ANYTHING as error:
            raised = self._raised(method, error)
            if isinstance(error, StrategyError) and self._is_interrupted and self.lost is None:
                self.lost = StrategyInterrupted(str(raised))
                _log.warning(
                    "the study ends without its strategy: %s; the strategy is told the "
                    "missing reports when the study is resumed",
                    raised,
                )
                raise self.lost from error
            raise raised from error

    def _state(self) -> JSON:
        state: JSON = self._call("save_state")
        self._check_plain(state, "its state")
        return state

    def _check_plain(self, value: JSON, what: str) -> None:
        """Check that a value survives a round trip through the store."""
        if value is None:
            return
        try:
            is_plain = decode(encode(value)) == value
        except (TypeError, ValueError, RecursionError):
            is_plain = False
        if not is_plain:
            raise self.broken(
                f"{what} is not plain JSON (dicts with text as keys, lists, texts, finite numbers, "
                f"True, False, None): {value!r:.200}"
            )

    def _check(self, suggestion: Suggestion) -> None:
        self._check_plain(suggestion.notes, "what it notes")
        configuration = suggestion.configuration
        if configuration is not None:
            if type(configuration) is not Configuration:
                raise self.broken(f"its configuration is {configuration!r}, not a Configuration")
            if faults := self._space.wrong(configuration):
                said = "; ".join(map(str, faults))
                raise self.broken(f"it suggested {dict(configuration)}: {said}")
        target = suggestion.iterations
        if target is not None and type(target) is not int:
            raise self.broken(f"it requested {target!r} iterations, which is not an integer")
        if target is not None and not (
            self._least <= target and (self._most is None or target <= self._most)
        ):
            most = "no maximum" if self._most is None else f"the maximum is {self._most}"
            raise self.broken(
                f"it requested {counted(target, 'iteration')}; the minimum is {self._least}, "
                f"and {most}"
            )

    def _raised(self, method: str, error: BaseException) -> StrategyError:
        if isinstance(error, StrategyError):
            return error
        return StrategyError(
            f"the strategy {self._name!r} raised {type(error).__name__} in {method}: {error}"
        )
