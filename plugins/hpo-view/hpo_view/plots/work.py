"""The work of the workers, and the used budget, over time."""

from __future__ import annotations

import datetime
import heapq
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hpo_core import JobState, Study
from hpo_view import theme
from hpo_view.data import DrawnJob, StudyData, read
from hpo_view.text import counted, label

TIMELINE, BUDGET = "Timeline", "Budget over time"
_MOST = 3000
"""Maximum number of jobs in a timeline; more would be narrower than a pixel."""

_SHADES = {
    JobState.COMPLETED: theme.BLUE,
    JobState.RUNNING: theme.SKY,
    JobState.STOPPED: theme.ORANGE,
    JobState.PAUSED: theme.PURPLE,
    JobState.FAILED: theme.VERMILLION,
    JobState.TIMED_OUT: "#8c3b00",
    JobState.LOST: theme.GREY,
}
_PATTERNS = {JobState.FAILED: "x", JobState.TIMED_OUT: "/", JobState.LOST: "."}


def timeline(study: Study | StudyData, *, most: int = _MOST) -> go.Figure:
    """Draw the run time of each job on a worker, and the number of busy workers.

    Jobs are placed on the first free worker; the actual worker is not stored.

    Args:
        study: The study.
        most: Maximum number of jobs to draw, evenly spread.
    """
    data = read(study)
    spans = _spans(data.ran)
    if not spans:
        return theme.empty(TIMELINE, "No job has run yet.")
    placed = _placed(spans)
    workers = max(data.config.workers, 1 + max(worker for _, _, _, worker in placed))
    ran = max(data.wall_time, _sessions(spans), 1e-9)
    share = _busy(spans) / (workers * ran)
    shown = theme.sampled(placed, most)
    said = (
        f"{counted(len(spans), 'job')} on {counted(workers, 'worker')}; utilisation "
        f"{share:.0%} of the time in which the study ran."
        + theme.said(len(shown), len(spans), "jobs")
    )
    drawn = theme.figure(TIMELINE, said, height=260 + 22 * min(workers, 30))
    drawn = make_subplots(
        rows=2, shared_xaxes=True, vertical_spacing=0.05, row_heights=[0.7, 0.3], figure=drawn
    )
    for state, colour in _SHADES.items():
        mine = [each for each in shown if each[0].state is state]
        if mine:
            drawn.add_bar(
                base=[moment(start) for _, start, _, _ in mine],
                x=[1000 * max(end - start, 0.001) for _, start, end, _ in mine],
                y=[worker + 1 for *_, worker in mine],
                customdata=[[label(job.id), label(job.name, 40), e - s] for job, s, e, _ in mine],
                orientation="h",
                name=state.value.replace("_", " "),
                marker={"color": colour, "pattern": {"shape": _PATTERNS.get(state, "")}},
                hovertemplate="job %{customdata[0]} (%{customdata[1]}): %{customdata[2]:.3g} s",
                row=1,
                col=1,
            )
    times, busy = _concurrency(spans)
    steps = theme.sampled(range(len(times)), theme.MANY)
    drawn.add_scatter(
        x=[moment(times[step]) for step in steps],
        y=[busy[step] for step in steps],
        mode="lines",
        line={"shape": "hv", "color": theme.GREEN, "width": 1},
        fill="tozeroy",
        name="busy workers",
        row=2,
        col=1,
    )
    drawn.update_yaxes(title="worker", dtick=max(1, workers // 10), row=1)
    drawn.update_yaxes(title="busy", rangemode="tozero", row=2)
    return drawn.update_layout(barmode="overlay", bargap=0.15).update_xaxes(type="date")


def budget(study: Study | StudyData) -> go.Figure:
    """Draw the share of each limit of the budget that was used, over time.

    Args:
        study: The study.
    """
    data = read(study)
    spans = _spans(data.ran)
    if not spans:
        return theme.empty(BUDGET, "No job has run yet.")
    lines = _usage(data, spans)
    limits = {name: getattr(data.config.budget, name) for name in lines}
    limited = {name: limit for name, limit in limits.items() if limit}
    said = "; ".join(
        f"{name.replace('_', ' ')}: {lines[name][-1][1]:,.6g} of {limit:,.6g}"
        for name, limit in limited.items()
    )
    drawn = theme.figure(BUDGET, f"{said}." if said else "The study has no budget: counts alone.")
    for place, name in enumerate(limited or lines):
        limit = limited.get(name, 1)
        steps = theme.sampled(lines[name], theme.MANY)
        drawn.add_scatter(
            x=[moment(time) for time, _ in steps],
            y=[used / limit for _, used in steps],
            mode="lines",
            name=name.replace("_", " "),
            line={
                "color": theme.COLOURS[place % len(theme.COLOURS)],
                "dash": ("solid", "dash", "dot", "dashdot", "longdash")[place % 5],
                "shape": "hv",
            },
            showlegend=True,
        )
    if limited:
        drawn.add_hline(y=1, line={"dash": "dot", "color": theme.GREY, "width": 1})
        return drawn.update_yaxes(title="share used", tickformat=".0%", rangemode="tozero")
    return drawn.update_yaxes(title="used (seconds, or a count)", type="log")


def moment(time: float) -> str:
    """Return a time in seconds since the epoch as plotly's local date."""
    return datetime.datetime.fromtimestamp(time).isoformat(sep=" ", timespec="milliseconds")


Span = tuple[DrawnJob, float, float]


def _spans(jobs: Sequence[DrawnJob]) -> list[Span]:
    """Return the start and end of each job, or the last time at which it is known to run."""
    found = []
    for job in jobs:
        until = job.ended if job.ended is not None else job.seen
        if job.started is not None and until is not None:
            found.append((job, job.started, max(until, job.started)))
    return found


def _placed(spans: Sequence[Span]) -> list[tuple[DrawnJob, float, float, int]]:
    """Assign each job the free worker with the lowest number."""
    placed = []
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    for job, start, end in spans:
        while busy and busy[0][0] <= start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        worker = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (end, worker))
        placed.append((job, start, end, worker))
    return placed


def _busy(spans: Sequence[Span]) -> float:
    return sum(end - start for _, start, end in spans)


def _sessions(spans: Sequence[Span]) -> float:
    """Return the seconds during which jobs ran, without the pauses between sessions."""
    total, until = 0.0, spans[0][1]
    for _, start, end in spans:
        total += max(end - max(start, until), 0.0)
        until = max(until, end)
    return total


def _concurrency(spans: Sequence[Span]) -> tuple[list[float], list[int]]:
    """Return the number of running jobs over time."""
    changes = sorted([(start, 1) for _, start, _ in spans] + [(end, -1) for *_, end in spans])
    times, busy, now = [], [], 0
    for time, change in changes:
        now += change
        times.append(time)
        busy.append(now)
    return times, busy


def _usage(data: StudyData, spans: Sequence[Span]) -> dict[str, list[tuple[float, float]]]:
    """Return the used amount of each limit over time, from the starts and ends of jobs."""
    launched = sorted(start for job, start, _ in spans if job.state is not JobState.LOST)
    ends = sorted((end, job, end - start) for job, start, end in spans)
    first: dict[int, float] = {}
    for job, start, _ in spans:
        first.setdefault(job.trial_id, start)
    iterations = compute = wall = 0.0
    trained, computed = [], []
    for end, job, seconds in ends:
        iterations += job.iterations
        compute += seconds
        trained.append((end, iterations))
        computed.append((end, compute))
    walls, until = [], spans[0][1]
    for _, start, end in spans:
        wall += max(end - max(start, until), 0.0)
        until = max(until, end)
        walls.append((until, wall))
    return {
        "trials": [(time, place) for place, time in enumerate(sorted(first.values()), 1)],
        "jobs": [(time, place) for place, time in enumerate(launched, 1)],
        "iterations": trained,
        "compute_time": computed,
        "wall_time": walls,
    }
