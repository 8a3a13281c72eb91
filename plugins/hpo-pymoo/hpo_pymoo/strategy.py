"""pymoo's algorithms for one objective as strategies (Blank and Deb 2020, IEEE Access 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from pymoo.algorithms.soo.nonconvex.de import DE
from pymoo.algorithms.soo.nonconvex.es import ES
from pymoo.algorithms.soo.nonconvex.g3pcx import G3PCX
from pymoo.algorithms.soo.nonconvex.ga import GA
from pymoo.algorithms.soo.nonconvex.pso import PSO
from pymoo.core.evaluator import Evaluator
from pymoo.core.mixed import MixedVariableGA
from pymoo.core.problem import Problem as Space
from pymoo.core.termination import NoTermination
from pymoo.core.variable import Choice, Real
from pymoo.problems.static import StaticProblem

from hpo_core.plugin import GenerationAskTell, Problem
from hpo_pymoo.options import check

ALGORITHMS: dict[str, Any] = {each.__name__: each for each in (GA, DE, PSO, ES, G3PCX)}


class Pymoo(GenerationAskTell):
    """An algorithm of pymoo on the unit cube: it advances once all of a generation is told.

    Args:
        problem: The study.
        options: The options.

    Raises:
        InvalidInput: If an option is out of its range.
    """

    def __init__(self, problem: Problem, options: msgspec.Struct) -> None:
        check(options)
        super().__init__(problem, options)

    def setup(self, dimensions: int, seed: int) -> None:
        """Create the algorithm."""
        self._algorithm, self._space = self.create(dimensions)
        self._algorithm.setup(
            self._space, termination=NoTermination(), seed=self.problem.seed % 2**32, verbose=False
        )

    def create(self, dimensions: int) -> tuple[Any, Any]:
        """Return the algorithm and the space."""
        given = {k: v for k, v in msgspec.structs.asdict(self.options).items() if v is not None}
        algorithm = ALGORITHMS[type(self.options).__name__](**given)
        return algorithm, Space(n_var=dimensions, n_obj=1, xl=0.0, xu=1.0)

    def coordinates(self, individual: Any) -> list[float]:
        """Return the coordinates of an individual of pymoo."""
        return [float(each) for each in individual.X]

    def generation(self) -> Sequence[Sequence[float]]:
        """Ask for a generation; pymoo gives none once it has ended."""
        asked = self._algorithm.ask()
        self._individuals = [] if asked is None else asked
        return [self.coordinates(each) for each in self._individuals]

    def advance(self, losses: list[float]) -> None:
        """Tell the losses of the generation."""
        values = np.array([[loss] for loss in losses])
        Evaluator().eval(StaticProblem(self._space, F=values), self._individuals)
        self._algorithm.tell(infills=self._individuals)


class Mixed(Pymoo):
    """The genetic algorithm for numbers and choices: `Real` from 0 to 1, and `Choice`."""

    def create(self, dimensions: int) -> tuple[Any, Any]:
        """Return the algorithm and the space."""
        self._names = [f"{place:04}" for place in range(dimensions)]
        variables = {
            name: Real(bounds=(0.0, 1.0)) if size is None else Choice(options=list(range(size)))
            for name, size in zip(self._names, self.cube.choices, strict=True)
        }
        given = {k: v for k, v in msgspec.structs.asdict(self.options).items() if v is not None}
        return MixedVariableGA(**given), Space(vars=variables, n_obj=1)

    def coordinates(self, individual: Any) -> list[float]:
        """Return the coordinates of an individual of pymoo."""
        return self.cube.point_of([individual.X[name] for name in self._names])


def build_strategy(problem: Problem, options: msgspec.Struct) -> Pymoo:
    """Build the strategy for the options."""
    made = Mixed if type(options).__name__ == "MixedVariableGA" else Pymoo
    return made(problem, options)
