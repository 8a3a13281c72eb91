"""An audit: replay the stored history with a new strategy, and compare its answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Set
from contextlib import suppress
from typing import TypeAlias

import msgspec

from hpo_core.config import PluginChoice, StudyConfig, from_json
from hpo_core.contracts.strategy import (
    Answer,
    Asked,
    Resume,
    Start,
    Strategy,
    Told,
    same_answer,
)
from hpo_core.controller.stored.missing import named_by_store
from hpo_core.controller.stored.open_study import warn_of_stranger
from hpo_core.controller.stored.trust import require
from hpo_core.controller.strategy import build, resolve
from hpo_core.controller.strategy.checked_strategy import CheckedStrategy
from hpo_core.controller.strategy.prepared import Prepared
from hpo_core.controller.strategy.rebuild import Renewer
from hpo_core.controller.strategy.restore import restore, without_metrics
from hpo_core.model.errors import StrategyError
from hpo_core.model.report import Decision, Report
from hpo_core.store.control import is_running
from hpo_core.store.history import StoredHistory
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store

_log = logging.getLogger("hpo_core")

Raised: TypeAlias = str
"""What the strategy raised instead of an answer."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The first event of a study's history whose replayed answer differs from the stored one.

    Attributes:
        event: Number of the event, starting at 1.
        trial_id: The trial of the ask or the report.
        stored: The stored suggestion (without its notes) or decision.
        now: The answer of the strategy now, or the exception.
    """

    event: int
    trial_id: int
    stored: Answer | Decision
    now: Answer | Decision | Raised


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """The result of an audit.

    Attributes:
        name: The study.
        is_running: Whether the study is running; if so, the audit covers what was stored so far.
        events: Number of stored events.
        suggestions: Number of suggestions equal to the stored ones.
        decisions: Number of decisions equal to the stored ones.
        adopted: Number of adopted configurations (enqueued, imported).
        difference: The first difference; None if the two are equal.
    """

    name: str
    is_running: bool
    events: int
    suggestions: int
    decisions: int
    adopted: int
    difference: Difference | None

    @property
    def is_as_stored(self) -> bool:
        """Whether all answers are equal to the stored ones."""
        return self.difference is None


def replay(
    store: Store, name: str, *, strategy: Strategy | None = None, trust: bool = False
) -> Replayed:
    """Recompute every suggestion and decision of a study; see `Study.replay`.

    The history has no answers `Wait` and `Exhausted`, which do not change a strategy. It also does
    not have the calls of ``no_more_trials``: if an answer differs, the strategy is restored up to
    this point and asked after, or without, that call. A report on which the strategy had raised is
    passed again, and the decision is not compared. If a study was continued with
    ``--adopt-history``, all earlier events are adopted and told, and the comparison starts after
    them. A plugin version that differs from that at the start of the study is logged as a warning.
    """
    study = store.study(name)
    warn_of_stranger(store)
    config = from_json(study.config)
    if strategy is None:
        require(store, study, config, trust=trust)
    running = is_running(store.folder(study))
    with named_by_store(store, name):
        prepared = _prepared(config, study, strategy)
    forgot = store.retries(study.id).forgot
    renewer = Renewer(
        lambda: build.build_strategy(prepared).strategy,
        prepared.given if forgot or config.budget.trials is not None else None,
    )
    checked = CheckedStrategy(build.build_strategy(prepared).strategy, config)

    def rebuild(end: int, is_full: bool | None = None) -> None:
        """Continue with a strategy that was told the history only up to a row."""
        history = store.history(study.id, end=end)
        again = renewer.restored(lambda new: restore(new, name, history, None))
        checked.replace(again, is_full=is_full)

    try:
        history = store.history(study.id, with_replaced=True)
        retries = set() if checked.handles_attempts else forgot
        undecided = history.positions(store.undecided(study.id))
        may_be_full = config.budget.trials is not None
        audit = _Audit(checked, undecided, rebuild, retries, study.adopted_events, may_be_full)
        return audit.of(history, name, running)
    finally:
        checked.close()


def _prepared(config: StudyConfig, study: StudyRecord, strategy: Strategy | None) -> Prepared:
    """Find the strategy's plugin. The backend is not needed, and may be missing."""
    prepared = resolve.prepare(
        msgspec.structs.replace(config, backend=PluginChoice("inline")), strategy
    )
    prepared = resolve.as_stored(prepared, config)
    parts = {role: found for role, found in study.plugins.items() if role != "backend"}
    for sentence in prepared.changed_since(parts):
        _log.warning(sentence)
    return prepared


class _Audit:
    """Replays a history.

    Args:
        checked: The strategy, new.
        undecided: The positions of reports on which it did not decide.
        rebuild: Rebuilds the strategy from the history before a row of the log. The second argument
            is whether `no_more_trials` is called.
        retries: The positions of retries in the log.
        adopted: The row of the log at which the comparison starts. All earlier trials are adopted.
        may_be_full: Whether `no_more_trials` may have been called.
    """

    def __init__(
        self,
        checked: CheckedStrategy,
        undecided: Set[int],
        rebuild: Callable[[int, bool | None], None],
        retries: Set[int],
        adopted: int,
        may_be_full: bool,
    ) -> None:
        self._strategy = checked
        self._undecided = undecided
        self._rebuild = rebuild
        self._retries = sorted(retries, reverse=True)
        self._from = adopted
        self._may_be_full = may_be_full
        self._is_full = False
        self._suggestions = self._decisions = self._adopted = 0

    def of(self, history: StoredHistory, name: str, running: bool) -> Replayed:
        """Replay a history up to the first difference."""
        differences = (
            self._event(place, event, history.place(place)) for place, event in enumerate(history)
        )
        first = next(filter(None, differences), None)
        return Replayed(
            name=name,
            is_running=running,
            events=len(history),
            suggestions=self._suggestions,
            decisions=self._decisions,
            adopted=self._adopted,
            difference=first,
        )

    def _event(self, place: int, event: Asked | Told, seq: int) -> Difference | None:
        while self._retries and self._retries[-1] < seq:
            self._rebuild(self._retries.pop() + 1, None)
        stored: Answer | Decision
        now: Answer | Decision | Raised
        try:
            match event:
                case Asked(trial_id, suggestion, adopted=True):
                    stored = suggestion
                    self._strategy.adopt(trial_id, suggestion)
                    self._adopted += 1
                    return None
                case Asked(trial_id, suggestion):
                    stored = before = _without_notes(suggestion)
                    now = again = self._answer(trial_id, before, seq)
                    if same_answer(again, before):
                        self._suggestions += 1
                        return None
                case Told(report) if place in self._undecided:
                    self._tell_undecided(report)
                    return None
                case Told(report, decision):
                    trial_id, stored = report.trial_id, decision
                    now = self._strategy.tell(report)
                    if seq < self._from:
                        return None
                    if now is stored:
                        self._decisions += 1
                        return None
        except StrategyError as error:
            now = str(error)
        return Difference(event=place + 1, trial_id=trial_id, stored=stored, now=now)

    def _answer(self, trial_id: int, stored: Answer, seq: int) -> Answer:
        """Ask the strategy. If the answer differs, ask as if the budget of trials were used up.

        The time at which a budget was extended is not recorded.
        """
        now = _without_notes(self._strategy.ask(trial_id)[0])
        is_full = isinstance(stored, Resume)
        if same_answer(now, stored) or not self._may_be_full or is_full is self._is_full:
            return now
        self._is_full = is_full
        self._rebuild(seq, is_full)
        return _without_notes(self._strategy.ask(trial_id)[0])

    def _tell_undecided(self, report: Report) -> None:
        """Pass a report on which the strategy raised. If it raises again, pass it as on
        restoring.
        """
        for told in (report, without_metrics(report)):
            with suppress(StrategyError):
                self._strategy.tell(told)
                return


def _without_notes(answer: Answer) -> Answer:
    if isinstance(answer, Start | Resume) and answer.notes is not None:
        return msgspec.structs.replace(answer, notes=None)
    return answer
