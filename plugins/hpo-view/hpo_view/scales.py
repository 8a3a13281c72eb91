"""Parameters as axes of a plot: log scales, labels of choices, inactive values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from hpo_core import Categorical, Constant, Float, Int, SearchSpace
from hpo_core.plugin import same_value
from hpo_view.text import label

_DECADES = 3
"""Number of decades from which a log axis has ticks only at powers of ten."""


class Scale:
    """One parameter as an axis.

    Args:
        space: The search space.
        name: The name of the parameter, or of a member of a set.
    """

    def __init__(self, space: SearchSpace, name: str) -> None:
        self.name = name
        self.title = label(name)
        axis = space.by_name[name]
        self.choices: list[object] = []
        match axis:
            case Categorical():
                self.choices = list(axis.choices)
            case Constant():
                self.choices = [axis.value]
        self.is_numeric = isinstance(axis, Float | Int)
        self.is_log = isinstance(axis, Float | Int) and axis.log
        self._exponents = range(0)
        if isinstance(axis, Float | Int) and axis.log:
            low, high = math.log10(axis.low), math.log10(axis.high)
            self._exponents = range(math.floor(low), math.ceil(high) + 1)
        self.labels = _labels(self.choices)

    def holds(self, configuration: Mapping[str, object]) -> bool:
        """Return whether the parameter is active in a configuration."""
        return self.name in configuration

    def shown(self, configuration: Mapping[str, object]) -> Any:
        """Return the position of an active value: a number, or the label of a choice."""
        value = configuration[self.name]
        if self.is_numeric:
            return float(value)  # type: ignore[arg-type]
        return self.labels[self._place(value)]

    def position(self, configuration: Mapping[str, object]) -> float:
        """Return the value as a number on the parameter's scale; for a choice its index."""
        value = configuration[self.name]
        if not self.is_numeric:
            return float(self._place(value))
        number = float(value)  # type: ignore[arg-type]
        return math.log10(number) if self.is_log else number

    def layout(self) -> dict[str, Any]:
        """Return the settings of plotly's axis."""
        if self.is_numeric:
            if not self.is_log:
                return {"title": self.title, "type": "linear"}
            axis = {"title": self.title, "type": "log", "exponentformat": "power"}
            return {**axis, **self._log_ticks()}
        return {
            "title": self.title,
            "type": "category",
            "categoryorder": "array",
            "categoryarray": self.labels,
            "automargin": True,  # long labels lean over the end of the axis
        }

    def _log_ticks(self) -> dict[str, Any]:
        """Return ticks at powers of ten or, of few decades, also at 2 and 5 times a power.

        They are written out: plotly would label 200 as a small 2.
        """
        if len(self._exponents) > _DECADES + 1:
            return {"dtick": 1}
        ticks = [float(f"{digit}e{power}") for power in self._exponents for digit in (1, 2, 5)]
        return {"tickvals": ticks, "ticktext": [f"{tick:.12g}" for tick in ticks]}

    def _place(self, value: object) -> int:
        for place, choice in enumerate(self.choices):
            if same_value(choice, value):
                return place
        self.choices.append(value)  # a stored value from before a change of the space
        self.labels = _labels(self.choices)
        return len(self.choices) - 1


def _labels(choices: Iterable[object]) -> list[str]:
    """Return a label for each choice: as JSON if two look alike, to distinguish 1 from "1"."""
    choices = list(choices)
    plain = [each if isinstance(each, str) else json.dumps(each) for each in choices]
    if len(set(plain)) < len(plain):
        plain = [json.dumps(each, ensure_ascii=False) for each in choices]
    return [label(each, 40) for each in plain]
