"""The strategy under check: how it is built, its capabilities, and its faults."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from hpo_core.contracts.strategy import (
    Answer,
    Capability,
    Exhausted,
    History,
    Problem,
    Resume,
    SavedState,
    Start,
    Strategy,
    Suggestion,
    Wait,
)
from hpo_core.model.errors import InvalidInput, Unsupported
from hpo_core.model.report import Decision, Report
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import JSON
from hpo_core.testing.effort import QUICK, Effort
from hpo_core.testing.spaces import KINDS, probe

T = TypeVar("T")

RAISED = (Exception, SystemExit)
"""Exceptions that count as a plugin's; Ctrl-C is the user's."""


class Broken(Exception):
    """A promise is broken; the message is the counterexample."""


class NotApplicable(Exception):
    """A check does not apply to this strategy; the message is the reason."""


class Refused(NotApplicable):
    """The strategy rejected the problem by `InvalidInput` or `Unsupported`, which is allowed."""


class Installed(msgspec.Struct, frozen=True, tag="installed"):
    """The origin of a strategy for another process: an installed plugin, with its options."""

    name: str
    options: dict[str, Any] = {}


class Source(msgspec.Struct, frozen=True, tag="source"):
    """The origin of a strategy for another process: a class or a function in a file."""

    file: str
    name: str


class Subject:
    """A strategy under check.

    Args:
        make: Builds the strategy for a problem; raises `InvalidInput` or `Unsupported` to reject
            the problem.
        capabilities: Its capabilities; generated problems need no others.
        is_adaptive: Whether reports may change its suggestions.
        origin: Where another process finds it; None if it cannot.
        options: The type of its options; None if unknown.
        spaces: The spaces to check; if empty, spaces are generated.
        effort: The effort of a check.
    """

    def __init__(
        self,
        make: Callable[[Problem], Strategy],
        capabilities: frozenset[Capability],
        *,
        is_adaptive: bool = True,
        origin: Installed | Source | None = None,
        options: type[Any] | None = None,
        spaces: Sequence[SearchSpace] = (),
        effort: Effort = QUICK,
    ) -> None:
        self.capabilities = capabilities
        self.is_adaptive = is_adaptive
        self.origin = origin
        self.options = options
        self.spaces = tuple(spaces)
        self.effort = effort
        self._make = make

    def make(self, problem: Problem) -> Guarded:
        """Build the strategy for a problem.

        Raises:
            Refused: If it rejects the problem.
            Broken: If it raises anything else.
        """
        try:
            return Guarded(self._make(problem))
        except (InvalidInput, Unsupported) as error:
            raise Refused(f"it rejects such a problem: {error}") from error
        except RAISED as error:
            raise Broken(f"building the strategy {raised(error)}") from error

    def can(self, capability: Capability | None) -> bool:
        """Return whether it declares a capability; True for None."""
        return capability is None or capability in self.capabilities

    @cached_property
    def refusals(self) -> dict[str, str]:
        """The kinds of problems that it rejects against its capabilities, with the reasons."""
        refused = {}
        for name, (capability, problem) in probe().items():
            if self.can(capability):
                try:
                    self.make(problem)
                except Refused as refusal:
                    refused[name] = str(refusal.__cause__)
                except Broken:
                    pass  # the next check that builds it reports this
        return refused

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of parameters that it accepts."""
        return tuple(
            name
            for name, (capability, _) in KINDS.items()
            if self.can(capability) and name not in self.refusals
        )


class Guarded:
    """Turns exceptions and invalid answers of a strategy into broken promises, by method."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy

    def ask(self, trial_id: int, /) -> Answer:
        """Ask; see `Strategy.ask`."""
        answer = self._call("ask", lambda: self._strategy.ask(trial_id))
        if not isinstance(answer, Start | Resume | Wait | Exhausted):
            raise Broken(
                f"ask({trial_id}) returned {answer!r}, not a Start, Resume, Wait or Exhausted"
            )
        if isinstance(answer, Start) and not isinstance(answer.configuration, Mapping):
            raise Broken(f"ask({trial_id}) returned {answer!r}, which has no Configuration")
        return answer

    def adopt(self, trial_id: int, suggestion: Suggestion, /) -> None:
        """Adopt; see `Strategy.adopt`."""
        self._call("adopt", lambda: self._strategy.adopt(trial_id, suggestion))

    def tell(self, report: Report, /) -> Decision:
        """Tell; see `Strategy.tell`."""
        return self._call("tell", lambda: self._strategy.tell(report))

    def save_state(self) -> JSON:
        """Save; see `Strategy.save_state`."""
        return self._call("save_state", self._strategy.save_state)

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Restore; see `Strategy.restore`."""
        self._call("restore", lambda: self._strategy.restore(history, saved))

    def no_more_trials(self) -> bool:
        """Call `no_more_trials`; return whether the strategy has the method."""
        method: Callable[[], None] | None = getattr(self._strategy, "no_more_trials", None)
        if method is not None:
            self._call("no_more_trials", method)
        return method is not None

    def _call(self, method: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except RAISED as error:
            raise Broken(f"{method} {raised(error)}") from error


def raised(error: BaseException) -> str:
    """Return a text with the type, the place and the message of an exception."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
    message = " ".join(str(error).split())
    return f"raised {type(error).__name__} ({place})" + (f": {message}" if message else "")


class Passing:
    """Forwards each call to a strategy; checks override the methods that they observe."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy

    def ask(self, trial_id: int, /) -> Answer:
        """Ask; see `Strategy.ask`."""
        return self._strategy.ask(trial_id)

    def adopt(self, trial_id: int, suggestion: Suggestion, /) -> None:
        """Adopt; see `Strategy.adopt`."""
        self._strategy.adopt(trial_id, suggestion)

    def tell(self, report: Report, /) -> Decision:
        """Tell; see `Strategy.tell`."""
        return self._strategy.tell(report)

    def save_state(self) -> JSON:
        """Save; see `Strategy.save_state`."""
        return self._strategy.save_state()

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Restore; see `Strategy.restore`."""
        self._strategy.restore(history, saved)
