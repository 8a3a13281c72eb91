"""The resources of one run of a study: lock, strategy, session and backend."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

from hpo_core import client
from hpo_core.authoring.observers import JobCallback
from hpo_core.contracts.backend import Backend, BackendContext, Clock, JobEvent
from hpo_core.contracts.observer import FinishedJob, Observer
from hpo_core.contracts.strategy import Capability, Strategy
from hpo_core.controller.run import recovery
from hpo_core.controller.run.budget_tracker import BudgetTracker
from hpo_core.controller.run.checkpoint_retention import CheckpointRetention
from hpo_core.controller.run.context import RunContext
from hpo_core.controller.run.incumbents import stored_incumbents
from hpo_core.controller.run.metrics_readers import ReadingBackend
from hpo_core.controller.run.observer_dispatcher import ObserverDispatcher
from hpo_core.controller.run.recovery import Interrupted
from hpo_core.controller.run.remote_checkpoints import CheckpointingBackend
from hpo_core.controller.run.session import Session
from hpo_core.controller.run.turns import Turns
from hpo_core.controller.stored import adopt_history, manage, open_study
from hpo_core.controller.strategy import build, plugin_choices
from hpo_core.controller.strategy.checked_strategy import CheckedStrategy
from hpo_core.controller.strategy.prepared import Prepared
from hpo_core.controller.strategy.rebuild import Renewer
from hpo_core.controller.strategy.restore import rebuilt, restored_strategy
from hpo_core.model.errors import HpoError
from hpo_core.model.job import StudyState
from hpo_core.store.control import ControllerLock, ControlPipe
from hpo_core.store.database import MEMORY
from hpo_core.store.records import StudyRecord
from hpo_core.store.required_file import RequiredFile
from hpo_core.store.store import Store
from hpo_core.store.writer import StudyWriter

_log = logging.getLogger("hpo_core")


class StudyRun:
    """One run of a study, from its lock to its end.

    Args:
        prepared: The study's configuration and plugins.
        store: The store of the study.
        clock: The time.
        function: The function that jobs call, if the configuration refers to it.
        observers: The observers to notify.
        adopts_history: Whether the strategy adopts the stored trials instead of being restored.

    Attributes:
        session: The session; None before the run is opened, and for a finished study.
        error: The error that made the study fail, once it has ended.
        is_building: Whether the strategy is being built or restored, before any job runs.
        began: Time at which it was opened, in seconds since the epoch.
    """

    def __init__(
        self,
        prepared: Prepared,
        store: Store,
        clock: Clock,
        *,
        function: Callable[..., Any] | None,
        observers: Sequence[Observer],
        adopts_history: bool,
    ) -> None:
        self.session: Session | None = None
        self.error: HpoError | None = None
        self.is_building = False
        self.began = 0.0
        self._prepared = prepared
        self._config = prepared.config
        self._store = store
        self._clock = clock
        self._function = function
        self._observers = observers
        self._dispatcher = ObserverDispatcher(())
        self._is_over = False  # observers alone may be at work
        self._adopts_history = adopts_history
        self._capabilities: frozenset[Capability] = frozenset()  # known once the strategy is built
        self._ends_at, self._time_limit = math.inf, math.inf
        self._stop: tuple[str, bool] | None = None  # possibly before there is a session
        self._backend: Backend | None = None
        self._waking = threading.RLock()  # guards access to the backend by other threads
        self._held = contextlib.ExitStack()
        self._interrupted: Sequence[Interrupted] = ()

    # -- requests, safe from any thread -----------------------------------------------------

    def stop(self, reason: str, *, at_once: bool) -> None:
        """Request the run to end, also before it is opened."""
        self._stop = (reason, at_once)
        if at_once or self._is_over:
            self._dispatcher.give_up()
        if self.session is not None:
            self.session.stop(reason, at_once=at_once)
            self._wake()

    def limit(self, *, ends_at: float = math.inf, after: float = math.inf) -> None:
        """Set the end: a time in seconds since the epoch, or seconds after the start."""
        self._ends_at, self._time_limit = ends_at, after
        if self.session is not None:
            self.session.set_end(min(ends_at, self.began + after))
            self._wake()

    def look_for_enqueued(self) -> None:
        """Look for enqueued configurations in the store."""
        if self.session is not None:
            self.session.expect_enqueued()
            self._wake()

    def _wake(self) -> None:
        with self._waking:
            if self._backend is not None:
                self._backend.wake()

    def _obey(self, word: str) -> None:
        if word == "stop":
            self.stop("stopped by another process", at_once=False)
        else:
            self.look_for_enqueued()

    # -- from the lock to the end -----------------------------------------------------------

    def open(
        self, study: StudyRecord, on_job_finished: Callable[[FinishedJob], object] | None
    ) -> None:
        """Take the study's lock, and create the session and the backend.

        Raises:
            StudyRunning: If another controller runs it.
            StrategyError: If the strategy cannot be built or restored.
            BackendError: If the backend cannot be built, or the study's function is not there.
        """
        client.end_loading()
        config, store = self._config, self._store
        folder = store.folder(study)
        required: tuple[RequiredFile, ...] = ()
        with contextlib.ExitStack() as held:
            if store.path != MEMORY:
                lock = ControllerLock(folder)
                held.callback(lock.release)
                manage.require_no_jobs_of_schema_1(folder)
                store.move_folder(study)
                the_store = RequiredFile(store.path, f"the store {store.path}")
                required = (lock.required_file(), the_store)
                held.callback(ControlPipe(folder, self._obey).close)
            study = store.study(config.name)
            open_study.take_over(store, study, self._prepared)
            if study.state is StudyState.FINISHED:
                return
            build.require_function(config, self._function, store)
            renewer = Renewer(
                self._make_strategy, self._prepared.given if config.job.retries else None
            )
            strategy = self._checked_strategy(study)
            held.callback(strategy.close)
            for remark in self._prepared.budget_remarks():
                _log.warning(remark)
            writer = StudyWriter(
                store, study.id, durable=config.durability == "full", required=required
            )
            context = self._context(study, writer, strategy)
            session = self._new_session(context, strategy, renewer, on_job_finished)
            self._interrupted = recovery.interrupted_trials(config, store, study)
            if folder.remove_foreign_journals():
                _log.warning(_COPIED, folder.path)
            self._backend = self._build_backend(session, context)
            held.callback(self._close_backend)
            self._held = held.pop_all()
        self.session = session
        if self._stop is not None:
            reason, at_once = self._stop
            session.stop(reason, at_once=at_once)

    def run(self) -> None:
        """Run the study to its end; see `error` for a failure."""
        session, backend = self.session, self._backend
        if session is None or backend is None:
            return
        try:
            with self._held:
                session.run(backend, self._interrupted)
        except Exception as error:  # noqa: BLE001  # a backend may raise anything when closed
            if session.error is None:  # the first one is the reason
                session.blame(error)
        finally:
            self.error = session.error
            self._is_over = True
            self._dispatcher.close()

    def _close_backend(self) -> None:
        with self._waking:
            backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()

    # -- the strategy -----------------------------------------------------------------------

    def _checked_strategy(self, study: StudyRecord) -> CheckedStrategy:
        if self._adopts_history:
            adopt_history.adopt_history(self._make_strategy, self._prepared, self._store, study)
        self.is_building = True
        try:
            name = self._config.strategy.name
            strategy = restored_strategy(self._make_strategy, name, self._store, study)
        finally:
            self.is_building = False
        return CheckedStrategy(strategy, self._config)

    def _make_strategy(self) -> Strategy:
        built = build.build_strategy(self._prepared)
        self._capabilities = built.capabilities
        return built.strategy

    # -- the session and the backend --------------------------------------------------------

    def _context(
        self, study: StudyRecord, writer: StudyWriter, strategy: CheckedStrategy
    ) -> RunContext:
        folder = self._store.folder(study)
        if self._config.job.checkpoints is not None:
            folder.keep_checkpoints_at(self._config.job.checkpoints)
        is_resuming = Capability.RESUMING in self._capabilities
        is_stopping = Capability.STOPPING in self._capabilities
        return RunContext(
            config=self._config,
            study=study,
            store=self._store,
            writer=writer,
            folder=folder,
            clock=self._clock,
            is_resuming=is_resuming,
            compares_targets=is_resuming or strategy.compares_targets,
            is_pruning=is_stopping and self._prepared.announces,
            enforces_limits=self._prepared.backend.spec.enforces_limits,
            may_suggest_ahead=self._prepared.may_suggest_ahead,
        )

    def _new_session(
        self,
        context: RunContext,
        strategy: CheckedStrategy,
        renewer: Renewer,
        on_job_finished: Callable[[FinishedJob], object] | None,
    ) -> Session:
        config, store, study = context.config, context.store, context.study
        now = self.began = self._clock.now()
        budget = BudgetTracker(config.budget, store.totals(study.id), study.wall_time, now)
        budget.ends_at = min(self._ends_at, now + self._time_limit)
        callbacks = [] if on_job_finished is None else [JobCallback(on_job_finished)]
        self._dispatcher = ObserverDispatcher([*self._observers, *callbacks])
        turns = Turns(
            context,
            strategy=strategy,
            rebuild=lambda: rebuilt(renewer, config.strategy.name, store, study),
            budget=budget,
            incumbents=stored_incumbents(store, study, config),
            retention=CheckpointRetention(
                context.folder.checkpoints, config.job.keep_checkpoints, context.is_resuming
            ),
            is_observed=bool(self._dispatcher),
        )
        return Session(context, turns, strategy, budget, self._dispatcher)

    def _build_backend(self, session: Session, context: RunContext) -> Backend:
        checkpoints, deliver = context.folder.checkpoints, session.deliver
        wrappers: list[ReadingBackend | CheckpointingBackend] = []  # the outermost one first
        if checkpoints.remote is not None:
            wrappers.append(
                CheckpointingBackend(checkpoints, checkpoints.remote, deliver, self._clock)
            )
            deliver = wrappers[-1].deliver
        make = plugin_choices.reader_of(self._config)
        if make is not None:
            is_stopping = Capability.STOPPING in self._capabilities
            can_stop = is_stopping and self._config.backend.name != "inline"
            wrappers.append(ReadingBackend(make, deliver, self._clock, can_stop=can_stop))
            deliver = wrappers[-1].deliver
        backend = build.build_backend(self._prepared, self._backend_context(context, deliver))
        for wrapper in reversed(wrappers):
            backend = wrapper.on(backend)
        return backend

    def _backend_context(
        self, context: RunContext, deliver: Callable[[JobEvent], None]
    ) -> BackendContext:
        config, folder = self._config, context.folder
        return BackendContext(
            study=config.name,
            study_uid=folder.instance(),
            work=build.work_of(config, self._function),
            workers=config.workers,
            clock=self._clock,
            decides=Capability.STOPPING in self._capabilities,
            deliver=deliver,
            folder=None if self._store.path == MEMORY else str(folder.journals()),
            resources=config.job.resources,
        )


_COPIED = (
    "the folder %s is a copy, or was moved to another file system: jobs that still run in the "
    "original are not touched, and unfinished jobs are run again here"
)
