"""Hyperopt's algorithms as strategies (Bergstra et al. 2011, NIPS 24)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hyperopt
import msgspec
import numpy as np
from hyperopt import anneal, hp, rand, tpe

from hpo_core.plugin import AskTell, Problem
from hpo_hyperopt.options import Options, check

ALGORITHMS = {"tpe": tpe.suggest, "anneal": anneal.suggest, "rand": rand.suggest}


class Hyperopt(AskTell):
    """An algorithm of Hyperopt: numbers are `hp.uniform` from 0 to 1, choices are `hp.choice`.

    A candidate is the number of a trial in Hyperopt's memory.

    Args:
        problem: The study.
        options: The options.

    Raises:
        InvalidInput: If an option is out of its range.
    """

    def __init__(self, problem: Problem, options: Options) -> None:
        check(options)
        super().__init__(problem, options)

    def setup(self, dimensions: int, seed: int) -> None:
        """Create the space and an empty memory."""
        self._labels = [f"{place:04}" for place in range(dimensions)]  # Hyperopt sorts them
        space = {
            label: hp.uniform(label, 0.0, 1.0) if size is None else hp.choice(label, range(size))
            for label, size in zip(self._labels, self.cube.choices, strict=True)
        }
        self._domain = hyperopt.Domain(lambda values: 0.0, space)
        self._trials = hyperopt.Trials()
        self._seeds = np.random.default_rng(self.problem.seed)
        self._given = {} if self.options.algorithm != "tpe" else {"verbose": False}
        self._given |= msgspec.structs.asdict(self.options)

    def suggest(self) -> int:
        """Let the algorithm add a trial."""
        [number] = self._trials.new_trial_ids(1)
        self._trials.refresh()
        seed = self._seeds.integers(2**31 - 1)
        suggest = ALGORITHMS[self.options.algorithm]
        self._trials.insert_trial_docs(
            suggest([number], self._domain, self._trials, seed, **self._given)
        )
        self._trials.refresh()
        return int(number)

    def point(self, candidate: Any) -> Sequence[float]:
        """Return the coordinates of a trial."""
        values = self._trials.trials[candidate]["misc"]["vals"]
        return self.cube.point_of([values[label][0] for label in self._labels])

    def learn(self, candidate: Any, loss: float) -> None:
        """Complete a trial."""
        trial = self._trials.trials[candidate]
        trial["state"] = hyperopt.JOB_STATE_DONE
        trial["result"] = {"status": hyperopt.STATUS_OK, "loss": loss}
        self._trials.refresh()

    def failed(self, candidate: Any, worst: float) -> None:
        """Mark a trial as failed, as Hyperopt does with a loss that is missing."""
        trial = self._trials.trials[candidate]
        trial["state"] = hyperopt.JOB_STATE_DONE
        trial["result"] = {"status": hyperopt.STATUS_FAIL}
        self._trials.refresh()

    def foreign(self, point: list[float], loss: float) -> None:
        """Add a completed trial."""
        [number] = self._trials.new_trial_ids(1)
        numbered = self.cube.numbered(point)
        misc = {
            "tid": number,
            "cmd": self._domain.cmd,
            "workdir": self._domain.workdir,
            "idxs": {label: [number] for label in self._labels},
            "vals": {label: [value] for label, value in zip(self._labels, numbered, strict=True)},
        }
        result = self._domain.new_result()
        self._trials.insert_trial_docs(
            self._trials.new_trial_docs([number], [None], [result], [misc])
        )
        self._trials.refresh()
        self.learn(number, loss)
