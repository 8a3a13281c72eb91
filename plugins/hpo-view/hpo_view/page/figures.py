"""The figures of a page, in order, in a compact encoding."""

from __future__ import annotations

import base64
import importlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from hpo_core import InvalidInput
from hpo_view import theme
from hpo_view.data import StudyData

FIGURES = {
    "optimization_history": "history",
    "pareto_front": "fronts",
    "hypervolume_history": "fronts",
    "intermediate_values": "curves",
    "rungs": "rungs",
    "param_importances": "importances",
    "slice": "parameters",
    "parallel_coordinate": "parameters",
    "contour": "pairs",
    "rank": "pairs",
    "edf": "history",
    "timeline": "work",
    "budget": "work",
    "failures": "failures",
}
"""Every plot in the order of the page, with its module."""

SHARED = ("optimization_history", "hypervolume_history", "edf")
"""The plots that accept several studies."""

_LONG = 50
"""Minimum length of a list of numbers that is packed."""


def draw(name: str, data: StudyData, *others: StudyData) -> Any:
    """Return the figure of a plot."""
    module = importlib.import_module(f"hpo_view.plots.{FIGURES[name]}")
    function: Callable[..., Any] = getattr(module, name)
    return function(data, *others)


def packed(name: str, figure: Any) -> dict[str, Any]:
    """Return a figure as plain JSON, with its title and caption separate; see `_packed`.

    Its template is omitted: the page has both, light and dark.
    """
    drawn = json.loads(figure.to_json())
    layout = drawn["layout"]
    layout.pop("template", None)
    title = layout.pop("title", {}).get("text", "")
    layout["uirevision"] = "kept"
    layout["margin"] = {"t": 40, **layout.get("margin", {})}
    return {
        "name": name,
        "title": title,
        "caption": theme.caption(figure),
        "isEmpty": not drawn["data"],
        "data": [_packed(trace) for trace in drawn["data"]],
        "layout": layout,
    }


def compared(several: list[StudyData]) -> tuple[list[dict[str, Any]], str]:
    """Return the figures that compare several studies, and the reasons for missing ones."""
    if len(several) < 2:
        return [], ""
    found = []
    try:
        for name in SHARED:
            figure = packed(f"compare_{name}", draw(name, *several))
            if not figure["isEmpty"]:
                found.append(figure)
    except InvalidInput as error:
        return [], f"The studies are not drawn in one figure: {error.faults[0].message}."
    return found, ""


def _packed(value: Any) -> Any:
    """Return long lists of numbers as plotly's typed arrays: base64, 32 bits."""
    if isinstance(value, dict) and set(value) >= {"dtype", "bdata"}:
        return _narrowed(value)
    if isinstance(value, dict):
        return {key: _packed(entry) for key, entry in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) < _LONG:
        return [_packed(entry) for entry in value]
    try:
        array = np.array([np.nan if entry is None else entry for entry in value])
    except ValueError:  # rows of different lengths
        return value
    if array.ndim > 2 or array.dtype.kind not in "if":
        return value
    is_whole = array.dtype.kind == "i" and np.abs(array).max() < 2**31
    coded = _coded(array, "i4" if is_whole else "f4")
    return {**coded, "shape": ",".join(map(str, array.shape))} if array.ndim == 2 else coded


def _narrowed(coded: dict[str, Any]) -> dict[str, Any]:
    """Return an array that plotly has packed, in 32 bits if it has 64."""
    if coded["dtype"] != "f8":
        return coded
    array = np.frombuffer(base64.b64decode(coded["bdata"]), "<f8")
    return {**coded, **_coded(array, "f4")}


def _coded(array: Any, kind: str) -> dict[str, Any]:
    return {"dtype": kind, "bdata": base64.b64encode(array.astype(f"<{kind}").tobytes()).decode()}
