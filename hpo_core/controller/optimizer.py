"""The public class of the controller."""

from __future__ import annotations

import contextlib
import copy
import datetime
import logging
import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from hpo_core import client, registry
from hpo_core.config import StudyConfig, instance_choice
from hpo_core.contracts.backend import Backend, BackendContext, Clock, JobEvent
from hpo_core.contracts.observer import FinishedJob, Observer
from hpo_core.contracts.strategy import Capability, Strategy
from hpo_core.controller.clock import SystemClock
from hpo_core.controller.results.result import (
    Result,
    TrialResult,
    best_trials,
    feasible_trials,
    read_result,
    read_top,
)
from hpo_core.controller.results.summary import Summary, read_summary
from hpo_core.controller.run import recovery
from hpo_core.controller.run.budget_tracker import BudgetTracker, stored_usage
from hpo_core.controller.run.checkpoint_retention import CheckpointRetention
from hpo_core.controller.run.context import RunContext
from hpo_core.controller.run.incumbents import Incumbents
from hpo_core.controller.run.metrics_readers import ReadingBackend
from hpo_core.controller.run.observer_dispatcher import JobCallback, ObserverDispatcher
from hpo_core.controller.run.session import Session
from hpo_core.controller.stored import adopt_history, manage, open_study
from hpo_core.controller.stored.missing import named_by_store
from hpo_core.controller.strategy import plugin_choices, resolve
from hpo_core.controller.strategy.checked_strategy import CheckedStrategy
from hpo_core.controller.strategy.rebuild import Renewer
from hpo_core.controller.strategy.restore import rebuilt, restored_strategy
from hpo_core.model.budget import Usage, remaining
from hpo_core.model.durations import seconds
from hpo_core.model.errors import (
    BackendError,
    Fault,
    HpoError,
    InvalidInput,
    PluginError,
    StoreError,
    StrategyError,
    StudyFailed,
)
from hpo_core.model.job import Job, StudyState
from hpo_core.model.objective import pareto_front
from hpo_core.model.values import Value
from hpo_core.store.control import ControllerLock, ControlPipe
from hpo_core.store.database import MEMORY
from hpo_core.store.records import StudyRecord
from hpo_core.store.required_file import RequiredFile
from hpo_core.store.store import Store
from hpo_core.store.writer import StudyWriter

_log = logging.getLogger("hpo_core")


class HyperParameterOptimizer:
    """Runs a study: asks the strategy, launches jobs, enforces the budget and stores all results.

    A study that is already in the store is resumed. As a context manager, it stops the study on
    exit.

    Args:
        config: The configuration of the study. The plugins that it names are resolved on
            construction.
        store: The path of the store, or an open store; None for an in-memory study.
        strategy: A strategy instance to use instead of the configured strategy, such as one that is
            not packaged yet. It must be new: never asked or told.
        function: The function that jobs call, if ``config.job.function`` refers to it.
        observers: Observers to notify of study events, in addition to those in the configuration.
        adopt_history: Whether the strategy adopts the stored trials instead of being restored. For
            a stored study whose strategy was updated and now makes different suggestions.

    Attributes:
        is_building: Whether the strategy is being built or restored, before any job runs.

    Raises:
        InvalidInput: With all faults of the plugins' options.
        PluginError: If a plugin is missing or broken, or does not support what the study needs.
        StudyChanged: If the store has a study with this name and a different configuration.
        StoreError: If the store cannot be used.
    """

    def __init__(
        self,
        config: StudyConfig,
        *,
        store: str | os.PathLike[str] | Store | None = None,
        strategy: Strategy | None = None,
        function: Callable[..., Any] | None = None,
        observers: Iterable[Observer] = (),
        adopt_history: bool = False,
    ) -> None:
        observers = list(observers)
        registry.require(_misfits(observers))
        if strategy is not None:
            config = msgspec.structs.replace(config, strategy=instance_choice(strategy))
        with named_by_store(store, config.name):
            prepared = resolve.prepare(plugin_choices.with_options(config), strategy)
        self._function = function
        self._adopt_history = adopt_history
        self._capabilities: frozenset[Capability] = frozenset()  # known once the strategy is built
        self._clock: Clock = SystemClock()
        self._owns_store = not isinstance(store, Store)
        if isinstance(store, Store):
            self._store, is_new_store = store, False
        else:
            is_new_store = store is None or not os.path.exists(store)
            self._store = Store(MEMORY if store is None else store)
        try:
            self._is_new = self._store.find(config.name) is None
            self._prepared = open_study.settled(self._store, prepared)
            self.config = self._prepared.config
            self._observers = [
                *observers,
                *plugin_choices.build_observers(self.config, self._store.path),
            ]
            self._study = open_study.find_or_create(self._store, self._prepared, self._clock.now())
        except BaseException:
            if self._owns_store:
                self._store.close(remove_if_empty=is_new_store)
            raise
        self._is_new_store = is_new_store
        self._folder = self._store.folder(self._study)
        self._began = 0.0  # start time of the session
        self._ends_at = math.inf
        self._time_limit: float | None = None
        self._session: Session | None = None
        self._backend: Backend | None = None
        self._waking = threading.RLock()  # guards access to the backend by other threads
        self._thread: threading.Thread | None = None
        self._error: HpoError | None = None
        self._stop_requested: tuple[str, bool] | None = None  # possibly before there is a session
        self._over = threading.Event()
        self.is_building = False

    # -- running ----------------------------------------------------------------------------

    def start(self, on_job_finished: Callable[[FinishedJob], object] | None = None) -> None:
        """Start in the background; see `wait`.

        Args:
            on_job_finished: Called for each job that has ended, after it is stored, on the
                controller's thread.

        Raises:
            StudyRunning: If another controller runs this study.
            StrategyError: If the strategy cannot be built or restored.
            HpoError: If it has been started before.
        """
        run = self._prepare_session(on_job_finished)
        self._thread = threading.Thread(target=run, name=f"hpo-{self.config.name}", daemon=True)
        self._thread.start()

    def run(self, on_job_finished: Callable[[FinishedJob], object] | None = None) -> Result:
        """Run the study in this thread, and return the result; see `start`.

        Raises:
            StudyFailed: If the study failed; ``__cause__`` is the reason.
        """
        self.run_through(on_job_finished)
        return self.result()

    def run_through(self, on_job_finished: Callable[[FinishedJob], object] | None = None) -> None:
        """Run the study in this thread without returning the result, which is in the store; see
        `run`.
        """
        run = self._prepare_session(on_job_finished)
        self._thread = threading.current_thread()
        run()
        if self._error is not None:
            raise StudyFailed(self._failure()) from self._error

    def _failure(self) -> str:
        """Return the reasons why the study and its jobs failed, as far as they can be read."""
        said = f"the study {self.name!r} failed: {self._error}"
        with contextlib.suppress(StoreError):  # the store itself may be broken
            failures = self.summary(0).failures
            said += f"\n{failures}" if failures else ""
        return said

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the study has ended, in any state.

        Args:
            timeout: Maximum time to wait in seconds; None to wait indefinitely.

        Returns:
            Whether it has ended; False immediately if it has not been started.

        Raises:
            HpoError: If called in a callback of the same study.
        """
        if self.is_running and self._is_controller():
            raise HpoError("a callback cannot wait for its own study to end; wait elsewhere")
        if self._thread is not None:
            self._over.wait(timeout)
        return self._over.is_set()

    def stop(self, reason: str = "stopped", *, at_once: bool = False) -> None:
        """Stop the study and its jobs, and wait until they have ended. The study can be resumed
        later.

        In a callback it returns immediately, and they end after the callback.

        Args:
            reason: A human-readable reason.
            at_once: Kill the jobs, without the grace period.
        """
        self.request_stop(reason, at_once=at_once)
        if self._thread is not None and not self._is_controller():
            self._over.wait()

    def request_stop(self, reason: str = "stopped", *, at_once: bool = False) -> None:
        """Request the study to stop; return immediately. Safe in any thread and signal handler."""
        self._stop_requested = (reason, at_once)
        if self._session is not None:
            self._session.stop(reason, at_once=at_once)
            self._wake()

    def close(self) -> None:
        """Stop the study if it is running, and close the store. A study in memory is discarded."""
        self.stop()
        if self._owns_store:
            self._store.close(remove_if_empty=self._is_new_store)

    def __repr__(self) -> str:
        """Return the study and whether it runs, in one line."""
        does = "running" if self.is_running else "not running"
        return f"<HyperParameterOptimizer of {self.name!r} in {self._store.path}: {does}>"

    def __enter__(self) -> HyperParameterOptimizer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- inspection ----------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._session is not None and not self._over.is_set()

    @property
    def state(self) -> StudyState:
        """The state of the study."""
        if self.is_running:
            return StudyState.RUNNING
        return self._store.current_state(self._store.study(self.name))[0]

    @property
    def name(self) -> str:
        """The study's name."""
        return self.config.name

    @property
    def error(self) -> HpoError | None:
        """The error that made the study fail, or None."""
        return self._error

    @property
    def elapsed(self) -> float:
        """Time that the study has run in seconds, over all its sessions."""
        return self.usage.wall_time

    @property
    def usage(self) -> Usage:
        """The used amount of each quantity that a budget can limit."""
        if self._session is not None and self.is_running:
            return self._session.usage()
        return stored_usage(self._store, self._study.name, self.config)

    @property
    def remaining(self) -> dict[str, float]:
        """What remains of each limit that is set, in its unit."""
        return remaining(self.config.budget, self.usage)

    @property
    def running_jobs(self) -> list[Job]:
        """The running jobs."""
        session = self._session
        return [] if session is None else session.running_jobs

    def top(self, k: int = 5) -> list[TrialResult]:
        """Return the `k` best completed trials so far, best first."""
        return read_top(self._store, self._study, k)

    def result(self) -> Result:
        """Return the results so far."""
        return read_result(self._store, self._store.study(self.name), self.usage)

    def summary(self, k: int = 5) -> Summary:
        """Return the status of the study and its `k` best trials, without reading all trials."""
        study = self._store.study(self.name)
        return read_summary(self._store, study, self.usage, k, self._began)

    # -- changes ---------------------------------------------------------------------------

    def enqueue(self, configuration: Mapping[str, Value]) -> None:
        """Enqueue a configuration to run before the strategy is asked again.

        Raises:
            InvalidInput: With all its faults.
        """
        self._store.enqueue(self._study.id, self.config.space.configuration(configuration))
        self._look_for_enqueued()

    def set_time_limit(
        self, limit: float | str | datetime.timedelta | datetime.datetime | None
    ) -> None:
        """Set the end of the session, independent of the budget. The study can be resumed later.

        Args:
            limit: Seconds, a duration such as ``"10m"`` or a timedelta, counted from now or, if the
                study has not been started, from its start; or a datetime; None for no limit.
        """
        ends_at, time_limit = math.inf, None
        if isinstance(limit, datetime.datetime):
            ends_at = limit.timestamp()
        elif limit is not None:
            duration = (
                limit.total_seconds() if isinstance(limit, datetime.timedelta) else seconds(limit)
            )
            if self.is_running:
                ends_at = self._clock.now() + duration
            else:
                time_limit = duration
        self._ends_at, self._time_limit = ends_at, time_limit
        if self._session is not None:
            self._session.set_end(self._ends_at)
            self._wake()

    def _wake(self) -> None:
        with self._waking:
            if self._backend is not None:
                self._backend.wake()

    def _is_controller(self) -> bool:
        return self._thread is threading.current_thread()

    # -- one session ------------------------------------------------------------------------

    def _prepare_session(
        self, on_job_finished: Callable[[FinishedJob], object] | None
    ) -> Callable[[], None]:
        """Create a session; return a function that runs it. A rejected new study is not stored."""
        if on_job_finished is not None and not callable(on_job_finished):
            message = f"expected a function, got {on_job_finished!r}"
            raise InvalidInput([Fault("on_job_finished", message)])
        if self._is_new and self._store.find(self.name) is None:  # it was rejected before
            self._study = open_study.find_or_create(self._store, self._prepared, self._clock.now())
            self._folder = self._store.folder(self._study)
        try:
            return self._session_of(on_job_finished)
        except (BackendError, InvalidInput, PluginError, StrategyError, KeyboardInterrupt):
            if self._is_new:
                manage.forget_unbegun(self._store, self._study)
            raise

    def _session_of(
        self, on_job_finished: Callable[[FinishedJob], object] | None
    ) -> Callable[[], None]:
        client.end_loading()
        if self._session is not None:
            raise HpoError("this optimizer has already been started; create another one to resume")
        required: tuple[RequiredFile, ...] = ()
        with contextlib.ExitStack() as held:
            if self._store.path != MEMORY:
                lock = ControllerLock(self._folder)
                held.callback(lock.release)
                manage.require_no_jobs_of_schema_1(self._folder)
                self._store.move_folder(self._study)
                the_store = RequiredFile(self._store.path, f"the store {self._store.path}")
                required = (lock.required_file(), the_store)
                held.callback(ControlPipe(self._folder, self._obey).close)
            self._study = self._store.study(self.name)
            open_study.take_over(self._store, self._study, self._prepared)
            if self._study.state is StudyState.FINISHED:
                self._over.set()
                return lambda: None
            given = self._prepared.given if self.config.job.retries else None
            renewer = Renewer(self._make_strategy, given)
            if self._adopt_history:
                self._let_history_be_adopted()
            self.is_building = True
            try:
                strategy = restored_strategy(
                    self._make_strategy, self.config.strategy.name, self._store, self._study
                )
            finally:
                self.is_building = False
            checked = CheckedStrategy(strategy, self.config)
            held.callback(checked.close)
            session = self._new_session(checked, renewer, on_job_finished, required)
            interrupted = recovery.interrupted_trials(self.config, self._store, self._study)
            self._leave_other_instances_alone()
            backend = self._build_backend(session)
            held.callback(self._close_backend)
            until_the_end = held.pop_all()
        self._session, self._backend = session, backend
        if self._stop_requested is not None:
            reason, at_once = self._stop_requested
            session.stop(reason, at_once=at_once)

        def run() -> None:
            try:
                with until_the_end:
                    session.run(backend, interrupted)
            except Exception as error:  # noqa: BLE001  # a backend may raise anything when closed
                if session.error is None:  # the first one is the reason
                    session.blame(error)
            finally:
                self._error = session.error
                self._over.set()

        return run

    def _let_history_be_adopted(self) -> None:
        refused = adopt_history.adopt_history(
            self._make_another, self._prepared, self._store, self._study
        )
        for sentence in refused:
            _log.warning(sentence)
        _log.warning(
            "the strategy of %r adopts the %d events that are stored; hpo replay starts there",
            self.name,
            self._store.log_length(self._study.id),
        )

    def _make_another(self) -> Strategy:
        """Create a throw-away strategy; of a strategy instance, a copy."""
        if self._prepared.given is None:
            return self._make_strategy()
        try:
            return copy.deepcopy(self._prepared.given)
        except Exception as error:  # an instance may hold objects that cannot be copied
            kind = type(self._prepared.given).__qualname__
            raise StrategyError(f"an instance of {kind} can't be copied: {error}") from error

    def _make_strategy(self) -> Strategy:
        built = resolve.build_strategy(self._prepared)
        self._capabilities = built.capabilities
        return built.strategy

    def _close_backend(self) -> None:
        with self._waking:
            backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()

    def _new_session(
        self,
        strategy: CheckedStrategy,
        renewer: Renewer,
        on_job_finished: Callable[[FinishedJob], object] | None,
        required: tuple[RequiredFile, ...],
    ) -> Session:
        config, store, study = self.config, self._store, self._study
        now = self._began = self._clock.now()
        budget = BudgetTracker(config.budget, store.totals(study.id), study.wall_time, now)
        budget.ends_at = self._ends_at if self._time_limit is None else now + self._time_limit
        is_resuming = Capability.RESUMING in self._capabilities
        is_durable = config.durability == "full"
        callbacks = [] if on_job_finished is None else [JobCallback(on_job_finished)]
        context = RunContext(
            config=config,
            study=study,
            store=store,
            writer=StudyWriter(store, study.id, durable=is_durable, required=required),
            folder=self._folder,
            clock=self._clock,
            is_resuming=is_resuming,
            compares_targets=is_resuming or strategy.compares_targets,
            is_pruning=Capability.STOPPING in self._capabilities and self._prepared.announces,
            enforces_limits=self._prepared.backend.spec.enforces_limits,
        )
        return Session(
            context,
            strategy=strategy,
            rebuild=lambda: rebuilt(renewer, config.strategy.name, store, study),
            budget=budget,
            incumbents=_incumbents(store, study, config),
            retention=CheckpointRetention(
                self._folder.checkpoints, config.job.keep_checkpoints, is_resuming
            ),
            observers=ObserverDispatcher([*self._observers, *callbacks]),
        )

    def _leave_other_instances_alone(self) -> None:
        """Forget the jobs of the original of a copied folder."""
        if self._folder.remove_foreign_journals():
            _log.warning(
                "the folder %s is a copy, or was moved to another file system: jobs that "
                "still run in the original are not touched, and unfinished jobs are run "
                "again here",
                self._folder.path,
            )

    def _build_backend(self, session: Session) -> Backend:
        make = plugin_choices.reader_of(self.config)
        if make is None:
            return resolve.build_backend(self._prepared, self._context(session.deliver))
        reading = ReadingBackend(make, session.deliver, self._clock)
        return reading.on(resolve.build_backend(self._prepared, self._context(reading.deliver)))

    def _context(self, deliver: Callable[[JobEvent], None]) -> BackendContext:
        return BackendContext(
            study=self.config.name,
            study_uid=self._folder.instance(),
            work=resolve.work_of(self.config, self._function),
            workers=self.config.workers,
            clock=self._clock,
            decides=Capability.STOPPING in self._capabilities,
            deliver=deliver,
            folder=None if self._store.path == MEMORY else str(self._folder.journals()),
        )

    def _obey(self, word: str) -> None:
        if word == "stop":
            self.request_stop("stopped from elsewhere")
        else:
            self._look_for_enqueued()

    def _look_for_enqueued(self) -> None:
        if self._session is not None:
            self._session.expect_enqueued()
            self._wake()


def _misfits(observers: Iterable[object]) -> Iterator[Fault]:
    for index, each in enumerate(observers):
        if isinstance(each, type) or not callable(getattr(each, "observe", None)):
            message = f"expected an object with a method observe(event), got {each!r:.60}"
            yield Fault(f"observers[{index}]", message)


def _incumbents(store: Store, study: StudyRecord, config: StudyConfig) -> Incumbents:
    if len(config.objectives) == 1:
        trials = best_trials(store, study, config, 1)
        return Incumbents([trial.losses for trial in trials if trial.losses])
    trials = feasible_trials(store, study, config)
    losses = [trial.losses for trial in trials if trial.losses]
    return Incumbents([losses[index] for index in pareto_front(losses)])
