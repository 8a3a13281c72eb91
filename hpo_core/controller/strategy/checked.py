"""The strategy as the controller holds it: what it answers is checked, what it raises is named."""

from __future__ import annotations

import logging

from hpo_core.config import StudyConfig
from hpo_core.contracts.strategy import Answer, Exhausted, Resume, Start, Strategy, Suggestion, Wait
from hpo_core.engine.rebuild import handles_attempts
from hpo_core.model.errors import StrategyError
from hpo_core.model.report import Decision, Report
from hpo_core.model.text import counted
from hpo_core.model.values import JSON, Configuration
from hpo_core.store.records import decode, encode

_log = logging.getLogger("hpo_core")

_ANYTHING = (Exception, SystemExit)  # what a plugin may raise


class CheckedStrategy:
    """A strategy that only answers as it may.

    Args:
        strategy: The strategy.
        config: The study's configuration.
    """

    def __init__(self, strategy: Strategy, config: StudyConfig) -> None:
        self._strategy = strategy
        self._name = config.strategy.name
        self._space = config.space
        self._least = config.job.min_iterations
        self._most = config.job.max_iterations
        self._is_full = False  # whether it was told that it can start no more trials

    @property
    def handles_attempts(self) -> bool:
        """Whether it replaces by itself what it heard of an earlier attempt."""
        return handles_attempts(self._strategy)

    def replace(self, strategy: Strategy) -> None:
        """Go on with another strategy, which knows what this one is to know.

        Raises:
            StrategyError: If it raises.
        """
        if strategy is not self._strategy:
            self.close()
        self._strategy = strategy
        if self._is_full:
            self.no_more_trials()

    def ask(self, trial_id: int) -> tuple[Answer, JSON]:
        """Return the strategy's answer, and its state to be saved after a suggestion.

        Raises:
            StrategyError: If it raises, or answers what it may not.
        """
        try:
            answer = self._strategy.ask(trial_id)
            if isinstance(answer, Wait | Exhausted):
                return answer, None
        except _ANYTHING as error:
            raise self._raised("ask", error) from error
        if not isinstance(answer, Start | Resume):
            raise self.broken(f"ask returned {answer!r}, not a suggestion")
        self._check(answer)
        return answer, self._state()

    def adopt(self, trial_id: int, suggestion: Suggestion) -> JSON:
        """Register a suggestion that was made elsewhere with the strategy; return its state.

        Raises:
            StrategyError: If it raises.
        """
        try:
            self._strategy.adopt(trial_id, suggestion)
        except _ANYTHING as error:
            raise self._raised("adopt", error) from error
        return self._state()

    def tell(self, report: Report) -> Decision:
        """Tell the strategy, and return its decision.

        Raises:
            StrategyError: If it raises, or answers what it may not.
        """
        try:
            decision = self._strategy.tell(report)
        except _ANYTHING as error:
            raise self._raised("tell", error) from error
        if type(decision) is not Decision:
            raise self.broken(f"tell returned {decision!r}, not a Decision")
        return decision

    def no_more_trials(self) -> bool:
        """Tell the strategy that it can start no more trials; return whether it has that method.

        Raises:
            StrategyError: If it raises.
        """
        listen = getattr(self._strategy, "no_more_trials", None)
        if listen is None:
            return False
        try:
            listen()
        except _ANYTHING as error:
            raise self._raised("no_more_trials", error) from error
        self._is_full = True
        return True

    def close(self) -> None:
        """Let the strategy free what it holds, if it holds anything; the study is over."""
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

    def _state(self) -> JSON:
        try:
            state = self._strategy.save_state()
        except _ANYTHING as error:
            raise self._raised("save_state", error) from error
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
            raise self.broken(f"it wants {target!r} iterations, not a whole number")
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
