"""The metrics of a job, from the event files that it writes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress

from tensorboardX.proto.event_pb2 import Event

from hpo_core.plugin import JobOutput, ReadReport, nearest
from hpo_tensorboard.options import ReaderOptions
from hpo_tensorboard.records import records
from hpo_tensorboard.scalars import scalars

_MARK = "tfevents"
"""Part of the name of each event file."""

_ANY = "*"
"""The part of a path that stands for any one folder."""


class EventFilesReader:
    """Reads the scalars of a job.

    In a folder below the given one, the tag ``epoch_loss`` of the folder ``validation`` is
    ``validation/epoch_loss``. A part ``*`` of the given folder stands for any one folder. Scalars
    of the same step that follow each other in a file are one report. It is complete once it has all
    metrics of the study; scalars of the step that follow are left out. Without one of them it is
    complete when the next step begins.

    Files that are there when the job starts are those of an earlier job, unless they change: a
    writer that starts within the same second reuses the name. Their times are written down beside
    the job's log, for a controller that takes over the job.

    Args:
        output: The job's output.
        options: The options.
    """

    def __init__(self, output: JobOutput, options: ReaderOptions) -> None:
        self._option = options.directory
        parts = output.path(options.directory).rstrip(os.sep).split(os.sep)
        first = parts.index(_ANY) if _ANY in parts else len(parts)
        self._folder = os.sep.join(parts[:first]) or os.sep
        self._below = parts[first:]
        self._tags = {name: name for name in output.metrics} | options.metrics
        self._needed = frozenset(output.metrics)
        self._iteration = options.iteration
        self._memo = f"{output.job.log}.before"
        self._files: dict[str, _EventFile] = {}
        self._seen: set[str] = set()  # tags
        self._earlier = self._what_was_there()

    @property
    def watched(self) -> Sequence[str]:
        """The folder, those below it, and its event files."""
        folders = [folder for folder, _, _ in os.walk(self._folder)] or [self._folder]
        return [os.path.join(folder, _MARK) for folder in folders]

    def read(self) -> Sequence[ReadReport]:
        """Return the new reports."""
        reports = [
            report
            for path in self._event_files()
            if self._is_of_this_job(path)
            for report in self._file(path).read()
        ]
        return reports

    def finish(self) -> Sequence[ReadReport]:
        """Return the reports of last steps that lack a metric."""
        with suppress(FileNotFoundError):
            os.unlink(self._memo)
        return [report for file in self._files.values() for report in file.rest()]

    def missing(self) -> str:
        """Return which tags no event file has; ``""`` if all were found."""
        if not self._files:
            return f"no event file of TensorBoard was written below {self._folder}"
        absent = [self._tags[name] for name in sorted(self._needed)]
        found = sorted(self._seen)
        return "; ".join(
            f"no scalar below {self._folder} has the tag {tag!r}{self._remedy(tag, found)}"
            for tag in absent
            if tag not in self._seen
        )

    def _remedy(self, tag: str, found: list[str]) -> str:
        """Return what to do about a missing tag."""
        if within := [each for each in found if each.endswith(f"/{tag}")]:
            wanted = f"{self._option}{'/*' * (within[0].count('/') - tag.count('/'))}"
            return (
                f"; there is {within[0]!r}, so the script writes into its own folder: "
                f"directory = {json.dumps(wanted)} in the options of the reader fits any name of it"
            )
        return f"{nearest(tag, found)}; there are {', '.join(found) or 'none'}"

    def _event_files(self) -> list[str]:
        return sorted(
            os.path.join(folder, name)
            for folder, _, names in os.walk(self._folder)
            if self._is_within(folder)
            for name in names
            if _MARK in name
        )

    def _is_within(self, folder: str) -> bool:
        """Return whether a folder is the given one, or below it."""
        parts = self._parts(folder)
        return len(parts) >= len(self._below) and all(
            wanted in (_ANY, part) for wanted, part in zip(self._below, parts, strict=False)
        )

    def _parts(self, folder: str) -> list[str]:
        below = os.path.relpath(folder, self._folder)
        return [] if below == os.curdir else below.split(os.sep)

    def _file(self, path: str) -> _EventFile:
        if path not in self._files:
            below = self._parts(os.path.dirname(path))[len(self._below) :]
            prefix = "".join(f"{part}/" for part in below)
            self._files[path] = _EventFile(
                path, prefix, self._tags, self._needed, self._iteration, self._seen
            )
        return self._files[path]

    def _is_of_this_job(self, path: str) -> bool:
        return self._earlier.get(path) != os.stat(path).st_mtime_ns

    def _what_was_there(self) -> dict[str, int]:
        with suppress(FileNotFoundError), open(self._memo, encoding="utf-8") as file:
            before: dict[str, int] = json.load(file)
            return before
        found = {path: os.stat(path).st_mtime_ns for path in self._event_files()}
        os.makedirs(os.path.dirname(self._memo), exist_ok=True)
        with open(self._memo, "w", encoding="utf-8") as file:
            json.dump(found, file)
        return found


class _EventFile:
    """Reads one file as it grows.

    Args:
        path: The file.
        prefix: What precedes its tags.
        tags: The tag of each metric.
        needed: The metrics that complete a report.
        iteration: The tag of the iteration; None for the step.
        seen: Receives the tags.
    """

    def __init__(
        self,
        path: str,
        prefix: str,
        tags: dict[str, str],
        needed: frozenset[str],
        iteration: str | None,
        seen: set[str],
    ) -> None:
        self._path = path
        self._prefix = prefix
        self._names = {tag: name for name, tag in tags.items()}
        self._needed = needed
        self._iteration_tag = iteration
        self._seen = seen
        self._position = 0
        self._step: int | None = None
        self._metrics: dict[str, float] = {}
        self._is_complete = False
        self._iteration: int | None = None  # as the tag of the iteration says

    def read(self) -> Iterator[ReadReport]:
        """Yield the reports that are complete."""
        with open(self._path, "rb") as file:
            file.seek(self._position)
            buffer = file.read()
        start = self._position
        try:
            for data, end in records(buffer):
                event = Event.FromString(data)
                self._position = start + end
                for tag, value in scalars(event):
                    yield from self._scalar(self._prefix + tag, value, event.step)
        except ValueError as error:
            raise ValueError(f"the file {self._path} {error}") from error

    def rest(self) -> Iterator[ReadReport]:
        """Yield the report of the last step, if it lacks a metric."""
        if not self._is_complete and self._needed & self._metrics.keys():
            yield self._report()
        self._metrics = {}

    def _scalar(self, tag: str, value: float, step: int) -> Iterator[ReadReport]:
        self._seen.add(tag)
        if step != self._step:
            yield from self.rest()
            self._step, self._is_complete = step, False
        if tag == self._iteration_tag:
            if not (value.is_integer() and value >= 0):
                raise ValueError(
                    f"has {value:g} with the tag {tag!r} of the iteration, which must be an "
                    "integer, 0 or more"
                )
            self._iteration = int(value)
            return
        self._metrics[self._names.get(tag, tag)] = value
        if not self._is_complete and self._needed <= self._metrics.keys():
            self._is_complete = True
            yield self._report()

    def _report(self) -> ReadReport:
        iteration = self._step if self._iteration_tag is None else self._iteration
        return ReadReport(iteration, dict(self._metrics))
