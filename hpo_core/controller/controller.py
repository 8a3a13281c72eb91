"""The controller of a study, as its users hold it."""

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
from hpo_core.controller.results.result import Result, TrialResult, read_result, read_top
from hpo_core.controller.results.summary import Summary, read_summary
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
    """Runs a study: asks the strategy, launches jobs, keeps the budget, stores everything.

    A study that the store has already is resumed where it was. As a context manager it stops
    the study on leaving.

    Args:
        config: What to run; the plugins that it names are looked up here.
        store: The file that keeps the study, or a store that stays open; None to keep it in
            memory.
        strategy: A strategy to use instead of the one that the configuration names, for one
            that is not packaged yet. It must be new: nothing asked or told.
        function: The function that jobs call, where ``config.job.function`` is its name.
        observers: Whom to tell what happens, besides those that the configuration names.
        adopt_history: Whether the strategy adopts what is stored, instead of being restored: for
            a stored study after an update of its strategy that now suggests otherwise.

    Raises:
        InvalidInput: With every fault of the plugins' options.
        PluginError: If a plugin is missing, broken, or can't do what the study needs.
        StudyChanged: If the store has a study of that name with another configuration.
        StoreError: If the store can't be used.
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
        """Begin in the background; `wait` waits for the end.

        Args:
            on_job_finished: Called once for each job that has ended, after it is stored, on the
                controller's thread.

        Raises:
            StudyRunning: If another controller runs this study.
            StrategyError: If the strategy can't be built or restored.
            HpoError: If it has been started before.
        """
        self._open(on_job_finished)
        self._thread = threading.Thread(
            target=self._run_to_end, name=f"hpo-{self.config.name}", daemon=True
        )
        self._thread.start()

    def run(self, on_job_finished: Callable[[FinishedJob], object] | None = None) -> Result:
        """Run to the end in this thread, and return the result; see `start`.

        Raises:
            StudyFailed: If the study ends as failed; ``__cause__`` says why.
        """
        self.run_through(on_job_finished)
        return self.result()

    def run_through(self, on_job_finished: Callable[[FinishedJob], object] | None = None) -> None:
        """Run to the end in this thread, and leave the result in the store; see `run`."""
        self._open(on_job_finished)
        self._thread = threading.current_thread()
        self._run_to_end()
        if self.error is not None:
            raise StudyFailed(self._failure()) from self.error

    def _failure(self) -> str:
        """Return why the study failed, and why its jobs did, as far as that can be read."""
        said = f"the study {self.name!r} failed: {self.error}"
        with contextlib.suppress(StoreError):  # it may be the store that is broken
            failures = self.summary(0).failures
            said += f"\n{failures}" if failures else ""
        return said

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, whatever it is.

        Args:
            timeout: Seconds to wait at the most; None for as long as it takes.

        Returns:
            Whether it has ended; False at once if it has not been started.

        Raises:
            HpoError: If a callback of the study itself would wait.
        """
        if self.is_running and self._is_controller():
            raise HpoError("a callback can't wait for its own study to end; wait elsewhere")
        if self._thread is not None:
            self._over.wait(timeout)
        return self._over.is_set()

    def stop(self, reason: str = "stopped", *, at_once: bool = False) -> None:
        """End the study and its jobs, and wait until they are gone; it can be resumed later.

        In a callback it returns at once, and they are ended after it.

        Args:
            reason: Why, for people.
            at_once: Force the jobs to end, without the grace period.
        """
        self.request_stop(reason, at_once=at_once)
        if self._thread is not None and not self._is_controller():
            self._over.wait()

    def request_stop(self, reason: str = "stopped", *, at_once: bool = False) -> None:
        """Ask the study to end, and return at once; safe from any thread or signal handler."""
        self._run.stop(reason, at_once=at_once)

    def close(self) -> None:
        """Stop if it runs, and close the store; a study in memory is gone then."""
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
        """Whether it builds or restores its strategy just now: nothing runs yet."""
        return self._run.is_building

    @property
    def state(self) -> StudyState:
        """Where the study stands."""
        if self.is_running:
            return StudyState.RUNNING
        return self._store.current_state(self._store.study(self.name))[0]

    @property
    def name(self) -> str:
        """The study's name."""
        return self.config.name

    @property
    def error(self) -> HpoError | None:
        """The error that made the study fail, if it has."""
        return self._run.error

    @property
    def elapsed(self) -> float:
        """Seconds that the study has run, over all its sessions."""
        return self.usage.wall_time

    @property
    def usage(self) -> Usage:
        """What is used of everything that a budget may limit."""
        session = self._run.session
        if session is not None and self.is_running:
            return session.usage()
        return stored_usage(self._store, self._study.name, self.config)

    @property
    def remaining(self) -> dict[str, float]:
        """What is left of each limit that the budget has, in its own unit."""
        return remaining(self.config.budget, self.usage)

    @property
    def running_jobs(self) -> list[Job]:
        """The jobs that are under way."""
        session = self._run.session
        return [] if session is None else session.running_jobs

    def top(self, k: int = 5) -> list[TrialResult]:
        """Return the `k` best completed trials so far, best first."""
        return read_top(self._store, self._store.study(self.name), k)

    def result(self) -> Result:
        """Return what has come out so far."""
        return read_result(self._store, self._store.study(self.name), self.usage)

    def summary(self, k: int = 5) -> Summary:
        """Return how the study stands, and its `k` best trials, without reading all the others."""
        study = self._store.study(self.name)
        return read_summary(self._store, study, self.usage, k, self._run.began)

    # -- changing ---------------------------------------------------------------------------

    def enqueue(self, configuration: Mapping[str, Value]) -> None:
        """Run a known configuration before the strategy is asked again.

        Raises:
            InvalidInput: With everything that is wrong with it.
        """
        self._store.enqueue(self._study.id, self.config.space.configuration(configuration))
        self._run.look_for_enqueued()

    def set_time_limit(
        self, limit: float | str | datetime.timedelta | datetime.datetime | None
    ) -> None:
        """End the session at a moment, whatever the budget; the study can be resumed later.

        Args:
            limit: Seconds, a duration such as ``"10m"`` or a timedelta, counted from now, or
                from the start if it has not been started; or the moment itself; None for no
                limit.
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
            raise HpoError("this optimizer has been started; make another one to resume")
        if self._is_new and self._store.find(self.name) is None:  # it was refused before
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
