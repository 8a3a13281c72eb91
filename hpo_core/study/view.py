"""Read access to a study, in any process: state, trials and tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hpo_core.config import StudyConfig, from_json, to_json
from hpo_core.config import settled as settle
from hpo_core.controller.results import tables
from hpo_core.controller.results.curves import Point, read_curve, read_curves
from hpo_core.controller.results.open_trials import read_open, read_unfinished
from hpo_core.controller.results.result import Result, read_result, read_top
from hpo_core.controller.results.summary import Summary, read_summary
from hpo_core.controller.results.table import Table
from hpo_core.controller.results.trial_result import TrialResult
from hpo_core.controller.results.unfinished import read_configurations, read_jobs
from hpo_core.controller.run.budget_tracker import stored_usage
from hpo_core.model.budget import Usage, remaining
from hpo_core.model.errors import Fault, InvalidInput, StoreError, listed, nearest
from hpo_core.model.job import StudyState
from hpo_core.model.placeholders import job_tags, label_values
from hpo_core.model.text import counted
from hpo_core.model.values import Configuration
from hpo_core.store.records import JobRecord, StudyRecord
from hpo_core.store.store import Store
from hpo_core.study.overview import Overview, read_overview
from hpo_core.study.place import Place
from hpo_core.study.plots import Plots

if TYPE_CHECKING:
    import pandas


class StudyView:
    """Reads the current state of a study from its store on each access.

    Args:
        place: Where the study is stored.
        name: The name of the study.
        given: The configuration, for a study that may not be stored yet.
    """

    def __init__(self, place: Place, name: str, given: StudyConfig | None) -> None:
        self._place = place
        self._name = name
        self._given = given
        self._began = 0.0  # start time of the last session run by this object

    @contextmanager
    def _stored(self) -> Iterator[tuple[Store, StudyRecord]]:
        """Open the store, and read the study's row; an empty store if it is not stored yet."""
        if self._given is not None and not self.is_stored:
            config = settle(self._given)
            with Store() as empty:
                yield empty, empty.create(self._name, to_json(config), {}, 0.0)
            return
        with self._place.opened() as store:
            yield store, store.study(self._name)

    @property
    def is_stored(self) -> bool:
        """Whether the store has a study with this name."""
        if not self._place.exists():
            return False
        with self._place.opened() as store:
            return store.find(self._name) is not None

    # -- state --------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The study's name."""
        return self._name

    @property
    def store(self) -> str:
        """The path of the store; ``":memory:"`` if in memory."""
        return self._place.path

    @property
    def config(self) -> StudyConfig:
        """The stored configuration, or the given one if it is not stored yet."""
        with self._stored() as (_, study):
            return from_json(study.config)

    @property
    def state(self) -> StudyState:
        """The state of the study; ``created`` before its first run."""
        with self._stored() as (store, study):
            return store.current_state(study)[0]

    @property
    def reason(self) -> str:
        """A human-readable reason for the state; may be empty."""
        with self._stored() as (store, study):
            return store.current_state(study)[1]

    @property
    def lost_its_controller(self) -> bool:
        """Whether its controller died and may have left jobs running, which `resume` takes over."""
        with self._stored() as (store, study):
            is_dead = store.current_state(study)[0] is StudyState.INTERRUPTED
            return is_dead and study.state is StudyState.RUNNING

    @property
    def usage(self) -> Usage:
        """The used amount of each quantity that a budget can limit."""
        with self._stored() as (store, study):
            return stored_usage(store, study.name, from_json(study.config))

    @property
    def remaining(self) -> dict[str, float]:
        """What remains of each limit that is set, in its unit."""
        return remaining(self.config.budget, self.usage)

    @property
    def plugins(self) -> Mapping[str, Mapping[str, Any]]:
        """The plugins that it was started with, by role: name, distribution, version, contract."""
        with self._stored() as (_, study):
            return study.plugins

    @property
    def folder(self) -> Path:
        """The folder of its logs and checkpoints; temporary for a study in memory."""
        with self._stored() as (store, study):
            return store.folder(study).path

    def overview(self) -> Overview:
        """Return the state of the study, with its counts and its best value."""
        with self._stored() as (store, study):
            return read_overview(store, study)

    def summary(self, n: int = 5) -> Summary:
        """Return the summary of the study after a run, with its `n` best trials."""
        with self._stored() as (store, study):
            usage = stored_usage(store, study.name, from_json(study.config))
            return read_summary(store, study, usage, n, self._began)

    # -- trials -----------------------------------------------------------------------------

    @property
    def result(self) -> Result:
        """The results so far, a consistent snapshot."""
        with self._stored() as (store, study):
            usage = stored_usage(store, study.name, from_json(study.config))
            return read_result(store, study, usage)

    @property
    def trials(self) -> tuple[TrialResult, ...]:
        """All trials in order; running and paused ones with their values so far."""
        return self.result.trials

    @property
    def best(self) -> TrialResult:
        """The best completed trial that satisfies the constraints.

        Raises:
            NoResult: If there is none, or if there are several objectives.
        """
        if len(self.config.objectives) == 1 and (found := self.top(1)):
            return found[0]
        return self.result.best

    def top(self, n: int = 5) -> list[TrialResult]:
        """Return the `n` best completed trials that satisfy the constraints, best first.

        With several objectives: the Pareto front, then the front of the remaining trials, and so
        on.
        """
        with self._stored() as (store, study):
            return read_top(store, study, n)

    @property
    def pareto_front(self) -> tuple[TrialResult, ...]:
        """The completed trials that satisfy the constraints and that no other trial dominates."""
        return self.result.pareto_front

    def unfinished(self, n: int = 5) -> list[TrialResult]:
        """Return the `n` best running and paused trials that have a value, best first."""
        with self._stored() as (store, study):
            return read_unfinished(store, study, n)

    def open_trials(self, paused: int = 5) -> list[TrialResult]:
        """Return all running trials, and at most `paused` of the best paused ones."""
        with self._stored() as (store, study):
            return read_open(store, study, paused)

    def curve(self, trial: int) -> list[Point]:
        """Return the reports of a trial, also while it runs.

        Raises:
            UnknownTrial: If there is no such trial.
        """
        with self._stored() as (store, study):
            return read_curve(store, study, trial)

    def curves(self) -> list[Point]:
        """Return the reports of all trials, by trial."""
        with self._stored() as (store, study):
            return read_curves(store, study)

    # -- jobs -------------------------------------------------------------------------------

    @property
    def jobs(self) -> list[JobRecord]:
        """All jobs by trial; running ones with their progress so far."""
        with self._stored() as (store, study):
            return read_jobs(store, study)

    def configurations(self) -> dict[str, Configuration]:
        """Return the configuration of each job, by job id."""
        with self._stored() as (store, study):
            return read_configurations(store, study)

    def job(self, job: str) -> JobRecord:
        """Return one job by its id (``"7.2"``), or the last job of a trial (``"7"``).

        Raises:
            UnknownJob: If there is none.
        """
        with self._stored() as (store, study):
            return store.job(study, job)

    def logs(self, jobs: Iterable[JobRecord]) -> list[Path]:
        """Return the log file of each job, which exists only if the job printed something."""
        with self._stored() as (store, study):
            folder = store.folder(study)
            return [Path(folder.log(job.id)) for job in jobs]

    def log(self, job: str) -> Path:
        """Return the log file of a job; see `job` and `logs`."""
        return self.logs([self.job(job)])[0]

    def tags(self, jobs: Iterable[JobRecord]) -> list[tuple[str, ...]]:
        """Return the tags of each job, by ``job.tags`` of the configuration."""
        config = self.config
        if not config.job.tags:
            return [() for _ in jobs]
        given = self.configurations()
        return [
            job_tags(
                config.job.tags,
                {**given[job.id], **label_values(self._name, job.trial_id, job.id)},
            )
            for job in jobs
        ]

    # -- tables -----------------------------------------------------------------------------

    def to_pandas(self, table: Literal["trials", "jobs", "reports"] = "trials") -> pandas.DataFrame:
        """Return a table as a data frame, with a row for each trial, job or report.

        docs/python.md lists the columns. Integer columns have the type ``int64`` if every row has a
        value, else the nullable type ``Int64``; likewise ``bool`` and ``boolean``. Times are in
        seconds since the epoch.

        Args:
            table: The table.

        Raises:
            InvalidInput: If there is no such table.
            HpoError: If pandas is not installed.
        """
        return self.table(table).to_pandas()

    def table(self, table: Literal["trials", "jobs", "reports"] = "trials") -> Table:
        """Return a table with typed columns, to be written as CSV, JSON or Parquet.

        Its columns are those of `to_pandas`.

        Raises:
            InvalidInput: If there is no such table.
        """
        config = self.config
        metrics = tables.declared(config.objectives, config.constraints)
        match table:
            case "trials":
                return self.result.table()
            case "jobs":
                jobs = self.jobs
                tags = self.tags(jobs) if config.job.tags else None
                return tables.jobs_table(jobs, self.configurations(), config.space, metrics, tags)
            case "reports":
                return tables.reports_table(self.curves(), metrics)
        hint = f"{nearest(str(table), tables.TABLES)}; {listed(tables.TABLES)}"
        raise InvalidInput([Fault("table", f"there is no table {table!r}{hint}")])

    @property
    def plot(self) -> Plots:
        """The plots of plugins: ``study.plot.optimization_history()`` returns a figure."""
        return Plots(self)

    def __repr__(self) -> str:
        """Return the name, the place, the state and the best value, in one line."""
        try:
            return f"<Study {self._name!r} in {self._place}: {_told(self.overview())}>"
        except StoreError as error:
            return f"<Study {self._name!r} in {self._place}: not readable: {error}>"

    def _repr_html_(self) -> str:
        """Return the same for a notebook, with a table of the best or the unfinished trials."""
        from hpo_core.controller.results import html

        try:
            about = self.overview()
            found = self.top(5) or self.unfinished(5)
        except StoreError as error:
            return html.block(self._name, html.text(f"not readable: {error}"))
        lines = [_told(about), f"{about.strategy}, in {self._place}"]
        return html.block(self._name, *map(html.text, lines), html.trials(found))


def _told(about: Overview) -> str:
    words = [about.state.value, counted(about.trials, "trial")]
    words += [f"{about.failed} failed"] if about.failed else []
    reached = about.best or (about.best_so_far.values if about.best_so_far else {})
    kind = "best" if about.best else "best so far"
    words += [f"{kind} {name} {value:.6g}" for name, value in reached.items()]
    return ", ".join(words)
