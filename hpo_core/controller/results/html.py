"""Results as HTML for notebooks: static tables without scripts, with every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from hpo_core.controller.results.trial_result import TrialResult
from hpo_core.model.text import cut, printable
from hpo_core.model.values import as_shown

_CELL = 100  # maximum width of a cell in characters


def text(words: str) -> str:
    """Return a text as HTML; control characters are shown as escapes."""
    return escape(printable(cut(words, _CELL)))


def block(title: str, *parts: str) -> str:
    """Return a block with a title in bold; the parts are HTML."""
    return f"<div><b>{text(title)}</b>{''.join(f'<div>{part}</div>' for part in parts)}</div>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts."""
    head = "".join(f"<th>{text(name)}</th>" for name in header)
    body = "".join(
        f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in cells)}</tr>" for cells in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def trials(found: Sequence[TrialResult]) -> str:
    """Return a table of trials: state, values, iteration and configuration."""
    metrics = list(dict.fromkeys(name for trial in found for name in trial.values))
    names = list(dict.fromkeys(name for trial in found for name in trial.configuration))
    rows = [
        [
            str(trial.trial_id),
            trial.state.value,
            *(_number(trial.values.get(name)) for name in metrics),
            "" if trial.iteration is None else str(trial.iteration),
            *(
                as_shown(trial.configuration[name]) if name in trial.configuration else ""
                for name in names
            ),
        ]
        for trial in found
    ]
    return table(["trial", "state", *metrics, "iteration", *names], rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
