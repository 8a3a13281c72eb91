"""The data of one study, read once for all plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Protocol

from hpo_core import JobState, Objective, SearchSpace, Study, StudyConfig, TrialState
from hpo_core.plugin import Fault, InvalidInput, nearest
from hpo_view.text import label


class DrawnTrial(Protocol):
    """The part of a trial that plots use; see `hpo_core.Study.trials`."""

    @property
    def trial_id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def configuration(self) -> Mapping[str, object]: ...
    @property
    def state(self) -> TrialState: ...
    @property
    def values(self) -> Mapping[str, float]: ...
    @property
    def losses(self) -> tuple[float, ...] | None: ...
    @property
    def iteration(self) -> int | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def reason(self) -> str: ...
    @property
    def is_feasible(self) -> bool: ...


class DrawnJob(Protocol):
    """The part of a job that plots use; see `hpo_core.Study.jobs`."""

    @property
    def id(self) -> str: ...
    @property
    def trial_id(self) -> int: ...
    @property
    def attempt(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def state(self) -> JobState: ...
    @property
    def target(self) -> int | None: ...
    @property
    def queued(self) -> float: ...
    @property
    def started(self) -> float | None: ...
    @property
    def ended(self) -> float | None: ...
    @property
    def seen(self) -> float | None: ...
    @property
    def iteration(self) -> int | None: ...
    @property
    def iterations(self) -> int: ...
    @property
    def reason(self) -> str: ...


class DrawnReport(Protocol):
    """The part of a report that plots use; see `hpo_core.Study.curves`."""

    @property
    def trial_id(self) -> int: ...
    @property
    def job(self) -> str: ...
    @property
    def iteration(self) -> int | None: ...
    @property
    def metrics(self) -> Mapping[str, float]: ...


class StudyData:
    """The data of a study; each part is read on first use, and then kept.

    Args:
        study: The study.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.name = study.name

    @cached_property
    def config(self) -> StudyConfig:
        """The study's configuration."""
        return self.study.config

    @cached_property
    def trials(self) -> Sequence[DrawnTrial]:
        """All trials, in order."""
        return self.study.trials

    @cached_property
    def by_id(self) -> dict[int, DrawnTrial]:
        """All trials by their ids."""
        return {trial.trial_id: trial for trial in self.trials}

    @cached_property
    def jobs(self) -> Sequence[DrawnJob]:
        """All jobs, trial by trial."""
        return self.study.jobs

    @cached_property
    def ran(self) -> list[DrawnJob]:
        """The jobs that ran here, in the order of their starts."""
        own = [job for job in self.jobs if job.attempt > 0 and job.started is not None]
        return sorted(own, key=lambda job: job.started or 0.0)

    @cached_property
    def curves(self) -> Sequence[DrawnReport]:
        """All reports, trial by trial."""
        return self.study.curves()

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The study's objectives."""
        return self.config.objectives

    @property
    def space(self) -> SearchSpace:
        """The study's search space."""
        return self.config.space

    @cached_property
    def counted(self) -> list[DrawnTrial]:
        """The completed trials with a value for each objective, feasible or not."""
        done = TrialState.COMPLETED
        return [trial for trial in self.trials if trial.state is done and trial.losses is not None]

    @cached_property
    def feasible(self) -> list[DrawnTrial]:
        """Those of them that satisfy the constraints."""
        return [trial for trial in self.counted if trial.is_feasible]

    @cached_property
    def unfinished(self) -> list[DrawnTrial]:
        """The trials that are not completed, and have a value so far."""
        ended = (TrialState.COMPLETED, TrialState.FAILED)
        return [trial for trial in self.trials if trial.state not in ended and trial.values]

    @cached_property
    def wall_time(self) -> float:
        """The seconds that the study has run."""
        return self.study.usage.wall_time

    def objective(self, metric: str | None) -> Objective:
        """Return the objective of a metric; the first one for None.

        Raises:
            InvalidInput: If no objective has that metric.
        """
        if metric is None:
            return self.objectives[0]
        known = [each.metric for each in self.objectives]
        if metric not in known:
            hint = nearest(metric, known) or f"; there are {', '.join(known)}"
            message = f"the study {self.name!r} has no objective {metric!r}{hint}"
            raise InvalidInput([Fault("objective", message)])
        return self.objectives[known.index(metric)]

    def parameters(self, names: Sequence[str] | None, most: int | None = None) -> list[str]:
        """Return the names of parameters: the given ones, or else all that vary.

        Args:
            names: The names; None for all that vary.
            most: Maximum number of names, if none are given.

        Raises:
            InvalidInput: With each name that the space does not have.
        """
        if names is None:
            varying = [name for name in self.space.names if self.space.by_name[name].size != 1]
            return varying[:most]
        known = self.space.names
        faults = [
            Fault(
                f"params[{place}]",
                f"the study {self.name!r} has no parameter {name!r}"
                + (nearest(name, known) or f"; there are {', '.join(known)}"),
            )
            for place, name in enumerate(names)
            if name not in known
        ]
        if faults:
            raise InvalidInput(faults)
        return list(dict.fromkeys(names))


def read(study: Study | StudyData) -> StudyData:
    """Return the data of a study; data is returned unchanged."""
    return study if isinstance(study, StudyData) else StudyData(study)


def direction(objective: Objective) -> str:
    """Return the title of an objective's axis: the metric, and which direction is better."""
    better = "lower" if objective.direction == "minimize" else "higher"
    return f"{label(objective.metric)} ({better} is better)"


def value(trial: DrawnTrial, objective: Objective) -> float:
    """Return the value of an objective of a counted trial."""
    return trial.values[objective.metric]


def running_best(losses: Sequence[float]) -> list[float]:
    """Return for each loss the lowest loss so far."""
    best: list[float] = []
    for loss in losses:
        best.append(min(loss, best[-1]) if best else loss)
    return best
