"""Import trials of other programs' studies, as a warm start."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import msgspec

from hpo_core import registry
from hpo_core.config import StudyConfig
from hpo_core.contracts.exchange import ExchangedStudy, ExchangedTrial
from hpo_core.contracts.strategy import Start
from hpo_core.controller.stored import open_study
from hpo_core.controller.strategy import build, resolve
from hpo_core.controller.strategy.checked_strategy import CheckedStrategy
from hpo_core.controller.strategy.prepared import Prepared
from hpo_core.controller.strategy.restore import restored_strategy
from hpo_core.model.errors import Fault, InvalidInput
from hpo_core.model.job import TrialState, job_id
from hpo_core.model.objective import Losses, complete, updated
from hpo_core.model.report import Report, Status
from hpo_core.model.text import counted
from hpo_core.model.values import Configuration
from hpo_core.store.control import ControllerLock
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store, opened
from hpo_core.store.writer import StudyWriter

_STATUS = {
    TrialState.COMPLETED: Status.COMPLETED,
    TrialState.STOPPED: Status.STOPPED,
    TrialState.FAILED: Status.FAILED,
}


class Misfit(msgspec.Struct, frozen=True):
    """A trial that was not imported.

    Attributes:
        number: Its number in the source.
        reasons: The reasons.
    """

    number: int
    reasons: tuple[str, ...]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """The result of an import.

    Attributes:
        study: The name of the study that the trials are from.
        trials: The ids of the new trials, each with its number in the source.
        misfits: The trials that were not imported.
        notes: Remarks for the user.
    """

    study: str
    trials: dict[int, int]
    misfits: tuple[Misfit, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return the number of imported trials in one line."""
        left = f", {len(self.misfits)} left out" if self.misfits else ""
        return f"<Imported {counted(len(self.trials), 'trial')} of {self.study!r}{left}>"


def import_study(
    config: StudyConfig,
    path: str | os.PathLike[str] | Store,
    source: str,
    of: str | None = None,
) -> Imported:
    """Import the trials of another program's study; see `Study.import_trials`.

    Args:
        config: The configuration of the importing study, which is created if it is new.
        path: Its store's file, or the store.
        source: A plugin and a place, separated by a colon.
        of: The study in the source; None if there is only one.
    """
    plugin, _, place = source.partition(":")
    if not place:
        raise InvalidInput([Fault(source, "expected PLUGIN:PLACE, such as optuna:sqlite:///f.db")])
    theirs = registry.exchange(plugin).spec.read(place, of, config.space)
    if faults := list(_other_objectives(config, theirs)):
        raise InvalidInput(faults)
    prepared = resolve.prepare(config)
    with opened(path, create=True) as store:
        found = store.find(config.name)
        known = {job.reason for job in store.jobs(found.id) if job.attempt == 0} if found else set()
        fit, misfits = _sorted(config, theirs, known)
        if not fit:
            raise InvalidInput(
                [
                    Fault("", f"no trial of {theirs.name!r} can be imported"),
                    *(Fault(f"trial {one.number}", "; ".join(one.reasons)) for one in misfits),
                ]
            )
        prepared = open_study.settled(store, prepared)
        study = open_study.find_or_create(store, prepared, time.time())
        lock = ControllerLock(store.folder(study))
        try:
            trials = _take_in(store, study, prepared, theirs, fit)
        finally:
            lock.release()
    return Imported(
        study=theirs.name, trials=trials, misfits=misfits, notes=tuple(_notes(config, theirs))
    )


def _other_objectives(config: StudyConfig, theirs: ExchangedStudy) -> Iterator[Fault]:
    ours = [objective.direction for objective in config.objectives]
    for place, (own, other) in enumerate(zip_longest(ours, theirs.directions)):
        if own != other:
            yield Fault(
                f"objective {place + 1}",
                f"{other or 'is missing'} in {theirs.name!r}, {own or 'is missing'} in "
                f"{config.name!r}; only a study with the same objectives can be imported",
            )


def _notes(config: StudyConfig, theirs: ExchangedStudy) -> Iterator[str]:
    ours = tuple(objective.metric for objective in config.objectives)
    if theirs.metrics is not None and theirs.metrics != ours:
        yield (
            f"the metric that {theirs.name!r} calls {', '.join(theirs.metrics)} is taken for "
            f"{', '.join(ours)}"
        )


def _sorted(
    config: StudyConfig, theirs: ExchangedStudy, known: set[str]
) -> tuple[list[tuple[ExchangedTrial, Configuration]], tuple[Misfit, ...]]:
    """Return the trials that can be imported, each with its configuration, and the others."""
    fit, misfits = [], []
    for trial in theirs.trials:
        reasons: list[str] = []
        if trial.state not in _STATUS:
            reasons.append("it has not ended")
        if not all(map(math.isfinite, trial.values or ())):
            reasons.append(f"its value is {', '.join(map(str, trial.values or ()))}")
        if _origin(theirs, trial) in known:
            reasons.append("it is already there")
        try:
            configuration = config.space.configuration(trial.configuration)
        except InvalidInput as error:
            reasons += map(str, error.faults)
        if reasons:
            misfits.append(Misfit(trial.number, tuple(reasons)))
        else:
            fit.append((trial, configuration))
    return fit, tuple(misfits)


def _origin(theirs: ExchangedStudy, trial: ExchangedTrial) -> str:
    return f"imported: trial {trial.number} of {theirs.name!r}"


def _take_in(
    store: Store,
    study: StudyRecord,
    prepared: Prepared,
    theirs: ExchangedStudy,
    fit: Sequence[tuple[ExchangedTrial, Configuration]],
) -> dict[int, int]:
    """Pass the trials to the strategy, and store all of them, or none."""
    config = prepared.config
    strategy = restored_strategy(
        lambda: build.build_strategy(prepared).strategy, config.strategy.name, store, study
    )
    checked = CheckedStrategy(strategy, config)
    try:
        writer = StudyWriter(store, study.id, durable=config.durability == "full")
        first = store.next_trial(study.id)
        with writer.turn():
            for trial_id, (trial, configuration) in enumerate(fit, first):
                incoming = _Incoming(config, writer, checked, trial_id, _origin(theirs, trial))
                incoming.take_in(trial, configuration)
    finally:
        checked.close()
    return {trial_id: trial.number for trial_id, (trial, _) in enumerate(fit, first)}


class _Incoming:
    """A trial to import: what is passed to the strategy is also stored."""

    def __init__(
        self,
        config: StudyConfig,
        writer: StudyWriter,
        strategy: CheckedStrategy,
        trial_id: int,
        origin: str,
    ) -> None:
        self._config = config
        self._writer = writer
        self._strategy = strategy
        self._id = trial_id
        self._origin = origin
        self._now = time.time()

    def take_in(self, trial: ExchangedTrial, configuration: Configuration) -> None:
        """Pass it to `adopt`, tell its reports and its end, and store all of that."""
        start = Start(configuration)
        state = self._strategy.adopt(self._id, start)
        self._writer.start(self._id, start, adopted=True, imported=True)
        if state is not None:
            self._writer.strategy_state(state)
        counted = self._tell_curve(trial)
        values = {} if trial.values is None else self._by_metric(trial.values)
        metrics = {**trial.metrics, **values}
        if trial.state is TrialState.FAILED:
            counted = None
        elif trial.values is not None:
            pairs = zip(self._config.objectives, trial.values, strict=True)
            counted = tuple(objective.loss(value) for objective, value in pairs)
        last = max(trial.intermediate, default=None)
        self._tell(_STATUS[trial.state], last, metrics, counted)
        self._writer.trial(self._id, trial.state, counted)
        if last is not None and len(self._config.objectives) == 1:
            metrics = {**self._by_metric((trial.intermediate[last],)), **metrics}
        self._writer.imported_job(
            self._id,
            name=trial.name or f"{self._config.name}-{self._id}",
            state=trial.state,
            reason=self._origin,
            began=trial.began,
            ended=trial.ended,
            now=self._now,
            iteration=last,
            metrics=metrics,
        )

    def _tell_curve(self, trial: ExchangedTrial) -> Losses | None:
        """Tell the value of the only objective at each iteration; return the resulting losses."""
        counted: Losses | None = None
        losses: tuple[float | None, ...] = (None,)
        if len(self._config.objectives) == 1:
            for iteration, value in sorted(trial.intermediate.items()):
                metrics = self._by_metric((value,))
                losses = updated(self._config.objectives, losses, metrics)
                counted = complete(losses)
                self._tell(Status.RUNNING, iteration, metrics, counted)
        return counted

    def _by_metric(self, values: Sequence[float]) -> dict[str, float]:
        metrics = [objective.metric for objective in self._config.objectives]
        return dict(zip(metrics, values, strict=True))

    def _tell(
        self,
        status: Status,
        iteration: int | None,
        metrics: dict[str, float],
        losses: Losses | None,
    ) -> None:
        report = Report(
            trial_id=self._id,
            job_id=job_id(self._id, 0),
            iteration=iteration,
            losses=losses,
            status=status,
            metrics=metrics,
        )
        self._writer.told(report, 0, iteration, self._now, self._strategy.tell(report))
