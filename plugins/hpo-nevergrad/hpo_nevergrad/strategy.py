"""Nevergrad's optimizers as strategies."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Sequence
from typing import Any

import nevergrad as ng
import numpy as np
from nevergrad.optimization import metamodel

from hpo_core.plugin import AskTell, Fault, InvalidInput, Problem, nearest
from hpo_nevergrad.options import Options, check, name_of


def _float(value: Any) -> float:
    """Return a number, which may be an array of one element."""
    return float(np.asarray(value).item())


# Nevergrad's surrogate models call float() on an array of one element, which numpy 2.4 refuses; so
# NGOpt would fail. This is what float() returned before.
setattr(metamodel, "float", _float)  # noqa: B010  # there is no such name, says the type checker


class Nevergrad(AskTell):
    """An optimizer of Nevergrad: numbers are scalars from 0 to 1, choices are `ng.p.Choice`.

    With one worker, an optimizer is not asked while one of its candidates has no loss: sequential
    ones, which NGOpt chooses then, would wait for it forever.

    Args:
        problem: The study.
        options: The options.

    Raises:
        InvalidInput: If an option is out of its range, or the optimizer is unknown or takes one
            worker only.
    """

    def __init__(self, problem: Problem, options: Options) -> None:
        check(options)
        name = name_of(options)
        if name not in ng.optimizers.registry:
            known = [str(each) for each in ng.optimizers.registry]
            wrong = f"Nevergrad has no optimizer {name!r}{nearest(name, known)}"
            raise InvalidInput([Fault("name", wrong)])
        workers = options.num_workers or problem.workers
        if workers > 1 and ng.optimizers.registry[name].no_parallelization:
            wrong = f"{name} takes one configuration at a time, not {workers}; give 1"
            raise InvalidInput([Fault("num_workers", wrong)])
        self._workers = workers
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
            num_workers=self._workers,
        )
        self._pending = 0

    def suggest(self) -> Any:
        """Ask for a candidate; None if the only worker's last one has no loss yet."""
        if self._workers == 1 and self._pending:
            return None
        self._pending += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a budget that is exceeded, which is hpo-core's
            return self._optimizer.ask()

    def point(self, candidate: Any) -> Sequence[float]:
        """Return the coordinates of a candidate."""
        return self.cube.point_of(candidate.value)

    def learn(self, candidate: Any, loss: float) -> None:
        """Tell the loss of a candidate."""
        self._pending -= 1
        self._tell(candidate, loss)

    def foreign(self, point: list[float], loss: float) -> None:
        """Tell the loss of a point that was enqueued, if the optimizer accepts such points."""
        candidate = self._optimizer.parametrization.spawn_child(
            new_value=tuple(self.cube.numbered(point))
        )
        with contextlib.suppress(ng.errors.TellNotAskedNotSupportedError):
            self._tell(candidate, loss)

    def _tell(self, candidate: Any, loss: float) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of losses beyond 5e20, which Nevergrad clips
            self._optimizer.tell(candidate, loss)


class NevergradCMA(Nevergrad):
    """An optimizer of Nevergrad on CMA-ES, which always has two dimensions.

    For a single number Nevergrad requires fcmaes in place of pycma, and so for every later study of
    the process, since the optimizers of its registry share their settings.
    """

    least_dimensions = 2


def build_strategy(problem: Problem, options: Options) -> Nevergrad:
    """Build the strategy for the options.

    Raises:
        InvalidInput: As `Nevergrad`.
    """
    made = NevergradCMA if "CMA" in name_of(options) else Nevergrad
    return made(problem, options)
