"""The rows of a store, and the format of their values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from hpo_core.model.failure import FailureCause
from hpo_core.model.job import JobState, StudyState, TrialState, job_id
from hpo_core.model.objective import Losses
from hpo_core.model.values import Configuration, Value

IMPORTED = 2
"""The value of a trial's column `adopted` for one that ran elsewhere and does not count in the
budget.
"""


class _Identity(msgspec.Struct):
    """The identity of a plugin."""

    name: str
    distribution: str
    version: str
    contract: int = 1


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode
_decode_losses = msgspec.json.Decoder(tuple[float, ...]).decode
_decode_values = msgspec.json.Decoder(dict[str, Value]).decode
_decode_metrics = msgspec.json.Decoder(dict[str, float | Literal["nan", "inf", "-inf"]]).decode
_decode_numbers = msgspec.json.Decoder(dict[str, float]).decode
_decode_limits = msgspec.json.Decoder(dict[str, float | None]).decode
_check_plugins = msgspec.json.Decoder(dict[str, _Identity]).decode


class StudyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A study, with its counts.

    Attributes:
        id: Its row.
        name: Its name.
        uid: A universally unique id.
        config: The stored configuration, JSON.
        plugins: The plugins that it uses: name, distribution, version and version of the contracts
            of ``strategy`` and ``backend``.
        created: Creation time in seconds since the epoch.
        state: The stored state; ``running`` also if its controller died.
        reason: A human-readable reason.
        wall_time: Time that it has run, in seconds.
        first_budget: The initial limits, if it was extended.
        marks: The marks of users who created or trusted it: see `hpo_core.controller.stored.trust`.
        adopted_events: Number of its events that count as adopted, whoever suggested them.
        files: The name of its folder if it is still that of schema 1; else "".
    """

    id: int
    name: str
    uid: str
    config: str
    plugins: Mapping[str, Mapping[str, Any]]
    created: float
    state: StudyState
    reason: str
    wall_time: float
    files: str
    first_budget: Mapping[str, float | None] | None
    marks: str
    adopted_events: int


class TrialRecord(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """A trial.

    Attributes:
        id: Its id.
        configuration: The configuration.
        state: The state.
        losses: The losses, if they count.
        iterations: The number of iterations suggested at its start.
    """

    id: int
    configuration: Configuration
    state: TrialState
    losses: Losses | None
    iterations: int | None = None


class JobRecord(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """A job. Times are seconds since the epoch.

    Its fields are the columns of `hpo_core.store.job_table` that are read, in their order;
    ``trial_id`` is the column ``trial``.
    """

    trial_id: int
    attempt: int
    name: str
    state: JobState
    target: int | None
    queued: float
    started: float | None
    ended: float | None
    iteration: int | None
    iterations: int
    metrics: Mapping[str, float]
    reason: str
    handle: Any
    cause: FailureCause | None = None
    seen: float | None = None
    """The last time at which a running job is known to run; filled in by the controller."""

    def __repr__(self) -> str:
        """Return the job's id, its state and its metrics in one line."""
        metrics = "".join(f", {name} = {value:.6g}" for name, value in self.metrics.items())
        return f"<Job {self.id}: {self.state.value}{metrics}>"

    @property
    def id(self) -> str:
        """The job's id, such as ``"7.1"``."""
        return job_id(self.trial_id, self.attempt)

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was ended before it started; it starts when the study is resumed."""
        return self.state is JobState.QUEUED and bool(self.reason)

    @property
    def seconds(self) -> float | None:
        """Run time so far in seconds; None if unknown."""
        until = self.seen if self.ended is None else self.ended
        return None if self.started is None or until is None else max(until - self.started, 0.0)


class SoFar(msgspec.Struct):
    """The reports so far of a job that has not ended.

    Attributes:
        iteration: The last iteration.
        metrics: The last value of each metric.
        losses: The losses so far of its trial; None if incomplete.
    """

    iteration: int | None = None
    metrics: dict[str, float] = {}
    losses: Losses | None = None


class LoggedReport(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """A report of a job, as it was recorded."""

    trial_id: int
    attempt: int
    time: float
    iteration: int | None
    metrics: Mapping[str, float]


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The usage of a study so far, counted from its rows, without imported trials."""

    trials: int
    completed: int
    failed: int
    stopped: int
    paused: int
    jobs: int
    iterations: int
    compute_time: float
    imported: int = 0
    running: int = 0


def metrics_to_json(metrics: Mapping[str, float] | None) -> bytes | None:
    """Serialize metrics to JSON; values that are not finite become ``"nan"``, ``"inf"`` or
    ``"-inf"``.
    """
    if not metrics:
        return None
    if all(map(math.isfinite, metrics.values())):
        return encode(metrics)
    return encode(
        {name: value if math.isfinite(value) else str(value) for name, value in metrics.items()}
    )


def metrics_from_json(text: str | bytes | None) -> dict[str, float]:
    """Read metrics that `metrics_to_json` wrote."""
    if text is None:
        return {}
    try:
        return _decode_numbers(text)
    except msgspec.ValidationError:  # some are not finite
        return {name: float(value) for name, value in _decode_metrics(text).items()}


def plugins_from_json(text: str) -> dict[str, dict[str, Any]]:
    """Return the plugins of a study, by role."""
    _check_plugins(text)
    plugins: dict[str, dict[str, Any]] = decode(text)
    return plugins


def limits_from_json(text: str | None) -> dict[str, float | None] | None:
    """Return the limits of a budget by name."""
    return None if text is None else _decode_limits(text)


def losses_from_json(text: str | bytes | None) -> Losses | None:
    """Read stored losses."""
    return None if text is None else _decode_losses(text)


def configuration_from_json(text: str | bytes) -> Configuration:
    """Read a stored configuration, with the original types of its values."""
    return Configuration(_decode_values(text))
