"""The strategy as the controller holds it: what it answers is checked, what it raises is named."""

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

_ANYTHING = (Exception, SystemExit)  # what a plugin may raise


class StrategyInterrupted(StrategyError):
    """The strategy did not answer in time while the study was to end."""


class CheckedStrategy:
    """A strategy that only answers as it may.

    Args:
        strategy: The strategy.
        config: The study's configuration.

    Attributes:
        lost: The error by which it ended when it was interrupted, if it did. It is told nothing
            more then, and hears of that when the study is resumed.
    """

    def __init__(self, strategy: Strategy, config: StudyConfig) -> None:
        self._strategy = strategy
        self._name = config.strategy.name
        self._space = config.space
        self._least = config.job.min_iterations
        self._most = config.job.max_iterations
        self._is_full = False  # whether it was told that it can start no more trials
        self._is_interrupted = False
        self.lost: StrategyInterrupted | None = None
        self._timer: threading.Timer | None = None

    @property
    def handles_attempts(self) -> bool:
        """Whether it replaces by itself what it heard of an earlier attempt."""
        return handles_attempts(self._strategy)

    @property
    def compares_targets(self) -> bool:
        """Whether it compares trials at the iterations that they were to train, whoever said so."""
        return bool(getattr(self._strategy, "compares_targets", False))

    def replace(self, strategy: Strategy, *, is_full: bool | None = None) -> None:
        """Go on with another strategy, which knows what this one is to know.

        Args:
            strategy: The other strategy.
            is_full: Whether it can start no more trials, and is told so; None if that is as before.

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
            StrategyError: If it raises, or answers what it may not.
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
        """Have a strategy answer soon that waits for something; the study is to end.

        Safe from any thread and signal handler. A strategy without ``interrupt`` waits for nothing.
        """
        interrupt = getattr(self._strategy, "interrupt", None)
        if interrupt is None:
            return
        self._is_interrupted = True
        try:
            interrupt(at_once=at_once)
        except _ANYTHING as error:  # it comes from outside of any turn
            _log.warning("%s", self._raised("interrupt", error))

    def interrupt_after(self, seconds: float) -> None:
        """Interrupt the strategy after so many seconds: the study's time is up then."""
        if self._timer is not None:
            self._timer.cancel()
        if seconds <= threading.TIMEOUT_MAX and hasattr(self._strategy, "interrupt"):
            self._timer = threading.Timer(max(seconds, 0.0), self.interrupt)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Let the strategy free what it holds, if it holds anything; the study is over."""
        if self._timer is not None:
            self._timer.cancel()
        close = getattr(self._strategy, "close", None)
        if close is None:
            return
        try:
            close()
        except _ANYTHING as error:  # too late to harm the study
            _log.warning("%s", self._raised("close", error))

    def broken(self, what: str) -> StrategyError:
        """Return the error that says how the strategy broke its contract."""
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
                    "the study ends without its strategy: %s; what the strategy was not told, it "
                    "is told when the study is resumed",
                    raised,
                )
                raise self.lost from error
            raise raised from error

    def _state(self) -> JSON:
        state: JSON = self._call("save_state")
        self._check_plain(state, "its state")
        return state

    def _check_plain(self, value: JSON, what: str) -> None:
        """See that a value comes back from the store as it is."""
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
            raise self.broken(f"it wants {target!r} iterations, not an integer")
        if target is not None and not (
            self._least <= target and (self._most is None or target <= self._most)
        ):
            most = "no maximum" if self._most is None else f"the maximum is {self._most}"
            raise self.broken(
                f"it wants {counted(target, 'iteration')}; the minimum is {self._least}, and {most}"
            )

    def _raised(self, method: str, error: BaseException) -> StrategyError:
        if isinstance(error, StrategyError):
            return error
        return StrategyError(
            f"the strategy {self._name!r} raised {type(error).__name__} in {method}: {error}"
        )
