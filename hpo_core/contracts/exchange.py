"""The contract of an exchange, which exports studies to another program and imports them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from hpo_core.model.constraint import Constraint
from hpo_core.model.job import TrialState
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Value


class ExchangedTrial(msgspec.Struct, frozen=True, kw_only=True):
    """A trial, exported or imported.

    Attributes:
        number: Its number in the source.
        configuration: The values of its parameters.
        state: COMPLETED, STOPPED or FAILED; RUNNING or PAUSED if it has not ended.
        values: The values of the objectives, in the units of the metrics; None if there are none.
        intermediate: The value of the first objective at each iteration.
        metrics: The last value of each metric.
        began: Start time in seconds since the epoch; None if unknown.
        ended: End time, likewise.
        name: Display name.
        reason: A human-readable reason for its end.
    """

    number: int
    configuration: Mapping[str, Value]
    state: TrialState
    values: tuple[float, ...] | None = None
    intermediate: Mapping[int, float] = {}
    metrics: Mapping[str, float] = {}
    began: float | None = None
    ended: float | None = None
    name: str = ""
    reason: str = ""


class ExchangedStudy(msgspec.Struct, frozen=True, kw_only=True):
    """A study, exported or imported.

    Attributes:
        name: Its name in the source.
        directions: The direction of each objective.
        metrics: The names of the objectives; None if they have none.
        trials: Its trials, in order.
        space: The search space: that of the exported study, or of the study that imports the
            trials.
        constraints: The constraints, for export.
    """

    name: str
    directions: tuple[Literal["minimize", "maximize"], ...]
    metrics: tuple[str, ...] | None
    trials: tuple[ExchangedTrial, ...]
    space: SearchSpace
    constraints: tuple[Constraint, ...] = ()


class ExchangeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Describes how a plugin exports studies to another program and imports them.

    Both functions raise `hpo_core.HpoError` with a human-readable message.

    Attributes:
        name: The plugin's entry-point name: ``hpo export NAME --format optuna``.
        summary: One line for ``hpo plugins``.
        write: Writes a study to a place, such as ``sqlite:///f.db``. If the place already has a
            study with this name, it raises an error.
        read: Reads the study with a name from a place; if the name is None, the only study there.
            It gets the space of the importing study, so that it can convert values to the types of
            that space. Values that do not fit are returned unchanged.
    """

    name: str
    summary: str
    write: Callable[[ExchangedStudy, str], None]
    read: Callable[[str, str | None, SearchSpace], ExchangedStudy]
