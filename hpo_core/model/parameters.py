"""The axes of a search space: Float, Int, Categorical, Constant, and ParameterSet.

Every kind answers the same questions (see `Axis`), so that spaces and strategies seldom ask which
it is: which names it sets, how many points it has, which value is at a point or at a quantile,
and whether its own value is one.
"""

from __future__ import annotations

from typing import TypeAlias

from hpo_core.model.axis import Axis, When
from hpo_core.model.choices import Categorical, Constant, ParameterSet
from hpo_core.model.ranges import Float, Int

__all__ = ["Axis", "Categorical", "Constant", "Float", "Int", "Parameter", "ParameterSet", "When"]

Parameter: TypeAlias = Float | Int | Categorical | Constant | ParameterSet
"""Any axis of a search space."""
