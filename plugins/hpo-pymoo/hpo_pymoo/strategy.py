"""pymoo's algorithms for one objective as strategies (Blank and Deb 2020, IEEE Access 8)."""

from __future__ import annotations

from collections import deque
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

from hpo_core.plugin import AskTell, Problem
from hpo_pymoo.options import check

ALGORITHMS: dict[str, Any] = {each.__name__: each for each in (GA, DE, PSO, ES, G3PCX)}


class Candidate(msgspec.Struct, frozen=True):
    """One configuration of a generation.

    Attributes:
        place: Its place in the generation.
        point: Its coordinates.
    """

    place: int
    point: list[float]


class Generations(AskTell):
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
        """Create the algorithm, and the first generation."""
        self._algorithm, self._space = self.create(dimensions)
        self._algorithm.setup(
            self._space, termination=NoTermination(), seed=self.problem.seed % 2**32, verbose=False
        )
        self._next_generation()

    def create(self, dimensions: int) -> tuple[Any, Any]:
        """Return the algorithm and the space."""
        given = {k: v for k, v in msgspec.structs.asdict(self.options).items() if v is not None}
        algorithm = ALGORITHMS[type(self.options).__name__](**given)
        return algorithm, Space(n_var=dimensions, n_obj=1, xl=0.0, xu=1.0)

    def coordinates(self, individual: Any) -> list[float]:
        """Return the coordinates of an individual of pymoo."""
        return [float(each) for each in individual.X]

    def suggest(self) -> Candidate | None:
        """Return the next configuration of the generation; None once all of them are out."""
        return self._waiting.popleft() if self._waiting else None

    def point(self, candidate: Any) -> Sequence[float]:
        """Return the coordinates of a candidate."""
        point: list[float] = candidate.point
        return point

    def learn(self, candidate: Any, loss: float) -> None:
        """Collect the loss; with the last one of a generation, begin the next one."""
        self._losses[candidate.place] = loss
        if len(self._losses) < len(self._generation):
            return
        values = np.array([[loss] for _, loss in sorted(self._losses.items())])
        Evaluator().eval(StaticProblem(self._space, F=values), self._generation)
        self._algorithm.tell(infills=self._generation)
        self._next_generation()

    def _next_generation(self) -> None:
        generation = self._algorithm.ask()
        self._generation = [] if generation is None else generation
        self._waiting = deque(
            Candidate(place, self.coordinates(each)) for place, each in enumerate(self._generation)
        )
        self._losses: dict[int, float] = {}


class Mixed(Generations):
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


def build_strategy(problem: Problem, options: msgspec.Struct) -> Generations:
    """Build the strategy for the options."""
    made = Mixed if type(options).__name__ == "MixedVariableGA" else Generations
    return made(problem, options)
