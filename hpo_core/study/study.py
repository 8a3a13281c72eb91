"""`Study`: create, run, resume, extend and stop a study."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hpo_core.config import PluginChoice, StudyConfig, from_json
from hpo_core.contracts.observer import FinishedJob, Observer
from hpo_core.model.errors import StudyRunning
from hpo_core.model.job import StudyState
from hpo_core.store import control
from hpo_core.store.database import MEMORY
from hpo_core.study.place import Place
from hpo_core.study.whole import WholeStudy

# Modules that run or change a study are imported on use, so reading one is fast.

if TYPE_CHECKING:
    from typing_extensions import Self

    from hpo_core.contracts.strategy import Strategy
    from hpo_core.controller.controller import HyperParameterOptimizer
    from hpo_core.controller.dry_run import DryRun
    from hpo_core.model.budget import Budget
    from hpo_core.model.constraint import Constraint
    from hpo_core.model.objective import Objective
    from hpo_core.model.parameters import Parameter
    from hpo_core.model.space import SearchSpace
    from hpo_core.model.values import Value


class Study(WholeStudy):
    """A study: its configuration and its results so far.

    It is stored at the first run, or when a configuration is enqueued. It can be read at any time,
    also by other processes. Each argument has the meaning of the key with the same name in a study
    file (docs/configuration.md). Use `from_file` for a file, and `load_study` for a stored study.

    Args:
        function: Called with a configuration (a mapping), and with the job (`JobInfo`) as a
            second argument if it takes one. It returns the objective's value, or a mapping of
            metrics, or nothing if it has reported. Or its name, ``"module:name"``.
        command: The command of the jobs in place of a function: a program and its arguments, with
            ``{placeholders}``.
        parameters: The parameters of the search space.
        objective: The metric's name, with `direction`; or an `Objective`, or several of them.
        direction: ``"minimize"`` or ``"maximize"``.
        constraints: Upper bounds on metrics that a trial must satisfy to be one of the best; a name
            without a bound has the bound 0.
        budget: The limits, such as ``{"jobs": 20}``; None to run until the strategy is exhausted.
        strategy: A config string such as ``"optuna:tpe"``, or a strategy instance.
        options: The strategy's options.
        workers: Maximum number of jobs that run at once; None for 1 or, with ``resources``, as many
            as the backend has resources for.
        backend: ``"local"`` runs jobs in processes on this machine, ``"inline"`` in this process.
        backend_options: The backend's options.
        seed: Random seed of the study. If None, a stored study keeps its own, and a new one
            draws one, which is stored with it.
        name: The study's name, unique in its store.
        store: The path of the store; None for an in-memory study.
        enqueue: Configurations to run first.
        observers: Observers to notify of study events, or names of plugins; with options:
            ``{"name": "tensorboard", "options": {"directory": "runs"}}``.
        directory: Working directory of the jobs; None for the current one.
        environment: Environment variables of the jobs.
        time_limit: Maximum run time of a job, in seconds or as a duration such as ``"10m"``.
        max_iterations: Maximum number of iterations per job.
        retries: Maximum number of times that a failed job is run again.
        max_failures_at_start: The study fails if this many trials fail at the start before any
            succeeds; 0 for no limit. None for the value of the stored study, or 5 for a new one.
        **settings: Other keys of the top level of a study file or of its table ``job``, such as
            ``tags``, ``silence_limit``, ``resources``.

    Raises:
        InvalidInput: With all faults of the arguments.
        PluginError: If the strategy or backend is missing or does not support what is needed.
    """

    def __init__(
        self,
        *,
        function: Callable[..., Any] | str | None = None,
        command: Sequence[str] | None = None,
        parameters: Sequence[Parameter] | SearchSpace,
        objective: str | Objective | Sequence[Objective],
        direction: Literal["minimize", "maximize"] | None = None,
        constraints: Iterable[str | Constraint] = (),
        budget: Budget | Mapping[str, Any] | None = None,
        strategy: str | Strategy = "random",
        options: Mapping[str, Any] | None = None,
        workers: int | None = None,
        backend: str = "local",
        backend_options: Mapping[str, Any] | None = None,
        seed: int | None = None,
        name: str = "study",
        store: str | os.PathLike[str] | None = None,
        enqueue: Iterable[Mapping[str, Value]] = (),
        observers: Iterable[Observer | str | Mapping[str, Any] | PluginChoice] = (),
        directory: str | os.PathLike[str] | None = None,
        environment: Mapping[str, str] | None = None,
        time_limit: float | str | None = None,
        max_iterations: int | None = None,
        retries: int = 0,
        max_failures_at_start: int | None = None,
        **settings: Any,
    ) -> None:
        from hpo_core.study import configure

        values = {
            "function": function,
            "command": command,
            "parameters": parameters,
            "objective": objective,
            "direction": direction,
            "constraints": constraints,
            "budget": budget,
            "strategy": strategy,
            "options": options,
            "workers": workers,
            "backend": backend,
            "backend_options": backend_options,
            "seed": seed,
            "name": name,
            "enqueue": enqueue,
            "observers": observers,
            "directory": directory,
            "environment": environment,
            "time_limit": time_limit,
            "max_iterations": max_iterations,
            "retries": retries,
            "max_failures_at_start": max_failures_at_start,
            **settings,
        }
        place = Place(store)
        self._set_up(
            place,
            name,
            configure.from_values(place, values),
            function=function if callable(function) else None,
            strategy=None if isinstance(strategy, str) else strategy,
            observers=configure.instances(observers),
            arguments=values,
        )

    def _set_up(
        self,
        place: Place,
        name: str,
        given: StudyConfig | None,
        *,
        function: Callable[..., Any] | None = None,
        strategy: Strategy | None = None,
        observers: Iterable[Observer] = (),
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(place, name, given)
        self._arguments = arguments  # Python arguments, if it was created from them
        self._function = function
        self._strategy = strategy
        self._observers = list(observers)
        self._controller: HyperParameterOptimizer | None = None  # while it runs in this process

    @classmethod
    def _of(cls, place: Place, name: str, given: StudyConfig | None, **held: Any) -> Self:
        study = cls.__new__(cls)
        study._set_up(place, name, given, **held)
        return study

    # -- other constructors ---------------------------------------------------------------------

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        store: str | os.PathLike[str] | None = None,
        observers: Iterable[Observer] = (),
        **above: Any,
    ) -> Self:
        """Create a study from a file, TOML, JSON or YAML; see docs/configuration.md.

        Args:
            path: The file.
            store: The path of the store; None for an in-memory study.
            observers: Observers to notify of study events, in addition to those in the file.
            **above: Values that override the file: ``name``, ``strategy``, ``options``,
                ``backend``, ``workers``, ``jobs`` (of the budget), ``seed``.

        Raises:
            InvalidInput: With all faults of the file and of the overriding values.
            PluginError: If the file is valid, but a plugin that it names cannot be used.
        """
        from hpo_core.study import configure

        place = Place(store)
        config = configure.from_file(path, place, configure.flags(above))
        return cls._of(place, config.name, config, observers=observers)

    @classmethod
    def from_config(
        cls,
        config: StudyConfig,
        *,
        store: str | os.PathLike[str] | None = None,
        function: Callable[..., Any] | None = None,
        strategy: Strategy | None = None,
        observers: Iterable[Observer] = (),
    ) -> Self:
        """Create a study from a configuration.

        Args:
            config: The configuration.
            store: The file that keeps the study; None to keep it in memory.
            function: The function that jobs call, if ``config.job.function`` refers to it.
            strategy: A new strategy instance to use instead of the configured strategy.
            observers: Observers to notify of study events.
        """
        held = {"function": function, "strategy": strategy, "observers": observers}
        return cls._of(Place(store), config.name, config, **held)

    # -- running ----------------------------------------------------------------------------

    def run(
        self,
        *,
        progress: bool | None = None,
        on_job_finished: Callable[[FinishedJob], object] | None = None,
    ) -> Self:
        """Run or resume the study until its end. A finished study is unchanged.

        Ctrl-C, or interrupting the notebook cell, ends the jobs and raises `KeyboardInterrupt`.
        Recorded results are not lost; `run` or `resume` continues the study.

        Args:
            progress: Whether to show progress on standard error; None to show it in terminals and
                notebooks.
            on_job_finished: Called for each job that has ended, after it is stored.

        Returns:
            The study itself.

        Raises:
            StudyFailed: If the study fails: its strategy raised, or its first trials all failed.
            StudyChanged: If the store has a study with this name and a different configuration.
            StudyRunning: If it is already running, in this or another process.
            StoreError: If a stored study is neither yours nor trusted; see `resume`.
            KeyboardInterrupt: After Ctrl-C, when all jobs have ended.
        """
        return self._run(self._to_run(trust=False), progress, on_job_finished)

    def resume(
        self,
        *,
        function: Callable[..., Any] | None = None,
        strategy: Strategy | None = None,
        progress: bool | None = None,
        on_job_finished: Callable[[FinishedJob], object] | None = None,
        trust: bool = False,
        adopt_history: bool = False,
    ) -> Self:
        """Resume a stored study until its end; see `run`.

        Args:
            function: The function that jobs call, if it cannot be imported by its stored reference,
                such as a lambda or a function of a notebook.
            strategy: A new strategy instance, for a study that was run with an instance.
            progress: As for `run`.
            on_job_finished: As for `run`.
            trust: Whether to run a study that you have neither started nor trusted before.
            adopt_history: Whether the strategy adopts the stored trials, for a strategy that makes
                different suggestions after an update.

        Returns:
            The study itself.

        Raises:
            UnknownStudy: If it is not stored because it was never run.
            StudyChanged: If the function differs from the stored reference.
        """
        if not self.is_stored:
            with self._place.opened() as store:
                store.study(self._name)
        config = self._to_run(trust=trust)
        if function is not None:
            from hpo_core.study import configure

            name = configure.name_of(function, config.job.function)
            job = msgspec.structs.replace(config.job, function=name)
            config = msgspec.structs.replace(config, job=job)
            self._function = function
        if strategy is not None:
            self._strategy = strategy
        return self._run(config, progress, on_job_finished, adopt_history=adopt_history)

    @property
    def _in_its_words(self) -> AbstractContextManager[None]:
        """A context manager that converts faults to those of the arguments, if created from
        arguments.
        """
        if self._arguments is None:
            return nullcontext()
        from hpo_core.study.arguments import told_in_python

        return told_in_python(self._arguments)

    def _run(
        self,
        config: StudyConfig,
        progress: bool | None,
        on_job_finished: Callable[[FinishedJob], object] | None,
        *,
        adopt_history: bool = False,
    ) -> Self:
        from hpo_core.controller.controller import HyperParameterOptimizer
        from hpo_core.study.interactive_run import InteractiveRun

        if self._controller is not None:
            raise StudyRunning(f"the study {self._name!r} is running in this process")
        interactive = InteractiveRun(progress)
        with (
            self._in_its_words,
            HyperParameterOptimizer(
                config,
                store=self._place.store,
                strategy=self._strategy,
                function=self._function,
                observers=[*self._observers, *interactive.observers],
                adopt_history=adopt_history,
            ) as self._controller,
        ):
            self._began = time.time()
            try:
                interactive.run(self._controller, on_job_finished)
            finally:
                self._controller = None
        return self

    def check(self) -> None:
        """Check that the study can be run, as far as possible, by building its strategy.

        Raises:
            InvalidInput: If the plugins' options do not suit the parameters.
            PluginError: If a plugin is missing or broken, or does not support what the study needs.
            StrategyError: If the strategy cannot be built.
        """
        from hpo_core.controller.strategy import build

        with self._in_its_words:
            build.check(self._given or self.config, self._function)

    def require_trust(self, *, trust: bool = False) -> None:
        """Check that you have started or trusted the study, which would run as you.

        Args:
            trust: Whether you trust it; this is stored.

        Raises:
            StoreError: If it is neither yours nor trusted. The message says what it would run.
        """
        from hpo_core.controller.stored import open_study

        with self._stored() as (store, _):
            open_study.trusted_config(store, self._name, trust_it=trust)

    def require_function(self) -> None:
        """Check that the function of the study is there: given, or importable.

        Raises:
            BackendError: If only the notebook or program that defined it has it.
        """
        from hpo_core.controller.strategy import build

        build.require_function(self.config, self._function, self._place.store)

    def try_once(
        self, configuration: Mapping[str, Value] | None = None, /, **values: Value
    ) -> DryRun:
        """Run one job with the default value of each parameter; nothing is stored.

        Args:
            configuration: Values in place of the defaults of some parameters.
            **values: The values as keywords, in place of `configuration`.

        Raises:
            InvalidInput: If a value is invalid.
            HpoError: If the job cannot be run.
        """
        from hpo_core.controller.dry_run import try_once

        with self._in_its_words:
            return try_once(self.config, self._function, {**(configuration or {}), **values})

    # -- changes ---------------------------------------------------------------------------

    def enqueue(self, configuration: Mapping[str, Value] | None = None, /, **values: Value) -> None:
        """Enqueue a configuration to run before the strategy is asked again, also while it runs.

        A finished study must be extended to run it, or resumed if it has no limits.

        Args:
            configuration: A value for each active parameter.
            **values: The values as keywords, in place of `configuration`.

        Raises:
            InvalidInput: With all its faults.
        """
        wanted = self.config.space.configuration({**(configuration or {}), **values})
        if self._given is not None and not self.is_stored:
            self._store_it(self._given)
        if (controller := self._controller) is not None:
            controller.enqueue(wanted)
            return
        with self._stored() as (store, study):
            store.enqueue(study.id, wanted)
            if study.state is StudyState.FINISHED and not self.remaining:  # nothing to extend
                store.extend(study, study.config)
            if store.path != MEMORY:
                control.send(store.folder(study), "wake")

    def _store_it(self, config: StudyConfig) -> None:
        from hpo_core.controller.stored import open_study
        from hpo_core.controller.strategy import resolve

        with self._in_its_words:
            prepared = resolve.prepare(config, self._strategy)
            with self._place.opened(create=True) as store:
                open_study.find_or_create(store, open_study.settled(store, prepared), time.time())

    def extend(self, budget: Budget | None = None, /, **limits: float | str) -> Budget:
        """Give the study a larger budget; `run` or `resume` uses it.

        Args:
            budget: New totals of the limits that grow.
            **limits: The limits as keywords, such as ``jobs=60``, or increments: ``jobs="+20"``,
                ``wall_time="+30m"``.

        Returns:
            The new budget of the study.

        Raises:
            InvalidInput: If a limit is not larger than before, or the study has no such limit.
            StudyRunning: If it is running.
        """
        from hpo_core.controller.stored import open_study
        from hpo_core.study import configure

        with self._stored() as (store, study):
            wanted = budget or configure.totals(from_json(study.config).budget, limits)
            extended = open_study.extend(store, self._name, wanted)
        if self._given is not None:
            self._given = msgspec.structs.replace(self._given, budget=extended)
        return extended

    def stop(self) -> bool:
        """Stop the running study and its jobs, in any process, and wait until they have ended.

        Returns:
            Whether it was running.
        """
        if (controller := self._controller) is not None:
            controller.stop()
            return True
        with self._stored() as (store, study):
            if store.path == MEMORY:
                return False
            folder = store.folder(study)
        if not control.is_running(folder) or not control.send(folder, "stop"):
            return False
        control.wait_until_released(folder)
        return True

    def close(self) -> None:
        """Discard a study in memory. A stored study need not be closed."""
        self._place.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load_study(store: str | os.PathLike[str], name: str) -> Study:
    """Return a stored study; it may be running elsewhere.

    Args:
        store: The store's file.
        name: The study's name.

    Raises:
        UnknownStudy: If the store has no such study.
        StoreError: If the store does not exist or cannot be read.
    """
    place = Place(store)
    with place.opened() as opened:
        opened.folder(opened.study(name))  # a changed name could lead elsewhere
    return Study._of(place, name, None)


def studies(store: str | os.PathLike[str]) -> list[Study]:
    """Return all studies of a store, oldest first.

    Raises:
        StoreError: If there is no store, or it can't be read.
    """
    place = Place(store)
    with place.opened() as opened:
        return [Study._of(place, study.name, None) for study in opened.studies()]
