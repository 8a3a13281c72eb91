"""The study: made from values, from a file or from a store; run, resumed, extended, ended."""

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
from hpo_core.study.view import StudyView

# What runs a study or changes it is imported where it is used: looking at one stays quick.

if TYPE_CHECKING:
    from typing_extensions import Self

    from hpo_core.contracts.exchange import ExchangedStudy
    from hpo_core.contracts.strategy import Strategy
    from hpo_core.controller.controller import HyperParameterOptimizer
    from hpo_core.controller.dry_run import DryRun
    from hpo_core.controller.stored.audit import Replayed
    from hpo_core.controller.stored.copy_study import Copied
    from hpo_core.controller.stored.import_trials import Imported
    from hpo_core.model.budget import Budget
    from hpo_core.model.constraint import Constraint
    from hpo_core.model.objective import Objective
    from hpo_core.model.parameters import Parameter
    from hpo_core.model.space import SearchSpace
    from hpo_core.model.values import Value


class Study(StudyView):
    """A study: what is searched, how, and what has come out so far.

    It is stored at its first run, or when something is enqueued; it can be read meanwhile, also
    by other processes. Any argument means what the key of that name means in a study's file
    (docs/configuration.md). Use `from_file` for a file, and `load_study` for a stored study.

    Args:
        function: Called with a configuration (a mapping), and with the job (`JobInfo`) as a
            second argument if it takes one. It returns the objective's value, or a mapping of
            metrics, or nothing if it has reported. Or its name, ``"module:name"``.
        command: What jobs run in place of a function: a program and its arguments, with
            ``{placeholders}``.
        parameters: What to search.
        objective: The metric's name, with `direction`; or an `Objective`, or several of them.
        direction: ``"minimize"`` or ``"maximize"``.
        constraints: Metrics that a trial must keep at or below a bound to be among the best; a
            name alone has the bound 0.
        budget: The limits, such as ``{"jobs": 20}``; None to run until the strategy has nothing
            more to try.
        strategy: A config string such as ``"optuna:tpe"``, or your own strategy.
        options: The strategy's options.
        workers: How many jobs run at once.
        backend: ``"local"`` runs jobs in processes of this machine, ``"inline"`` in this process.
        backend_options: The backend's options.
        seed: Random seed of the study. If None, a stored study keeps its own, and a new one
            draws one, which is stored with it.
        name: The study's name, unique in its store.
        store: The file that keeps the study; None to keep it in memory.
        enqueue: Known configurations to run first.
        observers: Observers to notify of study events, or names of plugins that have some; with
            options ``{"name": "tensorboard", "options": {"directory": "runs"}}``.
        directory: The folder in which jobs run; None for the current one.
        environment: Variables for the jobs.
        time_limit: Seconds after which a job is ended, or a duration such as ``"10m"``.
        max_iterations: Maximum number of iterations per job.
        retries: How many times a failed job is run again.
        max_failures_at_start: If the first so many trials all fail, the study fails; 0 for no
            limit. None for what the stored study has, or 5 for a new one.
        **settings: Further keys of the file's top level or its table ``job``, such as
            ``tags``, ``min_iterations``, ``silence_limit``.

    Raises:
        InvalidInput: With every fault of the arguments.
        PluginError: If the strategy or backend is missing or can't do what is needed.
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
        workers: int = 1,
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
        self._arguments = arguments  # of Python, where it was made of those
        self._function = function
        self._strategy = strategy
        self._observers = list(observers)
        self._controller: HyperParameterOptimizer | None = None  # while it runs here

    @classmethod
    def _of(cls, place: Place, name: str, given: StudyConfig | None, **held: Any) -> Self:
        study = cls.__new__(cls)
        study._set_up(place, name, given, **held)
        return study

    # -- made otherwise ---------------------------------------------------------------------

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        store: str | os.PathLike[str] | None = None,
        observers: Iterable[Observer] = (),
        **above: Any,
    ) -> Self:
        """Return the study of a file, TOML or JSON; see docs/configuration.md.

        Args:
            path: The file.
            store: The file that keeps the study; None to keep it in memory.
            observers: Observers to notify of study events, besides those that the file names.
            **above: What stands above the file: ``name``, ``strategy``, ``options``, ``backend``,
                ``workers``, ``jobs`` (of the budget), ``seed``.

        Raises:
            InvalidInput: With every fault of the file, and of what stands above it.
            PluginError: If all is right, but a plugin that it names can't be used.
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
        """Return the study of a configuration.

        Args:
            config: The configuration.
            store: The file that keeps the study; None to keep it in memory.
            function: The function that jobs call, if ``config.job.function`` refers to it.
            strategy: A new strategy to use instead of the one that the configuration names.
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
        """Run to the end, from where the study stands; a finished study stays as it is.

        Ctrl-C, or interrupting the notebook's cell, ends the jobs and raises
        `KeyboardInterrupt`; nothing that was recorded is lost, and `run` or `resume` continues.

        Args:
            progress: Whether to show the progress on standard error; None to do so in a terminal
                and in a notebook.
            on_job_finished: Called once for each job that has ended, after it is stored.

        Returns:
            The study itself.

        Raises:
            StudyFailed: If the study fails: its strategy raised, or its first trials all failed.
            StudyChanged: If the store has a study with this name and a different configuration.
            StudyRunning: If it is running, here or elsewhere.
            StoreError: If a study of the store is neither yours nor trusted; see `resume`.
            KeyboardInterrupt: After Ctrl-C, when all jobs are gone.
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
        """Run a stored study to its end; see `run`.

        Args:
            function: The function that jobs call, for one that can't be found by its stored name,
                such as a lambda.
            strategy: A new strategy, for a study that was run with your own strategy.
            progress: As for `run`.
            on_job_finished: As for `run`.
            trust: Whether to run a study that you have neither started nor trusted before.
            adopt_history: Whether the strategy adopts what is stored, for one that suggests
                otherwise after an update.

        Returns:
            The study itself.

        Raises:
            UnknownStudy: If it is not stored: it was never run.
            StudyChanged: If the function has another name than the stored one.
        """
        if not self.is_stored:
            with self._place.opened() as store:
                store.study(self._name)
        config = self._to_run(trust=trust)
        if function is not None:
            from hpo_core.study import configure

            name = configure.name_of(function, config.backend.name)
            job = msgspec.structs.replace(config.job, function=name)
            config = msgspec.structs.replace(config, job=job)
            self._function = function
        if strategy is not None:
            self._strategy = strategy
        return self._run(config, progress, on_job_finished, adopt_history=adopt_history)

    def _to_run(self, *, trust: bool) -> StudyConfig:
        from hpo_core.controller.stored import open_study

        if self._given is not None:
            return self._given
        with self._place.opened() as store:
            return open_study.trusted_config(store, self._name, trust_it=trust)

    @property
    def _in_its_words(self) -> AbstractContextManager[None]:
        """Tells faults as those of the arguments, where the study was made of arguments."""
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
        """See that it can be run, as far as that is known before: its strategy is built.

        Raises:
            InvalidInput: If the plugins' options do not suit the parameters.
            PluginError: If a plugin is missing or broken, or does not support what the study needs.
            StrategyError: If the strategy can't be built.
        """
        from hpo_core.controller.strategy import resolve

        with self._in_its_words:
            resolve.check(self._given or self.config)

    def require_trust(self, *, trust: bool = False) -> None:
        """See that you began the study, or trust what it would run as you.

        Args:
            trust: Whether you trust it; that is remembered.

        Raises:
            StoreError: If it is neither yours nor trusted; with what it would run.
        """
        from hpo_core.controller.stored import open_study

        with self._stored() as (store, _):
            open_study.trusted_config(store, self._name, trust_it=trust)

    def try_once(self) -> DryRun:
        """Run one job with the default value of each parameter; nothing is stored.

        Raises:
            HpoError: If it can't be run at all.
        """
        from hpo_core.controller.dry_run import try_once

        with self._in_its_words:
            return try_once(self.config, self._function)

    # -- changing ---------------------------------------------------------------------------

    def enqueue(self, configuration: Mapping[str, Value] | None = None, /, **values: Value) -> None:
        """Run a known configuration before the strategy is asked again, also while it runs.

        A finished study has to be extended to run it; one without limits has to be resumed.

        Args:
            configuration: A value for each active parameter; or else
            **values: The same as keywords.

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
            budget: New totals of the limits that grow; or else
            **limits: The same as keywords, such as ``jobs=60``; or what to add: ``jobs="+20"``,
                ``wall_time="+30m"``.

        Returns:
            The study's budget from now on.

        Raises:
            InvalidInput: If a limit is not larger than it was, or the study has no such limit.
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
        """End the running study and its jobs, wherever it runs, and wait until they are gone.

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

    # -- as a whole -------------------------------------------------------------------------

    def replay(self, *, strategy: Strategy | None = None, trust: bool = False) -> Replayed:
        """Derive every suggestion again, and compare it with the stored one.

        Args:
            strategy: The strategy, new, for a study that was run with one of your own.
            trust: Whether to run the strategy of a study that you have neither started nor trusted.
        """
        from hpo_core.controller.stored.audit import replay

        with self._stored() as (store, _):
            return replay(store, self._name, strategy=strategy, trust=trust)

    def copy(self, to: str | os.PathLike[str], name: str | None = None) -> Copied:
        """Copy the study with its logs and checkpoints into another store, also while it runs.

        Args:
            to: The other store's file, which is made if there is none.
            name: The copy's name; None for the same.
        """
        from hpo_core.controller.stored.copy_study import copy_study

        with self._stored() as (store, _):
            return copy_study(store, self._name, to, name)

    def import_trials(self, source: str, of: str | None = None) -> Imported:
        """Take the trials of another program's study in, as a warm start; see `import_study`.

        Args:
            source: A plugin and a place in the other program's words:
                ``"optuna:sqlite:///f.db"``.
            of: The study there; None for the only one.
        """
        from hpo_core.controller.stored.import_trials import import_study

        config = self._to_run(trust=False)
        return import_study(config, self._place.store, source, of)

    def export(self, to: str, place: str) -> ExchangedStudy:
        """Write the study for another program; see `export_study`.

        Args:
            to: The plugin that knows the other program, such as ``"optuna"``.
            place: Where to write it, in the other program's words.
        """
        from hpo_core.controller.stored.export_trials import export_study

        with self._stored() as (store, _):
            return export_study(store, self._name, to, place)

    def rename(self, name: str) -> None:
        """Give the study another name.

        Raises:
            InvalidInput: If the name is not a good one.
            StudyRunning: If it is running.
            StoreError: If another study has that name.
        """
        from hpo_core.controller.stored import manage

        with self._stored() as (store, study):
            manage.rename_study(store, study, name)
        self._name = name
        if self._given is not None:
            self._given = msgspec.structs.replace(self._given, name=name)

    def delete(self) -> None:
        """Delete the study with its logs and checkpoints.

        Raises:
            StudyRunning: If it is running.
        """
        from hpo_core.controller.stored import manage

        with self._stored() as (store, study):
            manage.delete_study(store, study)

    def close(self) -> None:
        """Free a study in memory, which is gone then; a stored one needs no closing."""
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
        StoreError: If there is no store, or it can't be read.
    """
    place = Place(store)
    with place.opened() as opened:
        opened.folder(opened.study(name))  # a name that was changed could lead elsewhere
    return Study._of(place, name, None)


def studies(store: str | os.PathLike[str]) -> list[Study]:
    """Return all studies of a store, oldest first.

    Raises:
        StoreError: If there is no store, or it can't be read.
    """
    place = Place(store)
    with place.opened() as opened:
        return [Study._of(place, study.name, None) for study in opened.studies()]
