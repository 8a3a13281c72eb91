"""Figures without WebGL: plotly compiles code for it, which a strict policy forbids."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.colors
import plotly.graph_objects as go

from hpo_view import theme

_POINTS = 1500
_LINES = 400
_SHADES = 8


def vector(figure: go.Figure) -> go.Figure:
    """Return a figure that is drawn as SVG, with an even selection of many points, and a note."""
    drawn = go.Figure(layout=figure.layout)
    left_out = False
    for trace in figure.data:
        if trace.type == "parcoords":
            return _lines(figure, trace)
        if trace.type == "scattergl":
            left_out |= len(trace.x) > _POINTS and trace.mode == "markers"
            drawn.add_trace(_points(trace))
        else:
            drawn.add_trace(trace)
    if left_out:
        said = f"{theme.caption(figure)} At most {_POINTS:,} points of a kind are drawn here."
        drawn.layout.meta = {"caption": said}
    return drawn


def _points(trace: Any) -> go.Scatter:
    given = trace.to_plotly_json()
    given.pop("type")
    if given.get("mode") == "markers" and len(given["x"]) > _POINTS:
        chosen = theme.sampled(range(len(given["x"])), _POINTS)
        for key in ("x", "y", "customdata"):
            if given.get(key) is not None:
                given[key] = [given[key][place] for place in chosen]
        colour = given["marker"].get("color")
        if colour is not None and not isinstance(colour, str):
            given["marker"] = {**given["marker"], "color": [colour[place] for place in chosen]}
    return go.Scatter(given)


def _lines(figure: go.Figure, trace: Any) -> go.Figure:
    """Return parallel coordinates as lines of eight shades over axes from 0 to 1."""
    axes = list(trace.dimensions)
    values = np.array([np.asarray(axis.values, float) for axis in axes])
    spans = [_span(axis, row) for axis, row in zip(axes, values, strict=True)]
    heights = np.array(
        [(row - low) / (high - low) for row, (low, high) in zip(values, spans, strict=True)]
    )
    colours = np.asarray(trace.line.color, float)
    order = np.argsort(colours)
    chosen = theme.sampled(list(range(len(colours))), _LINES)
    shade = np.empty(len(colours), int)
    shade[order] = np.arange(len(colours)) * _SHADES // len(colours)
    scale = plotly.colors.sample_colorscale(theme.SCALE, _SHADES)
    names = [str(axis.label) for axis in axes]
    said = theme.caption(figure).partition(" Drag")[0]
    drawn = theme.figure(
        str(figure.layout.title.text or ""),
        said + theme.said(len(chosen), len(colours), "trials"),
        height=460,
    )
    for place in range(_SHADES):
        mine = [trial for trial in chosen if shade[trial] == place]
        xs = [x for _ in mine for x in [*range(len(axes)), None]]
        ys = [y for trial in mine for y in [*map(float, heights[:, trial]), None]]
        drawn.add_scatter(
            x=xs,
            y=ys,
            mode="lines",
            line={"color": scale[place], "width": 1},
            opacity=0.7,
            hoverinfo="skip",
            showlegend=False,
            meta={"shade": place / (_SHADES - 1)},
        )
    for place, (axis, (low, high)) in enumerate(zip(axes, spans, strict=True)):
        drawn.add_vline(x=place, line={"color": theme.GREY, "width": 1})
        for at, text in _ticks(axis, low, high):
            drawn.add_annotation(
                x=place, y=at, text=text, showarrow=False, xanchor="right", font={"size": 11}
            )
    drawn.update_xaxes(
        tickvals=list(range(len(axes))), ticktext=names, side="top", showgrid=False, zeroline=False
    )
    drawn.update_xaxes(range=[-0.4, len(axes) - 0.9])
    return drawn.update_yaxes(visible=False)


def _span(axis: Any, values: Any) -> tuple[float, float]:
    low, high = axis.range or (float(values.min()), float(values.max()))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _ticks(axis: Any, low: float, high: float) -> list[tuple[float, str]]:
    if axis.tickvals is not None:
        pairs = zip(axis.tickvals, axis.ticktext, strict=True)
        return [((at - low) / (high - low), str(text)) for at, text in pairs]
    digits = max(0, 2 - math.floor(math.log10(high - low)))
    return [(part / 4, f"{low + (high - low) * part / 4:.{min(digits, 6)}f}") for part in range(5)]
