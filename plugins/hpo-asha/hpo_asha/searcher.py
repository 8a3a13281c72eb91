"""The strategy that suggests configurations, and the reports that it is told.

It is told each trial as if it were never resumed: all reports of running jobs, and one final
report, at a time that the scheduler decides. Later reports are not passed on.

Its part of the history is not stored. To recover, the scheduler goes through the whole history
without a searcher; what it would have told is collected here, and given to the searcher at once,
which then restores itself as quickly as it can.
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
"""Under this key a trial's notes hold the searcher's own."""


class Searcher:
    """A searcher within a scheduler.

    Args:
        name: Its config string, for messages.
        strategy: The strategy.
        capabilities: What it can do.
    """

    def __init__(self, name: str, strategy: Strategy, capabilities: frozenset[Capability]) -> None:
        self.capabilities = capabilities
        self._name = name
        self._strategy = strategy
        self._open: set[int] = set()  # trials that are not final for it
        self._recalled: list[Asked | Told] | None = None  # its history, while that is collected
        self._seen = 0  # how much of it its saved state has seen
        self._stored = Decision.CONTINUE  # the decision that is stored with what is told now

    # -- asking -----------------------------------------------------------------------------

    def ask(self, trial_id: int) -> Start | Wait | Exhausted:
        """Return a new configuration, its own notes included.

        Raises:
            StrategyError: If it answers what a searcher can't.
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
        """Tell it a report of a running job; return its decision, which may be to stop it.

        Raises:
            StrategyError: If it decides to pause the job.
        """
        if report.trial_id not in self._open:
            return Decision.CONTINUE
        if self._recalled is not None:
            is_stopped = self._stored is Decision.STOP  # whoever decided so: it was carried out
            decision = Decision.STOP if is_stopped else Decision.CONTINUE
            self._recalled.append(Told(report, decision))
            return decision
        decision = self._strategy.tell(report)
        if decision is Decision.PAUSE:
            raise self._unfit("pauses a job")
        return decision

    def finish(self, report: Report) -> None:
        """Tell it how a trial has ended, unless that is done."""
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
        """Collect its history, from here on until `restore`."""
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
        """Let it restore itself from what was collected."""
        assert self._recalled is not None
        history, self._recalled = self._recalled, None
        state = None if saved is None else SavedState(saved.state[_NOTES], self._seen)
        self._strategy.restore(history, state)

    def interrupt(self, *, at_once: bool) -> None:
        """Let it answer soon, if it can be interrupted."""
        interrupt = getattr(self._strategy, "interrupt", None)
        if interrupt is not None:
            interrupt(at_once=at_once)

    def close(self) -> None:
        """Let it free what it holds, if it holds anything."""
        close = getattr(self._strategy, "close", None)
        if close is not None:
            close()

    def waits_for_nothing(self) -> StrategyError:
        """Return the error for when it waits although nothing is running."""
        return StrategyError(f"the searcher {self._name!r} waits although nothing is running")

    def _unfit(self, does: str) -> StrategyError:
        return StrategyError(
            f"the searcher {self._name!r} {does}, which here is the scheduler's to decide; take a "
            "strategy that only suggests configurations"
        )


def as_stopped(report: Report, iteration: int) -> Report:
    """Return the final report of a trial that is paused as that of one that is stopped there."""
    return msgspec.structs.replace(report, status=Status.STOPPED, iteration=iteration)


def _bare(start: Start) -> Start:
    """Return a start as the searcher suggested it, or might have."""
    notes = start.notes.get(_NOTES) if isinstance(start.notes, dict) else None
    return Start(start.configuration, notes=notes)
