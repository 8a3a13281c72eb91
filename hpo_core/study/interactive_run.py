"""One interactive run of a study, with signals and progress display."""

from __future__ import annotations

import sys
from collections.abc import Callable

from hpo_core.contracts.observer import FinishedJob, Observer
from hpo_core.controller.controller import HyperParameterOptimizer
from hpo_core.controller.signals import Interruption, interruptible

_ENDING = "stopping once the running jobs have ended; press Ctrl-C again to kill them"


class StudyInterrupted(KeyboardInterrupt):
    """A signal ended a run in an orderly way: its jobs have ended, and the study can be resumed."""


class InteractiveRun:
    """The interactive parts of a run: signals and progress display.

    Args:
        progress: Whether to show progress; None to show it in terminals and notebooks.
    """

    def __init__(self, progress: bool | None) -> None:
        self._interruption: Interruption | None = None
        self.observers = self._display(progress)

    def run(
        self,
        controller: HyperParameterOptimizer,
        on_job_finished: Callable[[FinishedJob], object] | None,
    ) -> None:
        """Run a study to its end, or until a signal.

        Raises:
            StudyFailed: If the study fails.
            StudyInterrupted: If a signal has ended it.
        """
        with interruptible(controller) as self._interruption:
            try:
                controller.run_through(on_job_finished)
            finally:
                for display in self.observers:
                    getattr(display, "close", lambda: None)()
        if self._interruption.count:
            raise StudyInterrupted

    def _display(self, progress: bool | None) -> list[Observer]:
        if progress is False:
            return []
        if in_notebook():
            from hpo_core.observers.notebook import notebook_progress

            return [notebook_progress()]
        if progress is None and not sys.stderr.isatty():
            return []
        from hpo_core.observers.progress import progress_observer

        return [progress_observer(sys.stderr, self._note)]

    def _note(self) -> str:
        """Return the last line of the display."""
        is_ending = self._interruption is not None and self._interruption.count == 1
        return _ENDING if is_ending else ""


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")
