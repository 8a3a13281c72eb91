"""The rows of a store, as they are read; and how values are written in them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from hpo_core.model.job import JobState, StudyState, TrialState, job_id
from hpo_core.model.objective import Losses
from hpo_core.model.values import Configuration, Value

IMPORTED = 2
"""In a trial's column `adopted`: it ran elsewhere, and is no part of the budget."""


class _Identity(msgspec.Struct):
    """Which plugin a study uses."""

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
        uid: Unique in the world.
        config: The stored configuration, JSON.
        plugins: Which plugins it uses: for ``strategy`` and ``backend`` the name,
            distribution, version and version of the contracts.
        created: When, in seconds since the epoch.
        state: Where it stands, as stored; a study whose controller died says ``running``.
        reason: Why, for people.
        wall_time: Seconds that it has run.
        first_budget: The limits that it began with, if it was extended.
        marks: Which users have made it, or trusted it: see `hpo_core.controller.stored.trust`.
        adopted_events: How many of its events count as adopted, whoever suggested them.
        files: The name of its folder if it still has the one of schema 1; else "".
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
        configuration: Its values.
        state: Where it stands.
        losses: Its losses, if they count.
        iterations: How far the strategy wanted to train it, when it was started.
    """

    id: int
    configuration: Configuration
    state: TrialState
    losses: Losses | None
    iterations: int | None = None


class JobRecord(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """A job. Times are seconds since the epoch; see the table ``job``.

    Its fields are the columns that are read, in their order (`hpo_core.store.rows`); ``trial_id``
    is the column ``trial``.
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
    seen: float | None = None
    """Until when it is known to run, for a job that runs; filled in by the controller."""

    @property
    def id(self) -> str:
        """The job's id, such as ``"7.1"``."""
        return job_id(self.trial_id, self.attempt)

    @property
    def seconds(self) -> float | None:
        """How long it ran, or has run so far; None if that is not known."""
        until = self.seen if self.ended is None else self.ended
        return None if self.started is None or until is None else max(until - self.started, 0.0)


class SoFar(msgspec.Struct):
    """What a job that has not ended has reported.

    Attributes:
        iteration: The last iteration.
        metrics: The last value of each metric.
        losses: What its trial would count if it ended now; None if that is not complete.
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
    """What a study has used so far, counted from its rows; without those that were imported."""

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
    """Return metrics as JSON; what is not finite becomes ``"nan"``, ``"inf"`` or ``"-inf"``."""
    if not metrics:
        return None
    if all(map(math.isfinite, metrics.values())):
        return encode(metrics)
    return encode(
        {name: value if math.isfinite(value) else str(value) for name, value in metrics.items()}
    )


def metrics_from_json(text: str | bytes | None) -> dict[str, float]:
    """Return metrics as `metrics_to_json` wrote them."""
    if text is None:
        return {}
    try:
        return _decode_numbers(text)
    except msgspec.ValidationError:  # some are not finite
        return {name: float(value) for name, value in _decode_metrics(text).items()}


def plugins_from_json(text: str) -> dict[str, dict[str, Any]]:
    """Return which plugins a study uses, by role."""
    _check_plugins(text)
    plugins: dict[str, dict[str, Any]] = decode(text)
    return plugins


def limits_from_json(text: str | None) -> dict[str, float | None] | None:
    """Return the limits of a budget by name."""
    return None if text is None else _decode_limits(text)


def losses_from_json(text: str | bytes | None) -> Losses | None:
    """Return losses as they are stored."""
    return None if text is None else _decode_losses(text)


def configuration_from_json(text: str | bytes) -> Configuration:
    """Return a configuration as it is stored, every value of the type that it had."""
    return Configuration(_decode_values(text))
