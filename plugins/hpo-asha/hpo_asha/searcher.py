"""The strategy that suggests configurations, and the reports that it gets.

To the searcher, no trial is ever resumed: it is told all reports of running jobs, and one final
report at a time that the scheduler decides. Later reports are not passed on.

The searcher's part of the history is not stored. To recover, the scheduler replays the complete
history without a searcher. The events for the searcher are collected here, and the searcher then
restores itself from them in its own way.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hpo_core.plugin import (
    Asked,
    Capability,
    Decision,
    Exhausted,
    Report,
    SavedState,
    Start,
    Status,
    Strategy,
    StrategyError,
    Told,
    Wait,
)

_NOTES = "searcher"
"""The key of the searcher's notes in a trial's notes."""


class Searcher:
    """A searcher within a scheduler.

    Args:
        name: Its config string, for messages.
        strategy: The strategy.
        capabilities: The capabilities of the strategy.
    """

    def __init__(self, name: str, strategy: Strategy, capabilities: frozenset[Capability]) -> None:
        self.capabilities = capabilities
        self._name = name
        self._strategy = strategy
        self._open: set[int] = set()  # trials without a final report to it
        self._recalled: list[Asked | Told] | None = None  # its history, while it is collected
        self._seen = 0  # the number of events in its saved state
        self._stored = Decision.CONTINUE  # the stored decision of the present report

    # -- asking -----------------------------------------------------------------------------

    def ask(self, trial_id: int) -> Start | Wait | Exhausted:
        """Return a new configuration with the searcher's notes.

        Raises:
            StrategyError: If its answer is invalid for a searcher.
        """
        answer = self._strategy.ask(trial_id)
        match answer:
            case Start(configuration, iterations=None, notes=notes):
                self._open.add(trial_id)
                return Start(configuration, notes=None if notes is None else {_NOTES: notes})
            case Wait() | Exhausted():
                return answer
            case Start():
                raise self._unfit("says how far a trial is to train")
            case _:
                raise self._unfit("resumes a trial")

    def adopt(self, trial_id: int, start: Start) -> None:
        """Let it adopt a trial."""
        self._open.add(trial_id)
        self._strategy.adopt(trial_id, _bare(start))

    # -- telling ----------------------------------------------------------------------------

    def watch(self, report: Report) -> Decision:
        """Tell it a report of a running job; return its decision, which may be STOP.

        Raises:
            StrategyError: If it decides to pause the job.
        """
        if report.trial_id not in self._open:
            return Decision.CONTINUE
        if self._recalled is not None:
            is_stopped = self._stored is Decision.STOP  # whoever decided it
            decision = Decision.STOP if is_stopped else Decision.CONTINUE
            self._recalled.append(Told(report, decision))
            return decision
        decision = self._strategy.tell(report)
        if decision is Decision.PAUSE:
            raise self._unfit("pauses a job")
        return decision

    def finish(self, report: Report) -> None:
        """Tell it the end of a trial, unless it was told before."""
        if report.trial_id not in self._open:
            return
        self._open.discard(report.trial_id)
        if self._recalled is not None:
            self._recalled.append(Told(report, Decision.CONTINUE))
        else:
            self._strategy.tell(report)

    # -- recovering -------------------------------------------------------------------------

    def save_state(self) -> dict[str, Any] | None:
        """Return its state, if it has one."""
        state = self._strategy.save_state()
        return None if state is None else {_NOTES: state}

    def recall(self) -> None:
        """Collect its history until `restore`."""
        self._recalled = []

    def recall_start(self, event: Asked, start: Start) -> None:
        """Collect that a trial was started."""
        assert self._recalled is not None
        self._open.add(event.trial_id)
        self._recalled.append(Asked(event.trial_id, _bare(start), event.adopted))

    def recall_decision(self, decision: Decision) -> None:
        """Register the decision that is stored with the report that is told next."""
        self._stored = decision

    def recall_state(self) -> None:
        """Register that its state was saved here."""
        assert self._recalled is not None
        self._seen = len(self._recalled)

    def restore(self, saved: SavedState | None) -> None:
        """Let it restore itself from the collected history."""
        assert self._recalled is not None
        history, self._recalled = self._recalled, None
        state = None if saved is None else SavedState(saved.state[_NOTES], self._seen)
        self._strategy.restore(history, state)

    def interrupt(self, *, at_once: bool) -> None:
        """Interrupt it, if it can be interrupted."""
        interrupt = getattr(self._strategy, "interrupt", None)
        if interrupt is not None:
            interrupt(at_once=at_once)

    def close(self) -> None:
        """Close it, if it can be closed."""
        close = getattr(self._strategy, "close", None)
        if close is not None:
            close()

    def waits_for_nothing(self) -> StrategyError:
        """Return the error for a searcher that waits although no job is running."""
        return StrategyError(f"the searcher {self._name!r} waits although nothing is running")

    def _unfit(self, does: str) -> StrategyError:
        return StrategyError(
            f"the searcher {self._name!r} {does}, which here is the scheduler's to decide; take a "
            "strategy that only suggests configurations"
        )


def as_stopped(report: Report, iteration: int) -> Report:
    """Return the final report of a paused trial as that of a stopped one."""
    return msgspec.structs.replace(report, status=Status.STOPPED, iteration=iteration)


def _bare(start: Start) -> Start:
    """Return a start as the searcher suggested it, or could have."""
    notes = start.notes.get(_NOTES) if isinstance(start.notes, dict) else None
    return Start(start.configuration, notes=notes)
