"""The contract of a metrics reader, which reads metrics from the output or files of a job."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from hpo_core.contracts.strategy import NoOptions
from hpo_core.model.job import Job
from hpo_core.model.placeholders import placeholder_values
from hpo_core.model.templates import template
from hpo_core.model.text import some
from hpo_core.model.values import as_plain_text


class ReadReport(NamedTuple):
    """A report found by a reader.

    Attributes:
        iteration: The iteration, counted from the start of the trial; None if the job does not
            count.
        metrics: The metrics; values may be NaN or infinite.
    """

    iteration: int | None
    metrics: Mapping[str, float]


class JobOutput(msgspec.Struct, frozen=True, kw_only=True):
    """The places where a job writes its output.

    Attributes:
        job: The job: its configuration, its log (`Job.log`) and its trial's folder
            (`Job.checkpoint_dir`), which earlier jobs of the trial may have written to.
        directory: The working directory of the job.
        metrics: The metrics of the study's objectives and constraints.
    """

    job: Job
    directory: str
    metrics: tuple[str, ...]

    def path(self, text: str) -> str:
        """Return an absolute path for an option of a reader.

        Args:
            text: A path relative to the working directory of the job, which may contain the
                placeholders of ``job.metrics_file``, such as ``{checkpoint_dir}``.

        Raises:
            ValueError: If its braces are unbalanced, or it has an unknown name.
        """
        values, cut = placeholder_values(self.job), template(text)
        known = list(values)
        for name in cut.names(values):
            if name not in values:
                raise ValueError(
                    f"{text!r} has {{{name}}}, but this job has no {name!r}; it has {some(known)}"
                )
        return os.path.join(self.directory, cut.render(values, as_plain_text))


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
        """Return the reports since the last call, oldest first.

        Called while the job runs, and once more when it has ended. A missing file has no reports
        yet. An incomplete line is left for the next call. The first call of a new reader returns
        all reports since the start of the job: a controller that takes over a running job skips
        those that are recorded.

        Raises:
            Exception: If the output cannot be read. The job then fails, with the exception's text
                as the reason.
        """
        ...


class ReaderSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Describes a reader of a plugin. Creating the spec should import nothing heavy.

    Attributes:
        name: The config string: the plugin's entry-point name, optionally with a variant:
            ``"logs:csv"``.
        summary: One line for ``hpo plugins``.
        build: Builds the reader of a job before the job starts, and imports what it needs.
        options: A frozen `msgspec.Struct` with the options, their types and defaults.
    """

    name: str
    summary: str
    build: Callable[[JobOutput, Any], MetricsReader]
    options: type[msgspec.Struct] = NoOptions
