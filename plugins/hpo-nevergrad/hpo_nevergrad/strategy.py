"""Nevergrad's optimizers as strategies."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Sequence
from typing import Any

import nevergrad as ng
import numpy as np

from hpo_core.plugin import AskTell, Fault, InvalidInput, Problem, nearest
from hpo_nevergrad.options import Options, check, name_of


class Nevergrad(AskTell):
    """An optimizer of Nevergrad: numbers are scalars from 0 to 1, choices are `ng.p.Choice`.

    Args:
        problem: The study.
        options: The options.

    Raises:
        InvalidInput: If an option is out of its range, or the optimizer is unknown or fails to
            accept the space.
    """

    def __init__(self, problem: Problem, options: Options) -> None:
        check(options)
        name = name_of(options)
        if name not in ng.optimizers.registry:
            known = [str(each) for each in ng.optimizers.registry]
            wrong = f"Nevergrad has no optimizer {name!r}{nearest(name, known)}"
            raise InvalidInput([Fault("name", wrong)])
        super().__init__(problem, options)

    def setup(self, dimensions: int, seed: int) -> None:
        """Create the optimizer."""
        self._space = ng.p.Tuple(
            *(
                ng.p.Scalar(lower=0.0, upper=1.0) if size is None else ng.p.Choice(range(size))
                for size in self.cube.choices
            )
        )
        self._space.random_state = np.random.RandomState(self.problem.seed % 2**32)
        self._optimizer = ng.optimizers.registry[name_of(self.options)](
            parametrization=self._space,
            budget=self.options.budget,
            num_workers=self.options.num_workers or self.problem.workers,
        )

    def suggest(self) -> Any:
        """Ask for a candidate."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a budget that is exceeded, which is hpo-core's
            return self._optimizer.ask()

    def point(self, candidate: Any) -> Sequence[float]:
        """Return the coordinates of a candidate."""
        return self.cube.point_of(candidate.value)

    def learn(self, candidate: Any, loss: float) -> None:
        """Tell the loss of a candidate."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of losses beyond 5e20, which Nevergrad clips
            self._optimizer.tell(candidate, loss)

    def foreign(self, point: list[float], loss: float) -> None:
        """Tell the loss of a point that was enqueued, if the optimizer accepts such points."""
        candidate = self._optimizer.parametrization.spawn_child(
            new_value=tuple(self.cube.numbered(point))
        )
        with contextlib.suppress(ng.errors.TellNotAskedNotSupportedError):
            self.learn(candidate, loss)
