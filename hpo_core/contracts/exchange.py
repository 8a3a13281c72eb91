"""The contract of an exchange: studies written for another program, and read from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from hpo_core.model.constraint import Constraint
from hpo_core.model.job import TrialState
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Value


class ExchangedTrial(msgspec.Struct, frozen=True, kw_only=True):
    """A trial, on its way out or in.

    Attributes:
        number: Its number where it comes from.
        configuration: The values of its parameters.
        state: COMPLETED, STOPPED or FAILED; RUNNING or PAUSED if it has not ended.
        values: The objectives' values, in the metrics' own units; None if it has none.
        intermediate: The first objective's value at each iteration.
        metrics: The last value of each metric.
        began: When, in seconds since the epoch; None if that is not known.
        ended: Likewise.
        name: For people.
        reason: What there is to say about its end.
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
    """A study, on its way out or in.

    Attributes:
        name: Its name where it comes from.
        directions: For each objective.
        metrics: The objectives' names; None if it gives them none.
        trials: Its trials, in their order.
        space: What is searched: the study's own, or on its way in that of the study which takes
            the trials.
        constraints: The constraints, on its way out.
    """

    name: str
    directions: tuple[Literal["minimize", "maximize"], ...]
    metrics: tuple[str, ...] | None
    trials: tuple[ExchangedTrial, ...]
    space: SearchSpace
    constraints: tuple[Constraint, ...] = ()


class ExchangeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Announces that a plugin writes studies for another program, and reads them from it.

    Both functions raise `hpo_core.HpoError` with a sentence for people.

    Attributes:
        name: The plugin's entry-point name: ``hpo export NAME --format optuna``.
        summary: One line for ``hpo plugins``.
        write: Writes a study to a place, such as ``sqlite:///f.db``. A study of that name that
            is there already is an error.
        read: Reads the study of a name from a place, or with None the only one that is there.
            It is given the space of the study that takes the trials, so that it can return
            values as that has them; what does not fit it returns as it is.
    """

    name: str
    summary: str
    write: Callable[[ExchangedStudy, str], None]
    read: Callable[[str, str | None, SearchSpace], ExchangedStudy]
