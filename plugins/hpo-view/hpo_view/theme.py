"""Figures, and colours that colour-blind readers can distinguish on light and dark backgrounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, GREY = (
    "#1f77c9", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a8f98",
)  # fmt: skip
"""The palette of Okabe and Ito without black and yellow, which lack contrast."""

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION)
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "star", "x")
SCALE = "Cividis"
"""Colour scale for numbers, which looks the same with and without red-green blindness."""

DARK_SCALE = ("#5f8fd8", "#8aa0bd", "#b3b1a2", "#d6c675", "#fee838")
"""The same on a dark background, on which the dark end of `SCALE` is invisible."""

_FEW = 50

MANY = 2000
"""Number of points from which WebGL is used, since SVG would be slow."""


def template(*, dark: bool) -> dict[str, Any]:
    """Return the layout template of figures, light or dark."""
    ink, line, ground = (
        ("#e6e8eb", "#3a3f47", "#16181c") if dark else ("#1c2024", "#d9dce1", "#ffffff")
    )
    axis = {
        "gridcolor": line,
        "linecolor": line,
        "zerolinecolor": line,
        "title": {"standoff": 8},
    }
    return {
        "layout": {
            "paper_bgcolor": ground,
            "plot_bgcolor": ground,
            "font": {"color": ink, "family": "system-ui, sans-serif", "size": 13},
            "title": {"x": 0, "xref": "paper", "font": {"size": 16}},
            "colorway": list(COLOURS),
            # Numbers get room beside their axis alone. Otherwise plotly.js, which picks them by the
            # room, may find no margins that fit those of both axes, and gives up with a warning.
            "xaxis": {**axis, "automargin": "height"},
            "yaxis": {**axis, "automargin": "width"},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "margin": {"l": 60, "r": 20, "t": 70, "b": 50},
            "hoverlabel": {"align": "left", "namelength": 40},
            "hovermode": "closest",
        }
    }


def figure(title: str, caption: str, *, height: int = 420) -> go.Figure:
    """Return an empty figure.

    Args:
        title: Its title.
        caption: What the figure shows, in a sentence or two, also for readers who cannot see it.
            Pages show it below the figure.
        height: Its height in pixels.
    """
    return go.Figure(  # 30 times faster than update_layout
        layout={
            "template": template(dark=False),
            "title": {"text": title},
            "height": height,
            "meta": {"caption": caption},
        }
    )


def caption(drawn: go.Figure) -> str:
    """Return the caption of a figure."""
    return str((drawn.layout.meta or {}).get("caption", ""))


def empty(title: str, why: str) -> go.Figure:
    """Return a figure with the reason why there is nothing to draw."""
    drawn = figure(title, why, height=220)
    drawn.update_xaxes(visible=False).update_yaxes(visible=False)
    drawn.add_annotation(text=why, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    return drawn


def points(many: int, **trace: Any) -> Any:
    """Return a scatter trace: SVG, or WebGL for many points."""
    packed: dict[str, Any] = {
        key: array(value) if isinstance(value, list) else value for key, value in trace.items()
    }
    if isinstance(colours := trace.get("marker", {}).get("color"), list):
        packed["marker"] = {**trace["marker"], "color": array(colours)}
    return (go.Scattergl if many > MANY else go.Scatter)(**packed)


def array(values: list[Any]) -> Any:
    """Return many numbers as an array, which plotly validates and writes much faster."""
    if len(values) < _FEW or any(value is None or isinstance(value, str) for value in values):
        return values
    return np.array(values)


def sampled(things: Sequence[Any], most: int) -> list[Any]:
    """Return at most `most` items, evenly spread, including the first and the last."""
    if len(things) <= most:
        return list(things)
    step = (len(things) - 1) / (most - 1)
    return [things[round(place * step)] for place in range(most)]


def said(shown: int, of: int, noun: str) -> str:
    """Return a sentence about what a figure omits; ``""`` if nothing."""
    return f" {shown:,} of {of:,} {noun} are drawn, evenly spread." if shown < of else ""
