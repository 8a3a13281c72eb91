"""What a study shows, wherever it runs: its trials, its tables, where it stands."""

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
from hpo_core.controller.results.result import Result, TrialResult, read_result, read_top
from hpo_core.controller.results.summary import Summary, read_summary
from hpo_core.controller.results.unfinished import read_configurations, read_jobs
from hpo_core.controller.run.budget_tracker import stored_usage
from hpo_core.model.budget import Usage, remaining
from hpo_core.model.errors import Fault, InvalidInput, StoreError, listed, nearest
from hpo_core.model.job import StudyState
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
    """Reads a study from its store each time, so that it is what it is now.

    Args:
        place: Where the study is kept.
        name: Its name.
        given: Its configuration, for a study that the store may not have yet.
    """

    def __init__(self, place: Place, name: str, given: StudyConfig | None) -> None:
        self._place = place
        self._name = name
        self._given = given
        self._began = 0.0  # when its last session of this object began

    @contextmanager
    def _stored(self) -> Iterator[tuple[Store, StudyRecord]]:
        """Hold the store, and the study's row; an empty store for one that is not stored yet."""
        if self._given is not None and not self.is_stored:
            config = settle(self._given)
            with Store() as empty:
                yield empty, empty.create(self._name, to_json(config), {}, 0.0)
            return
        with self._place.opened() as store:
            yield store, store.study(self._name)

    @property
    def is_stored(self) -> bool:
        """Whether the store has a study of this name."""
        if not self._place.exists():
            return False
        with self._place.opened() as store:
            return store.find(self._name) is not None

    # -- where it stands --------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The study's name."""
        return self._name

    @property
    def store(self) -> str:
        """The file that keeps it; ``":memory:"`` for none."""
        return self._place.path

    @property
    def config(self) -> StudyConfig:
        """The configuration, as it is stored; as it was given before that."""
        with self._stored() as (_, study):
            return from_json(study.config)

    @property
    def state(self) -> StudyState:
        """Where the study stands; ``created`` before its first run."""
        with self._stored() as (store, study):
            return store.current_state(study)[0]

    @property
    def reason(self) -> str:
        """Why it stands there, for people; may be empty."""
        with self._stored() as (store, study):
            return store.current_state(study)[1]

    @property
    def lost_its_controller(self) -> bool:
        """Whether its controller died, and may have left jobs behind, which `resume` takes over."""
        with self._stored() as (store, study):
            is_dead = store.current_state(study)[0] is StudyState.INTERRUPTED
            return is_dead and study.state is StudyState.RUNNING

    @property
    def usage(self) -> Usage:
        """How much of everything that a budget may limit is used."""
        with self._stored() as (store, study):
            return stored_usage(store, study.name, from_json(study.config))

    @property
    def remaining(self) -> dict[str, float]:
        """What remains of each limit that is set, in its unit."""
        return remaining(self.config.budget, self.usage)

    @property
    def plugins(self) -> Mapping[str, Mapping[str, Any]]:
        """Which plugins it began with, by role: name, distribution, version, contract."""
        with self._stored() as (_, study):
            return study.plugins

    @property
    def folder(self) -> Path:
        """The folder of its logs and checkpoints; temporary for a study in memory."""
        with self._stored() as (store, study):
            return store.folder(study).path

    def overview(self) -> Overview:
        """Return where the study stands, with its counts and its best value."""
        with self._stored() as (store, study):
            return read_overview(store, study)

    def summary(self, n: int = 5) -> Summary:
        """Return how the study stands after a run, with its `n` best trials."""
        with self._stored() as (store, study):
            usage = stored_usage(store, study.name, from_json(study.config))
            return read_summary(store, study, usage, n, self._began)

    # -- trials -----------------------------------------------------------------------------

    @property
    def result(self) -> Result:
        """What has come out so far, read at one moment."""
        with self._stored() as (store, study):
            usage = stored_usage(store, study.name, from_json(study.config))
            return read_result(store, study, usage)

    @property
    def trials(self) -> tuple[TrialResult, ...]:
        """All trials in their order; running and paused ones as they stand now."""
        return self.result.trials

    @property
    def best(self) -> TrialResult:
        """The best completed trial that keeps the constraints.

        Raises:
            NoResult: If there is none, or if there are several objectives.
        """
        if len(self.config.objectives) == 1 and (found := self.top(1)):
            return found[0]
        return self.result.best

    def top(self, n: int = 5) -> list[TrialResult]:
        """Return the `n` best completed trials that keep the constraints, best first.

        With several objectives: the Pareto front, then the front of what is left, and so on.
        """
        with self._stored() as (store, study):
            return read_top(store, study, n)

    @property
    def pareto_front(self) -> tuple[TrialResult, ...]:
        """The completed trials that keep the constraints and that no other dominates."""
        return self.result.pareto_front

    def unfinished(self, n: int = 5) -> list[TrialResult]:
        """Return the `n` best running and paused trials that have a value, best first."""
        with self._stored() as (store, study):
            return read_unfinished(store, study, n)

    def open_trials(self, paused: int = 5) -> list[TrialResult]:
        """Return all running trials, and the best paused ones, so many at the most."""
        with self._stored() as (store, study):
            return read_open(store, study, paused)

    def curve(self, trial: int) -> list[Point]:
        """Return what a trial has reported, report by report, also while it runs.

        Raises:
            UnknownTrial: If there is no such trial.
        """
        with self._stored() as (store, study):
            return read_curve(store, study, trial)

    def curves(self) -> list[Point]:
        """Return what all trials have reported, trial by trial."""
        with self._stored() as (store, study):
            return read_curves(store, study)

    # -- jobs -------------------------------------------------------------------------------

    @property
    def jobs(self) -> list[JobRecord]:
        """All jobs, trial by trial; running ones as they stand now."""
        with self._stored() as (store, study):
            return read_jobs(store, study)

    def configurations(self) -> dict[str, Configuration]:
        """Return the configuration that each job has run, by the job's id."""
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
        """Return the file of each job with what it printed; there is none if that was nothing."""
        with self._stored() as (store, study):
            folder = store.folder(study)
            return [Path(folder.log(job.id)) for job in jobs]

    def log(self, job: str) -> Path:
        """Return the file with what a job printed; see `job` and `logs`."""
        return self.logs([self.job(job)])[0]

    # -- tables -----------------------------------------------------------------------------

    def to_pandas(self, table: Literal["trials", "jobs", "reports"] = "trials") -> pandas.DataFrame:
        """Return a table as a data frame, with a row for each trial, job or report.

        docs/python.md lists the columns. A column of integers stays one: of type ``int64``
        where every row has a value, else of the nullable type ``Int64``; likewise ``bool`` and
        ``boolean``. Times are in seconds since the epoch.

        Args:
            table: Which table.

        Raises:
            InvalidInput: If there is no such table.
            HpoError: If pandas is not installed.
        """
        match table:
            case "trials":
                return self.result.to_pandas()
            case "jobs":
                return tables.jobs_frame(self.jobs, self.configurations(), self.config.space)
            case "reports":
                return tables.reports_frame(self.curves())
        known = ("trials", "jobs", "reports")
        message = f"there is no table {table!r}{nearest(str(table), known)}; {listed(known)}"
        raise InvalidInput([Fault("table", message)])

    @property
    def plot(self) -> Plots:
        """The plots of plugins: ``study.plot.optimization_history()`` returns a figure."""
        return Plots(self)

    def __repr__(self) -> str:
        """Return its name, its place, where it stands and its best value, in one line."""
        try:
            return f"<Study {self._name!r} in {self._place}: {_told(self.overview())}>"
        except StoreError as error:
            return f"<Study {self._name!r} in {self._place}: not readable: {error}>"


def _told(about: Overview) -> str:
    words = [about.state.value, counted(about.trials, "trial")]
    words += [f"{about.failed} failed"] if about.failed else []
    reached = about.best or (about.best_so_far.values if about.best_so_far else {})
    kind = "best" if about.best else "best so far"
    words += [f"{kind} {name} {value:.6g}" for name, value in reached.items()]
    return ", ".join(words)
