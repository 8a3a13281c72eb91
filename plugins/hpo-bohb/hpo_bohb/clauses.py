"""ConfigSpace's conditions and forbidden clauses, evaluated on the natives of a vector.

ConfigSpace's own classes compare positions on the unit interval. The positions of a sampled number
and of a given one can differ in the last digit, so some integers on a log scale would be mistaken
for others. These classes compare the values that a job gets.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeAlias

import numpy as np
from ConfigSpace import ForbiddenInClause, InCondition

from hpo_bohb.axes import Hyperparameter, Native

Reader: TypeAlias = Callable[[Any], Native]
"""Returns the native for a value of ConfigSpace, after conversion to a job's value and back."""


class _Members:
    """Whether a position, on the unit interval or among choices, is that of one of the natives."""

    def __init__(self, over: Hyperparameter, natives: Collection[Native], read: Reader) -> None:
        self._over = over
        self._natives = frozenset(natives)
        self._read = read

    def has(self, position: float) -> bool:
        if np.isnan(position):
            return False  # not active
        return self._read(self._over.to_value(position)) in self._natives

    def mask(self, positions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.fromiter(map(self.has, positions), dtype=np.bool_, count=len(positions))


class ValueCondition(InCondition):
    """A hyperparameter is active if its parent has one of the natives."""

    def __init__(
        self, child: Hyperparameter, parent: Hyperparameter, natives: list[Native], read: Reader
    ) -> None:
        super().__init__(child, parent, natives)
        self._members = _Members(parent, natives, read)

    def satisfied_by_vector(self, vector: Any) -> bool:
        return self._members.has(vector[self.parent_vector_id])

    def satisfied_by_vector_array(self, arr: Any) -> Any:
        return self._members.mask(arr[self.parent_vector_id])


class ForbiddenValues(ForbiddenInClause):
    """A hyperparameter must not have one of the natives, in conjunction with other clauses."""

    def __init__(self, over: Hyperparameter, natives: list[Native], read: Reader) -> None:
        super().__init__(over, natives)
        self._members = _Members(over, natives, read)

    def is_forbidden_vector(self, vector: Any) -> bool:
        return self._members.has(vector[self.vector_id])

    def is_forbidden_vector_array(self, arr: Any) -> Any:
        return self._members.mask(arr[self.vector_id])
