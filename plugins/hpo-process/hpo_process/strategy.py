"""The contract of strategies: each method sends a message to the process."""

from __future__ import annotations

from typing import Any

import msgspec

from hpo_core import __version__ as core_version
from hpo_core.plugin import (
    Asked,
    BaseStrategy,
    Capability,
    Decision,
    Exhausted,
    Fault,
    History,
    InvalidInput,
    Problem,
    Report,
    Resume,
    SavedState,
    Start,
    StrategyError,
    Unsupported,
    Wait,
)
from hpo_process import messages
from hpo_process.conversation import Conversation
from hpo_process.options import ProcessOptions
from hpo_process.plugin import UNSPOKEN
from hpo_process.space import WireSpace


class ProcessStrategy(BaseStrategy):
    """A strategy that runs in its own process.

    Args:
        problem: The study.
        options: The command.

    Attributes:
        capabilities: The capabilities that the process declares.

    Raises:
        InvalidInput: If the process rejects the problem or its options.
        Unsupported: If the process does not support what the problem needs.
        StrategyError: If it cannot be started, or violates the protocol.
    """

    def __init__(self, problem: Problem, options: ProcessOptions) -> None:
        self._space = WireSpace(problem.space)
        self._process = Conversation(options.command, options.time_limit, options.directory)
        try:
            self.capabilities = self._greet()
            missing = problem.needs - self.capabilities
            if missing:
                lacking = [need.value for need in Capability if need in missing]
                raise Unsupported(
                    f"the study needs {' and '.join(lacking)}, which the process "
                    f"{list(options.command)} does not support"
                )
            self._pose(problem, options)
        except BaseException:
            self._process.close()
            raise

    def ask(self, trial_id: int, /) -> Start | Resume | Wait | Exhausted:
        """Ask the process.

        Raises:
            StrategyError: If its answer is invalid, as in all methods.
        """
        answer = self._process.exchange(
            {"type": "ask", "trial_id": trial_id},
            messages.Start,
            messages.Resume,
            messages.Wait,
            messages.Exhausted,
        )
        match answer:
            case messages.Start(configuration=values):
                return Start(self._space.decode(values), answer.iterations, answer.notes)
            case messages.Resume(configuration=changed):
                return Resume(
                    answer.trial_id,
                    answer.iterations,
                    None if changed is None else self._space.decode(changed),
                    answer.checkpoint_from,
                    answer.notes,
                )
            case messages.Wait():
                return Wait()
            case _:
                return Exhausted()

    def adopt(self, trial_id: int, suggestion: Start | Resume, /) -> None:
        """Let the process adopt a suggestion."""
        self._process.exchange(
            {"type": "adopt", "trial_id": trial_id, "suggestion": self._sent(suggestion)},
            messages.Done,
        )

    def tell(self, report: Report, /) -> Decision:
        """Tell the process."""
        message = {"type": "tell", "report": _sent_report(report)}
        return self._process.exchange(message, messages.Decided).decision

    def save_state(self) -> Any:
        """Let the process save its state."""
        return self._process.exchange({"type": "save"}, messages.State).state

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Let the process restore itself, or replay the history if it asks for that."""
        message = {
            "type": "restore",
            "history": [
                {
                    "type": "asked",
                    "trial_id": event.trial_id,
                    "suggestion": self._sent(event.suggestion),
                    "adopted": event.adopted,
                }
                if isinstance(event, Asked)
                else {
                    "type": "told",
                    "report": _sent_report(event.report),
                    "decision": event.decision.value,
                }
                for event in history
            ],
            "saved": None if saved is None else msgspec.to_builtins(saved),
        }
        answer = self._process.exchange(message, messages.Done, messages.Replay)
        if isinstance(answer, messages.Replay):
            super().restore(history, saved)

    def interrupt(self, *, at_once: bool) -> None:
        """Wait for the process at most two seconds from now on, or not at all."""
        self._process.interrupt(at_once=at_once)

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def _greet(self) -> frozenset[Capability]:
        hello = self._process.exchange(
            {"type": "hello", "protocol": messages.PROTOCOL, "core": core_version}, messages.Hello
        )
        if hello.protocol != messages.PROTOCOL:
            raise StrategyError(
                f"the process speaks version {hello.protocol} of the protocol, and this "
                f"hpo-process speaks {messages.PROTOCOL}; install another version of either"
            )
        known = {each.name.lower(): each for each in Capability if each not in UNSPOKEN}
        if unknown := [name for name in hello.capabilities if name not in known]:
            raise StrategyError(
                f"the process has the capabilities {', '.join(unknown)}, which are unknown; "
                f"known: {', '.join(known)}"
            )
        return frozenset(known[name] for name in hello.capabilities)

    def _pose(self, problem: Problem, options: ProcessOptions) -> None:
        message = {
            "type": "problem",
            "seed": problem.seed,
            "objectives": msgspec.to_builtins(problem.objectives),
            "constraints": msgspec.to_builtins(problem.constraints),
            "min_iterations": problem.min_iterations,
            "max_iterations": problem.max_iterations,
            "workers": problem.workers,
            "parameters": self._space.parameters(),
            "forbidden": self._space.forbidden(),
            "options": options.options,
        }
        answer = self._process.exchange(message, messages.Ready, messages.Refuse)
        if isinstance(answer, messages.Refuse):
            raise InvalidInput(Fault(one.path, one.message) for one in answer.faults)

    def _sent(self, suggestion: Start | Resume) -> dict[str, Any]:
        sent: dict[str, Any] = msgspec.to_builtins(suggestion)
        if suggestion.configuration is not None:
            sent["configuration"] = self._space.encode(suggestion.configuration)
        return sent


def _sent_report(report: Report) -> dict[str, Any]:
    """Return a report as sent in a message, without an unknown attempt or cause."""
    sent: dict[str, Any] = msgspec.to_builtins(report)
    if report.attempt is None:
        del sent["attempt"]
    if report.cause is None:
        del sent["cause"]
    return sent
