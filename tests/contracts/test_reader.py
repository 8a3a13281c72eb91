"""The contract of `ReaderSpec`: a job's metrics are read from its files."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import hpo_core
from hpo_core import (
    Configuration,
    Constraint,
    Int,
    InvalidInput,
    JobInfo,
    Study,
    TrialState,
    registry,
)
from hpo_core.controller.clock import SystemClock
from hpo_core.controller.run.metrics_readers import ReadingBackend
from hpo_core.errors import PluginError
from hpo_core.plugin import Finished, Job, JobEvent, Outcome, ReadReport, Reported

Publish = Callable[[str, str], None]

LINES = """
    import json
    import os
    import msgspec
    from hpo_core.plugin import ReaderSpec, ReadReport, hookimpl

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        file: str = "metrics.jsonl"

    class Lines:
        def __init__(self, output, options):
            self._path = os.path.join(output.job.checkpoint_dir, options.file)
            self._position = 0
            with open(os.path.join(output.directory, "asked"), "a") as file:
                file.write(f"{output.job.id}: {' '.join(output.metrics)}; ")

        def read(self):
            if not os.path.exists(self._path):
                return []
            with open(self._path) as file:
                file.seek(self._position)
                whole, _, _ = file.read().rpartition("\\n")
            self._position += len(whole.encode()) + bool(whole)
            found = [json.loads(line) for line in whole.splitlines()]
            return [ReadReport(line.pop("iteration", None), line) for line in found]

    @hookimpl
    def hpo_readers():
        return [ReaderSpec(name="lines", summary="JSON lines", build=Lines, options=Options)]
"""

SCRIPT = """
import os, sys
with open(os.path.join(sys.argv[2], "metrics.jsonl"), "w") as file:
    for step in (1, 2, 3):
        file.write('{"iteration": %d, "loss": %d}\\n' % (step, int(sys.argv[1]) * 10 - step))
    file.write('{"iteration": 4, "lo')
"""


@pytest.fixture(autouse=True)
def lines(publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish("lines", LINES)
    monkeypatch.chdir(tmp_path)


def leaves_two_lines(configuration: Mapping[str, Any], job: JobInfo) -> None:
    with open(os.path.join(job.checkpoint_dir, "metrics.jsonl"), "w") as file:
        file.write('{"iteration": 1, "loss": 5}\n{"iteration": 2, "loss": 3}\n')


def study(function: Any = leaves_two_lines, **settings: Any) -> Study:
    given: dict[str, Any] = {
        "function": function,
        "parameters": [Int("x", 1, 9)],
        "objective": "loss",
        "direction": "minimize",
        "budget": {"jobs": 1},
        "seed": 7,
        "backend": "inline",
        "metrics_reader": "lines",
    }
    return Study(**{**given, **settings})


def test_a_functions_metrics_are_read_when_it_has_ended(tmp_path: Path) -> None:
    ran = study()
    ran.run(progress=False)
    said = [(point.iteration, point.metrics) for point in ran.curve(1)]
    assert said == [(1, {"loss": 5.0}), (2, {"loss": 3.0})]
    assert ran.best.values == {"loss": 3.0}


def test_a_commands_metrics_are_read_and_half_a_line_is_not(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    ran = study(
        None,
        command=[sys.executable, "train.py", "{x}", "{checkpoint_dir}"],
        backend="local",
        budget={"jobs": 2},
    )
    ran.run(progress=False)
    for trial in ran.trials:
        least = trial.configuration["x"] * 10 - 3
        assert (trial.iteration, trial.values) == (3, {"loss": least})


def test_a_reader_is_told_which_metrics_the_study_needs(tmp_path: Path) -> None:
    study(constraints=[Constraint("memory", 9.0)]).run(progress=False)
    assert (tmp_path / "asked").read_text() == "1.1: loss memory; "


def test_its_options_are_checked_and_stored() -> None:
    choice = {"name": "lines", "options": {"file": "other"}}
    stored = study(metrics_reader=choice).config.job.metrics_reader
    assert getattr(stored, "options", None) == {"file": "other"}
    with pytest.raises(InvalidInput, match=r"metrics_reader\.options\.flie: unknown key"):
        study(metrics_reader={"name": "lines", "options": {"flie": "other"}})


def test_what_cannot_be_read_fails_the_job_with_the_reason() -> None:
    def garbage(configuration: Mapping[str, Any], job: JobInfo) -> None:
        with open(os.path.join(job.checkpoint_dir, "metrics.jsonl"), "w") as file:
            file.write("not JSON\n")

    ran = study(garbage, max_failures_at_start=0)
    ran.run(progress=False)
    (trial,) = ran.trials
    assert trial.state is TrialState.FAILED
    assert "its metrics could not be read: JSONDecodeError" in trial.reason


def test_a_job_that_leaves_nothing_has_no_metrics() -> None:
    ran = study(lambda configuration: None, max_failures_at_start=0)
    ran.run(progress=False)
    assert ran.trials[0].state is TrialState.FAILED


def test_what_a_job_reports_itself_is_ignored_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def reports_too(configuration: Mapping[str, Any], job: JobInfo) -> None:
        hpo_core.report(9, loss=-100.0)
        leaves_two_lines(configuration, job)

    ran = study(reports_too)
    with caplog.at_level(logging.WARNING, "hpo_core"):
        ran.run(progress=False)
    assert ran.best.values == {"loss": 3.0}
    assert "job 1.1 reports by itself, which is ignored" in caplog.text


def test_other_ways_to_read_metrics_are_refused_beside_a_reader() -> None:
    with pytest.raises(InvalidInput, match=r"metrics_file: means nothing with a metrics_reader"):
        study(metrics_file="metrics.csv")


class Adopting:
    """A backend that has found a running job again, which then ends."""

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        self.said = [job.reports for job in jobs]
        return [job.id for job in jobs]

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        return [Reported("1.1", 5.0, 1, {"loss": 5.0}), Finished("1.1", 6.0, Outcome.COMPLETED)]


class Recorded:
    """A reader whose job has left three reports."""

    def read(self) -> Sequence[ReadReport]:
        return [ReadReport(iteration, {"loss": float(iteration)}) for iteration in (1, 2, 3)]


def test_of_a_job_that_is_taken_over_only_what_is_not_recorded_is_reported() -> None:
    reading = ReadingBackend(lambda job, is_adopted: Recorded(), deliver=print, clock=SystemClock())
    backend = reading.on(Adopting())  # type: ignore[arg-type]  # what is not called is left out
    job = Job(id="1.1", trial_id=1, name="", configuration=Configuration(x=1), reports=2)
    assert backend.adopt([job]) == ["1.1"]
    first, last = backend.events(None)
    assert first == Reported("1.1", 6.0, 3, {"loss": 3.0})
    assert isinstance(last, Finished)


class Ending(Adopting):
    """A backend whose job ends after a time."""

    def submit(self, job: Job) -> None:
        self.job = job

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        return [Finished("1.1", time.time() + 60, Outcome.COMPLETED)]


class Late(Recorded):
    """A reader that is asked when its job has ended."""

    calls = 0

    def read(self) -> Sequence[ReadReport]:
        self.calls += 1
        return super().read() if self.calls == 1 else []


@pytest.mark.parametrize("can_stop", [True, False])
def test_reports_that_come_only_at_the_end_of_a_long_job_are_warned_of_once(
    caplog: pytest.LogCaptureFixture, can_stop: bool
) -> None:
    reading = ReadingBackend(
        lambda job, is_adopted: Late(), deliver=print, clock=SystemClock(), can_stop=can_stop
    )
    backend = reading.on(Ending())  # type: ignore[arg-type]  # what is not called is left out
    with caplog.at_level(logging.WARNING, "hpo_core"):
        for _ in range(2):
            backend.submit(Job(id="1.1", trial_id=1, name="", configuration=Configuration(x=1)))
            *reports, _ = backend.events(None)
            assert len(reports) == 3
    assert caplog.text.count("were read only when it had ended") == can_stop


def test_a_reader_that_is_missing_is_refused() -> None:
    with pytest.raises(PluginError, match="no reader 'csv' is installed"):
        study(metrics_reader="csv").run(progress=False)


def test_hpo_plugins_lists_it() -> None:
    (found,) = [found for found in registry.describe() if found.plugin.name == "lines"]
    assert [spec.name for spec in found.readers] == ["lines"]


WATCHING = """
    import os
    from hpo_core.plugin import ReaderSpec, ReadReport, hookimpl

    class Sizes:
        def __init__(self, output, options):
            self._folder = os.path.join(output.job.checkpoint_dir, "runs")
            self.watched = [os.path.join(self._folder, "file")]
            self._seen = 0

        def read(self):
            found = sorted(os.listdir(self._folder)) if os.path.isdir(self._folder) else []
            new, self._seen = found[self._seen:], len(found)
            return [ReadReport(int(name), {"loss": 1.0}) for name in new]

        def finish(self):
            return [ReadReport(9, {"loss": 0.0})]

        def missing(self):
            return "" if self._seen > 1 else "it has made only one file"

    @hookimpl
    def hpo_readers():
        return [ReaderSpec(name="sizes", summary="Files by number", build=Sizes)]
"""

FILES = """
import os, sys, threading
os.mkdir(sys.argv[2] + "/runs")
for name in sys.argv[3:]:
    open(f"{sys.argv[2]}/runs/{name}", "w").close()
    if name == "2":
        threading.Event().wait()
"""


def test_a_reader_that_names_its_files_is_asked_while_the_job_runs(
    publish: Publish, tmp_path: Path
) -> None:
    """The job waits for ever after its second file: it is ended as it has met its target."""
    publish("sizes", WATCHING)
    (tmp_path / "train.py").write_text(FILES)
    command = [sys.executable, "train.py", "{x}", "{checkpoint_dir}", "1", "2"]
    settings = {"command": command, "metrics_reader": "sizes", "backend": "local", "grace": 0}
    ran = study(None, max_iterations=2, **settings)
    ran.run(progress=False)
    (trial,) = ran.trials
    assert (trial.state, trial.iteration) == (TrialState.COMPLETED, 2)


def test_a_reader_gives_the_last_reports_and_says_what_is_missing(
    publish: Publish, tmp_path: Path
) -> None:
    publish("sizes", WATCHING)
    (tmp_path / "train.py").write_text(FILES)
    for names, state in (("1 3", TrialState.COMPLETED), ("1", TrialState.FAILED)):
        ran = study(
            None,
            command=[sys.executable, "train.py", "{x}", "{checkpoint_dir}", *names.split()],
            metrics_reader="sizes",
            backend="local",
            max_failures_at_start=0,
        )
        ran.run(progress=False)
        (trial,) = ran.trials
        assert (trial.state, trial.iteration) == (state, 9)
    assert trial.reason == "it has made only one file; it printed nothing"
