"""The contract of a reader: it finds a job's metrics in what the job leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from hpo_core.contracts.strategy import NoOptions
from hpo_core.model.job import Job


class ReadReport(NamedTuple):
    """A report as a reader finds it.

    Attributes:
        iteration: How far the job was, counted from the trial's beginning; None if it counts none.
        metrics: What it measured; values may be NaN or infinite.
    """

    iteration: int | None
    metrics: Mapping[str, float]


class JobOutput(msgspec.Struct, frozen=True, kw_only=True):
    """Where a job leaves what is to be read.

    Attributes:
        job: The job: its configuration, its log (`Job.log`) and its trial's folder
            (`Job.checkpoint_dir`), which earlier jobs of the trial may have written to.
        directory: The folder in which it runs.
        metrics: The metrics that the study needs, of objectives and constraints.
    """

    job: Job
    directory: str
    metrics: tuple[str, ...]


class MetricsReader(Protocol):
    """Reads the reports of one job, in the controller's thread.

    A reader may have more, each of it optional:

    - ``watched``, the paths of the files that it reads: it is asked whenever one of them changes,
      and not only when some job has something to say. It may name other ones at each time; of a
      file or folder that is not there yet, the making is noticed.
    - ``finish()``: called once after the last `read` of a job that has ended, however it did, it
      returns the last reports, such as that of a line without an end.
    - ``missing()``: called for a job that has ended well, it returns what was not found although
      it was needed, as a sentence; the job has failed then. Without such, it returns ``""``.
    """

    def read(self) -> Sequence[ReadReport]:
        """Return the reports that have come since the last call, the oldest first.

        It is called while the job runs, and a last time when it has ended. A file that is not
        there yet has no reports, and a line that is half written is left for the next call. The
        first call of a new reader returns all reports from the job's beginning: a controller that
        takes over a running job skips those that are recorded.

        Raises:
            Exception: If what the job has left can't be read: the job is ended and has failed,
                with the exception's text as the reason.
        """
        ...


class ReaderSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Announces one reader of a plugin; making it imports nothing heavy.

    Attributes:
        name: The config string: the plugin's entry-point name, or with a variant, ``"logs:csv"``.
        summary: One line for ``hpo plugins``.
        build: Makes the reader of one job, before the job begins; imports what it needs.
        options: A frozen `msgspec.Struct` with the options, their types and defaults.
    """

    name: str
    summary: str
    build: Callable[[JobOutput, Any], MetricsReader]
    options: type[msgspec.Struct] = NoOptions
