"""Report the numbers among a framework's metrics."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from hpo_core import JobStopped, report


def should_stop(iteration: int, metrics: Mapping[str, Any]) -> bool:
    """Report metrics, and return whether the job should end.

    The callback then ends the training by the framework's own means, so that it saves and releases
    what it holds.

    Args:
        iteration: The iteration, counted from 1.
        metrics: Metrics by name; what is no number is left out.
    """
    numbers = {}
    for name, value in metrics.items():
        with contextlib.suppress(TypeError, ValueError, RuntimeError):
            numbers[name] = float(value)
    try:
        report(iteration=iteration, **numbers)
    except JobStopped:
        return True
    return False
