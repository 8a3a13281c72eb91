"""The public class of the controller."""

from __future__ import annotations

import contextlib
import datetime
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from hpo_core import registry
from hpo_core.config import StudyConfig, instance_choice
from hpo_core.contracts.backend import Clock
from hpo_core.contracts.observer import FinishedJob, Observer
from hpo_core.contracts.strategy import Strategy
from hpo_core.controller.clock import SystemClock
from hpo_core.controller.results.result import Result, read_result, read_top
from hpo_core.controller.results.summary import Summary, read_summary
from hpo_core.controller.results.trial_result import TrialResult
from hpo_core.controller.run.budget_tracker import stored_usage
from hpo_core.controller.stored import manage, open_study
from hpo_core.controller.stored.missing import named_by_store
from hpo_core.controller.strategy import plugin_choices, resolve
from hpo_core.controller.study_run import StudyRun
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
from hpo_core.model.values import Value
from hpo_core.store.database import MEMORY
from hpo_core.store.store import Store


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
            observers += plugin_choices.build_observers(self.config, self._store.path)
            self._study = open_study.find_or_create(self._store, self._prepared, self._clock.now())
        except BaseException:
            if self._owns_store:
                self._store.close(remove_if_empty=is_new_store)
            raise
        self._is_new_store = is_new_store
        self._run = StudyRun(
            self._prepared,
            self._store,
            self._clock,
            function=function,
            observers=observers,
            adopts_history=adopt_history,
        )
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

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
        self._open(on_job_finished)
        self._thread = threading.Thread(
            target=self._run_to_end, name=f"hpo-{self.config.name}", daemon=True
        )
        self._thread.start()

    def run(self, on_job_finished: Callable[[FinishedJob], object] | None = None) -> Result:
        """Run the study in this thread, and return the result; see `start`.

        Raises:
            StudyFailed: If the study failed; ``__cause__`` is the reason.
        """
        self.run_through(on_job_finished)
        return self.result()

    def run_through(self, on_job_finished: Callable[[FinishedJob], object] | None = None) -> None:
        """Run the study in this thread, without returning the result; see `run`."""
        self._open(on_job_finished)
        self._thread = threading.current_thread()
        self._run_to_end()
        if self.error is not None:
            raise StudyFailed(self._failure()) from self.error

    def _failure(self) -> str:
        """Return the reasons why the study and its jobs failed, as far as they can be read."""
        said = f"the study {self.name!r} failed: {self.error}"
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
        """Stop the study and its jobs, and wait for their end. The study can be resumed later.

        In a callback it returns immediately, and they end after the callback.

        Args:
            reason: A human-readable reason.
            at_once: Kill the jobs, without the grace period.
        """
        self.request_stop(reason, at_once=at_once)
        if self._thread is not None and not self._is_controller():
            self._over.wait()

    def request_stop(self, reason: str = "stopped", *, at_once: bool = False) -> None:
        """Request the study to stop, and return immediately. Safe in any thread and signal
        handler.
        """
        self._run.stop(reason, at_once=at_once)

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

    # -- looking ----------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._run.session is not None and not self._over.is_set()

    @property
    def is_building(self) -> bool:
        """Whether the strategy is being built or restored, before any job runs."""
        return self._run.is_building

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
        return self._run.error

    @property
    def elapsed(self) -> float:
        """Time that the study has run in seconds, over all its sessions."""
        return self.usage.wall_time

    @property
    def usage(self) -> Usage:
        """The used amount of each quantity that a budget can limit."""
        session = self._run.session
        if session is not None and self.is_running:
            return session.usage()
        return stored_usage(self._store, self._study.name, self.config)

    @property
    def remaining(self) -> dict[str, float]:
        """What remains of each limit that is set, in its unit."""
        return remaining(self.config.budget, self.usage)

    @property
    def running_jobs(self) -> list[Job]:
        """The running jobs."""
        session = self._run.session
        return [] if session is None else session.running_jobs

    def top(self, k: int = 5) -> list[TrialResult]:
        """Return the `k` best completed trials so far, best first."""
        return read_top(self._store, self._store.study(self.name), k)

    def result(self) -> Result:
        """Return the results so far."""
        return read_result(self._store, self._store.study(self.name), self.usage)

    def summary(self, k: int = 5) -> Summary:
        """Return the status of the study and its `k` best trials, without reading all trials."""
        study = self._store.study(self.name)
        return read_summary(self._store, study, self.usage, k, self._run.began)

    # -- changing ---------------------------------------------------------------------------

    def enqueue(self, configuration: Mapping[str, Value]) -> None:
        """Enqueue a configuration to run before the strategy is asked again.

        Raises:
            InvalidInput: With all its faults.
        """
        self._store.enqueue(self._study.id, self.config.space.configuration(configuration))
        self._run.look_for_enqueued()

    def set_time_limit(
        self, limit: float | str | datetime.timedelta | datetime.datetime | None
    ) -> None:
        """Set the end of the session, independent of the budget. The study can be resumed later.

        Args:
            limit: Seconds, a duration such as ``"10m"`` or a timedelta, counted from now or, if the
                study has not been started, from its start; or a datetime; None for no limit.
        """
        if limit is None:
            self._run.limit()
        elif isinstance(limit, datetime.datetime):
            self._run.limit(ends_at=limit.timestamp())
        else:
            duration = (
                limit.total_seconds() if isinstance(limit, datetime.timedelta) else seconds(limit)
            )
            if self.is_running:
                self._run.limit(ends_at=self._clock.now() + duration)
            else:
                self._run.limit(after=duration)

    # -- one run ----------------------------------------------------------------------------

    def _open(self, on_job_finished: Callable[[FinishedJob], object] | None) -> None:
        """Open the run; a new study that is refused is not kept."""
        if on_job_finished is not None and not callable(on_job_finished):
            message = f"expected a function, got {on_job_finished!r}"
            raise InvalidInput([Fault("on_job_finished", message)])
        if self._run.session is not None:
            raise HpoError("this optimizer has already been started; create another one to resume")
        if self._is_new and self._store.find(self.name) is None:  # it was rejected before
            self._study = open_study.find_or_create(self._store, self._prepared, self._clock.now())
        try:
            self._run.open(self._study, on_job_finished)
        except (BackendError, InvalidInput, PluginError, StrategyError, KeyboardInterrupt):
            if self._is_new:
                manage.forget_unbegun(self._store, self._study)
            raise

    def _run_to_end(self) -> None:
        try:
            self._run.run()
        finally:
            self._over.set()

    def _is_controller(self) -> bool:
        return self._thread is threading.current_thread()


def _misfits(observers: Iterable[object]) -> Iterator[Fault]:
    for index, each in enumerate(observers):
        if isinstance(each, type) or not callable(getattr(each, "observe", None)):
            message = f"expected an object with a method observe(event), got {each!r:.60}"
            yield Fault(f"observers[{index}]", message)
