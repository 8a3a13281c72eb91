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
"""The plots of hpo-view, so that an error can name the package to install."""


class UnknownPlot(UnknownPlugin, AttributeError):
    """No installed plugin provides a plot with this name."""


class Plots:
    """The plots of one study: ``study.plot.NAME(…)`` returns a figure.

    Plots are found by entry points. The module of a plot is imported when it is drawn.

    Args:
        study: The study.
    """

    def __init__(self, study: StudyView) -> None:
        self._study = study

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the plot with a name: a function with the arguments of the plugin that returns a
        figure.

        Raises:
            UnknownPlot: If no installed plugin provides it. This is also an `AttributeError`.
            DuplicatePlugin: If two plugins provide it.
            BrokenPlugin: If it cannot be imported or is not a function.
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
        """Return the name of the study and the names of the plots."""
        return f"<plots of the study {self._study.name!r}: {listed(dir(self))}>"


def _package(name: str) -> str:
    """Return the package that provides a plot, as far as known."""
    if name in VIEW:
        return "hpo-view"
    return f"a package that provides it (an entry point of the group {GROUP}, docs/plugins.md)"
