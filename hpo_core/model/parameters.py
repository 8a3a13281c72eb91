"""The axes of a search space: Float, Int, Categorical, Constant, and ParameterSet.

All kinds have the same interface (see `Axis`), so spaces and strategies rarely depend on the kind:
the names that the axis sets, the number of points, the value at a point or a quantile, and whether
a value is valid.
"""

from __future__ import annotations

from typing import TypeAlias

from hpo_core.model.axis import Axis, When
from hpo_core.model.choices import Categorical, Constant, ParameterSet
from hpo_core.model.ranges import Float, Int

__all__ = ["Axis", "Categorical", "Constant", "Float", "Int", "Parameter", "ParameterSet", "When"]

Parameter: TypeAlias = Float | Int | Categorical | Constant | ParameterSet
"""Any axis of a search space."""
