"""hpbandster's brackets of successive halving, started and filled as by its `Master`.

The oldest bracket with a configuration to run has priority; a new bracket is started while the
others wait for their rungs. A rung is filled with configurations, and when all of them have ended,
the best ones are promoted to the next rung. New configurations take the places of failed ones
there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec

from hpo_bohb.axes import Native
from hpo_bohb.masters import Job
from hpo_core import Configuration

_log = logging.getLogger("hpo_bohb")

ConfigId: TypeAlias = tuple[int, int, int]
"""hpbandster's id of a configuration: its bracket, its first rung, its index there."""

OUTSIDE = -1
"""The bracket number that hpbandster gives to initial results, which belong to no bracket."""


class Candidate(msgspec.Struct):
    """A configuration of a bracket, and its state.

    Attributes:
        configuration: The configuration.
        natives: The configuration as natives of ConfigSpace.
        is_model_based: Whether it comes from the model.
        trial_id: Its current or last trial; None before it is run.
        ended: The ids of its ended jobs.
    """

    configuration: Configuration
    natives: Mapping[str, Native]
    is_model_based: bool
    trial_id: int | None = None
    ended: set[str] = msgspec.field(default_factory=set)


Draw: TypeAlias = Callable[[float], Candidate]
"""Returns a new configuration to run first on the given budget."""


class Run(NamedTuple):
    """A configuration to run on a budget.


    Attributes:
        id: The id of the configuration.
        candidate: The configuration.
        budget: The budget.
        may_go_on: Whether it can be promoted afterwards.
    """

    id: ConfigId
    candidate: Candidate
    budget: float
    may_go_on: bool

    @property
    def bracket(self) -> int:
        """The number of its bracket."""
        return self.id[0]


class Brackets:
    """The unfinished brackets.

    Args:
        master: hpbandster's optimiser, which plans the brackets.
        limit: Maximum number of brackets; None for no limit.
    """

    def __init__(self, master: Any, limit: int | None) -> None:
        self._master = master
        self._limit = limit
        self._begun = 0
        self._open: dict[int, Any] = {}
        self._draw: Draw | None = None

    def next(self, draw: Draw | None) -> Run | None:
        """Return the next run, or None.

        Args:
            draw: Draws a new configuration; None if new ones are not allowed.
        """
        for number in list(self._open):
            if (run := self.next_of(number, draw)) is not None:
                return run
        while draw is not None and (self._limit is None or self._begun < self._limit):
            if (run := self.next_of(self._begun, draw)) is not None:
                return run
        return None

    def next_of(self, number: int, draw: Draw | None) -> Run | None:
        """Return the next run of one bracket, if any; the bracket may be a new one."""
        if number == self._begun:
            self._begin()
        if number not in self._open:
            return None
        bracket = self._open[number]
        self._draw = draw
        try:
            found = bracket.get_next_run()
        except _NoNewOnes:
            return None
        if bracket.is_finished:
            del self._open[number]
        if found is None:
            return None
        config_id, _, budget = found
        candidate = bracket.data[config_id].config_info["candidate"]
        return Run(config_id, candidate, budget, bracket.stage + 1 < len(bracket.num_configs))

    def end(self, run: Run, loss: float | None) -> Any:
        """Register the end of a run, and return it as hpbandster's `Job`.

        Args:
            run: The run.
            loss: Its loss; None if it failed.
        """
        job = Job(run.id, config=run.candidate.natives, budget=run.budget)
        job.result = None if loss is None else {"loss": loss}
        if run.bracket in self._open:
            self._open[run.bracket].register_result(job)
        return job

    def may_promote(self) -> bool:
        """Return whether a running job may lead to a promotion."""
        return any(
            bracket.num_running > 0
            and bracket.stage + 1 < len(bracket.num_configs)
            and bracket.actual_num_configs[bracket.stage] >= bracket.num_configs[bracket.stage]
            for bracket in self._open.values()
        )

    def _begin(self) -> None:
        bracket = self._master.get_next_iteration(self._begun, {"logger": _log})
        bracket.config_sampler = self._new_one
        self._open[self._begun] = bracket
        self._begun += 1

    def _new_one(self, budget: float) -> tuple[Mapping[str, Native], dict[str, Candidate]]:
        if self._draw is None:
            raise _NoNewOnes
        candidate = self._draw(budget)
        return candidate.natives, {"candidate": candidate}


class _NoNewOnes(Exception):
    """Raised if a bracket needs a new configuration, and new ones are not allowed."""
