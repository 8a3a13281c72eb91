"""Plain text tables, and how values are shown in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hpo_core.engine.result import TrialResult
from hpo_core.model.constraint import Constraint
from hpo_core.model.text import printable
from hpo_core.model.values import Value, as_text


def lay_out(header: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> str:
    """Return a table as text.

    Args:
        header: The columns' names.
        rows: The cells.
        right: The names of the columns to align to the right, divided by spaces.
    """
    cells = [[printable(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    to_the_right = right.split()
    lines = []
    for row in cells:
        padded = [
            cell.rjust(width) if name in to_the_right else cell.ljust(width)
            for cell, width, name in zip(row, widths, header, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def number(value: float | None) -> str:
    """Return a metric's value in at most six digits."""
    return "-" if value is None else f"{value:.6g}"


def shown(configuration: Mapping[str, Value]) -> str:
    """Return a configuration in one line: ``lr=0.0123 model=tree``; floats to four digits."""
    return " ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={as_text(value)}"
        for name, value in configuration.items()
    )


def ranking(trials: Sequence[TrialResult], constraints: Sequence[Constraint] = ()) -> str:
    """Return the table of the best trials, with the metrics that are constrained."""
    metrics = list(trials[0].values) if trials else []
    bounded = [each.metric for each in constraints if each.metric not in metrics]
    return lay_out(
        ["rank", "trial", *metrics, *bounded, "name", "configuration"],
        [
            [
                str(rank),
                str(trial.trial_id),
                *(number(trial.values[metric]) for metric in metrics),
                *(number(trial.metrics.get(metric)) for metric in bounded),
                trial.name,
                shown(trial.configuration),
            ]
            for rank, trial in enumerate(trials, 1)
        ],
        right="rank trial",
    )
