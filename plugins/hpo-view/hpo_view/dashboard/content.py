"""The content of pages, computed once for each version of the store and shared by all pages."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hpo_core import load_study, studies
from hpo_view import theme
from hpo_view.dashboard.changes import Changes
from hpo_view.dashboard.vector import vector
from hpo_view.data import DrawnReport, StudyData
from hpo_view.page.figures import FIGURES, draw, packed
from hpo_view.page.sections import head, moment, section, visible
from hpo_view.text import label

_LOG_PART = 65536
_METRICS = 12
"""Maximum number of metrics of a trial that are drawn."""


class Content:
    """Answers for pages as JSON.

    Args:
        store: The store's file.
        changes: The version of the store.
    """

    def __init__(self, store: str, changes: Changes) -> None:
        self._store = store
        self._changes = changes
        self._lock = Lock()  # two simultaneous requests share one computation
        self._made: dict[tuple[str, ...], tuple[int, bytes]] = {}
        self._data: dict[str, tuple[int, StudyData]] = {}

    def studies(self) -> bytes:
        """Return the list of studies."""
        return self._answer(("studies",), lambda: [head(each) for each in studies(self._store)])

    def study(self, name: str) -> bytes:
        """Return a study's page without its figures."""

        def make() -> Any:
            data = self._read(name)
            several = len(data.objectives) > 1
            fitting = [
                {"name": each, "title": each.replace("_", " ").capitalize(), "height": 420}
                for each in FIGURES
                if several or each not in ("pareto_front", "hypervolume_history")
            ]
            return {**section(data), "figures": fitting, "missing": []}

        return self._answer(("study", name), make)

    def figure(self, name: str, figure: str) -> bytes:
        """Return a figure of a study."""
        return self._answer(
            ("figure", name, figure), lambda: packed(figure, vector(draw(figure, self._read(name))))
        )

    def trial(self, name: str, trial_id: int) -> bytes:
        """Return a trial's page: its values, jobs and curves."""

        def make() -> Any:
            study = load_study(self._store, name)
            reports = study.curve(trial_id)
            trial = self._read(name).by_id[trial_id]
            jobs = [job for job in self._read(name).jobs if job.trial_id == trial_id]
            return {
                "trial": trial_id,
                "state": trial.state.value,
                "reason": visible(trial.reason),
                "configuration": [
                    [label(key), json.dumps(value, ensure_ascii=True).strip('"')]
                    for key, value in trial.configuration.items()
                ],
                "values": [[key, f"{value:.6g}"] for key, value in trial.values.items()],
                "jobs": [
                    [job.id, job.state.value, moment(job.started), moment(job.ended)]
                    for job in jobs
                ],
                "figure": packed("curves", _curves(reports)),
            }

        return self._answer(("trial", name, str(trial_id)), make)

    def log(self, name: str, job: str, begin: int) -> bytes:
        """Return a part of a job's log from a byte offset on, and the offset of the next part."""
        path = load_study(self._store, name).log(job)
        text, end = _part(path, begin)
        return _json({"text": visible(text), "next": end})

    def logs(self, name: str) -> Path:
        """Return the folder of a study's logs."""
        return load_study(self._store, name).folder / "logs"

    def _read(self, name: str) -> StudyData:
        version = self._changes.version
        found = self._data.get(name)
        if found is None or found[0] != version:
            found = self._data[name] = (version, StudyData(load_study(self._store, name)))
        return found[1]

    def _answer(self, key: tuple[str, ...], make: Callable[[], Any]) -> bytes:
        with self._lock:
            version = self._changes.version
            found = self._made.get(key)
            if found is None or found[0] != version:
                began = time.thread_time()
                found = version, _json(make())
                self._changes.spent += time.thread_time() - began
                self._made = {k: v for k, v in self._made.items() if v[0] == version}
                self._made[key] = found
            return found[1]


def _json(content: Any) -> bytes:
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def _part(path: Path, begin: int) -> tuple[str, int]:
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            start = size - _LOG_PART if size - begin > _LOG_PART else min(begin, size)
            file.seek(max(start, 0))
            found = file.read(_LOG_PART)
    except OSError:
        return "", 0
    return found.decode(errors="replace"), max(start, 0) + len(found)


def _curves(reports: list[Any]) -> go.Figure:
    """Return a line for each metric that a trial reported."""
    points: list[DrawnReport] = [each for each in reports if each.iteration is not None]
    names = sorted({name for point in points for name in point.metrics})[:_METRICS]
    if not names:
        return theme.empty("Curves", "The trial has reported nothing with an iteration.")
    said = f"What the trial reported: {', '.join(map(label, names))}."
    drawn = theme.figure("Curves", said, height=120 + 180 * len(names))
    drawn = make_subplots(rows=len(names), shared_xaxes=True, figure=drawn)
    for row, name in enumerate(names, start=1):
        mine = [point for point in points if name in point.metrics]
        drawn.add_scatter(
            x=[point.iteration for point in mine],
            y=[point.metrics[name] for point in mine],
            mode="lines+markers",
            name=label(name),
            line={"color": theme.COLOURS[(row - 1) % len(theme.COLOURS)]},
            showlegend=False,
            row=row,
            col=1,
        )
        drawn.update_yaxes(title=label(name, 24), row=row)
    return drawn.update_xaxes(title="iteration", row=len(names))
