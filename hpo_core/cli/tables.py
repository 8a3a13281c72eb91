"""Plain text tables, and the format of their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hpo_core.controller.results.trial_result import TrialResult
from hpo_core.model.constraint import Constraint
from hpo_core.model.objective import Objective
from hpo_core.model.text import cut, printable, width
from hpo_core.model.values import Value, as_shown

VALUE = 60
"""Maximum width of a parameter's value in columns."""

CELL = 100
"""Maximum width of a cell, except the last one of its row."""

LAST_CELL = 400
"""Maximum width of the last cell of a row, which continues on the following lines."""


def lay_out(header: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> str:
    """Format a table. Cells that are too long are truncated and end with ``…``.

    Args:
        header: The columns' names.
        rows: The cells.
        right: The names of the columns to align to the right, separated by spaces.
    """
    most = [CELL] * (len(header) - 1) + [LAST_CELL]
    cells = [[cut(printable(cell), fit) for cell, fit in zip(row, most, strict=True)]
             for row in [header, *rows]]  # fmt: skip
    widths = [max(width(row[column]) for row in cells) for column in range(len(header))]
    to_the_right = right.split()
    lines = []
    for row in cells:
        padded = [
            _padded(cell, wide, to_the_right=name in to_the_right)
            for cell, wide, name in zip(row, widths, header, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def _padded(cell: str, wide: int, *, to_the_right: bool) -> str:
    space = " " * (wide - width(cell))
    return space + cell if to_the_right else cell + space


def number(value: float | None) -> str:
    """Format a metric's value with at most six digits."""
    return "-" if value is None else f"{value:.6g}"


def wishes(objectives: Sequence[Objective]) -> str:
    """Format the objectives in a line: ``minimize the last loss``."""
    return "; ".join(f"{each.direction} the {each.value} {each.metric}" for each in objectives)


def brief(value: Value) -> str:
    """Format a value, truncated if it is long."""
    return cut(as_shown(value), VALUE)


def shown(configuration: Mapping[str, Value]) -> str:
    """Format a configuration in one line: ``lr=0.0123 model=tree``; floats have four digits."""
    return " ".join(f"{name}={brief(value)}" for name, value in configuration.items())


def ranking(
    trials: Sequence[TrialResult],
    constraints: Sequence[Constraint] = (),
    unfinished: Sequence[TrialResult] = (),
) -> str:
    """Return the table of the best trials, with the constrained metrics.

    Args:
        trials: The completed trials, best first.
        constraints: The study's constraints.
        unfinished: Running and paused trials, listed below without a rank. If given, the state,
            iteration and time of each trial are shown.
    """
    metrics = list(dict.fromkeys(name for trial in [*trials, *unfinished] for name in trial.values))
    bounded = [each.metric for each in constraints if each.metric not in metrics]
    stands = ["state", "iteration", "seconds"] if unfinished else []
    ranks = [*map(str, range(1, len(trials) + 1)), *("-" for _ in unfinished)]
    return lay_out(
        ["rank", "trial", *stands, *metrics, *bounded, "name", "configuration"],
        [
            [
                rank,
                str(trial.trial_id),
                *(_standing(trial) if unfinished else ()),
                *(number(trial.values.get(metric)) for metric in metrics),
                *(number(trial.metrics.get(metric)) for metric in bounded),
                trial.name,
                shown(trial.configuration),
            ]
            for rank, trial in zip(ranks, [*trials, *unfinished], strict=True)
        ],
        right="rank trial iteration seconds",
    )


def _standing(trial: TrialResult) -> tuple[str, str, str]:
    iteration = "-" if trial.iteration is None else str(trial.iteration)
    return trial.state.value, iteration, f"{trial.seconds:.1f}"


def stands(trial: TrialResult) -> str:
    """Format the state of a running or paused trial in a line."""
    return printable(f"trial {trial.trial_id}, {trial.state.value}{reached(trial)}")


def reached(trial: TrialResult) -> str:
    """Format the progress of a trial: `` at iteration 3: loss = 0.5``."""
    at = "" if trial.iteration is None else f" at iteration {trial.iteration}"
    values = ", ".join(f"{name} = {number(value)}" for name, value in trial.values.items())
    return f"{at}: {values}" if values else at
