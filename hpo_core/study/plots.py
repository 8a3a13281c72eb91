"""Plots of a study, which plugins provide by the entry-point group ``hpo_core.plots``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hpo_core import entries
from hpo_core.model.errors import BrokenPlugin, UnknownPlugin, listed, nearest

if TYPE_CHECKING:
    from hpo_core.study.view import StudyView

GROUP = "hpo_core.plots"

VIEW = (
    "budget", "contour", "edf", "failures", "hypervolume_history", "intermediate_values",
    "optimization_history", "parallel_coordinate", "param_importances", "pareto_front", "rank",
    "rungs", "slice", "timeline",
)  # fmt: skip
"""The plots that hpo-view provides: what to install is named where it is missing."""


class UnknownPlot(UnknownPlugin, AttributeError):
    """No installed plugin provides a plot of that name."""


class Plots:
    """The plots of one study: ``study.plot.NAME(…)`` returns a figure.

    The names are those of entry points; a plot's module is imported when it is drawn.

    Args:
        study: The study.
    """

    def __init__(self, study: StudyView) -> None:
        self._study = study

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the plot of a name; it takes what the plugin says, and returns its figure.

        Raises:
            UnknownPlot: If no installed plugin provides it; with what to do. It is an
                `AttributeError` as well.
            DuplicatePlugin: If two of them do.
            BrokenPlugin: If it can't be imported, or is no function.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        installed = entries.installed(GROUP)
        if name not in installed:
            raise UnknownPlot(
                f"no plot {name!r} is installed{nearest(name, installed)}; installed plots: "
                f"{listed(list(installed))}; pip install {_package(name)}"
            )
        function = entries.load("plot", installed[name])
        if not callable(function):
            entry = installed[name][0]
            raise BrokenPlugin(f"the plot {entry} is broken: {entry.target} is {function!r}")
        return functools.partial(function, self._study)

    def __dir__(self) -> list[str]:
        return list(entries.installed(GROUP))

    def __repr__(self) -> str:
        """Return whose plots they are, and which there are."""
        return f"<plots of the study {self._study.name!r}: {listed(dir(self))}>"


def _package(name: str) -> str:
    """Return the package that provides a plot, as far as known."""
    if name in VIEW:
        return "hpo-view"
    return f"a package that provides it (an entry point of the group {GROUP}, docs/plugins.md)"
