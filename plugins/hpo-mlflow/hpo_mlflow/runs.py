"""The runs of a study and of its trials, found again by their tags when the study is resumed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from hpo_mlflow.names import LONGEST_PARAMETER, LONGEST_TAG, Names, cut

UID, TRIAL = "hpo.study_uid", "hpo.trial_id"
"""The tags by which runs are found."""

_QUIET = "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"
_AT_ONCE = 100  # parameters or tags of one request; metrics may be 1,000


class Found(NamedTuple):
    """A run of an earlier session.

    Attributes:
        run: Its id.
        parameters: Its parameters.
    """

    run: str
    parameters: Mapping[str, str]


class Runs:
    """Creates, finds and changes runs. Each method raises what `MlflowClient` raises.

    Args:
        tracking_uri: The server's address; None for MLflow's own default.
        experiment: The name of the experiment.
        uid: The uid of the study.
    """

    def __init__(self, tracking_uri: str | None, experiment: str, uid: str) -> None:
        self._client = MlflowClient(tracking_uri)
        self._name = Names()
        self._unsent: dict[str, list[Metric]] = {}  # of each run
        self._uid = uid
        self._experiment = self._experiment_id(experiment)

    def find(self, trial: int | None) -> Found | None:
        """Return a trial's run, or the study's; None if it has no run yet."""
        of = "hpo.kind" if trial is None else TRIAL
        value = "study" if trial is None else str(trial)
        found = self._client.search_runs(
            [self._experiment],
            filter_string=f"tags.`{UID}` = '{self._uid}' and tags.`{of}` = '{value}'",
            max_results=1,
        )
        return Found(found[0].info.run_id, found[0].data.params) if found else None

    def create(
        self, name: str, time: float, tags: Mapping[str, str], parent: str | None = None
    ) -> str:
        """Create a running run, nested in another one, and return its id.

        Args:
            name: Its name.
            time: When it started, in seconds since the epoch.
            tags: Its tags.
            parent: The run in which it is nested.
        """
        nested = {} if parent is None else {"mlflow.parentRunId": parent}
        tags = {UID: self._uid, "mlflow.source.name": "hpo-core", **nested, **tags}
        run = self._client.create_run(
            self._experiment,
            start_time=_milliseconds(time),
            tags={self._name(key): cut(value, LONGEST_TAG) for key, value in tags.items()},
            run_name=name,
        )
        run_id: str = run.info.run_id
        return run_id

    def parameters(self, run: str, values: Mapping[str, str]) -> None:
        """Log parameters, which never change."""
        found = [
            Param(self._name(key), cut(value, LONGEST_PARAMETER)) for key, value in values.items()
        ]
        for some in _batches(found):
            self._client.log_batch(run, params=some, synchronous=True)

    def metrics(self, run: str, values: Mapping[str, float], step: int, time: float) -> None:
        """Log metrics at a step, with the next call of `send`."""
        stamp = _milliseconds(time)
        self._unsent.setdefault(run, []).extend(
            Metric(self._name(key), value, stamp, step) for key, value in values.items()
        )

    def send(self, run: str, tags: Mapping[str, str] | None = None) -> None:
        """Send the metrics of a run, with tags."""
        found = [
            RunTag(self._name(key), cut(value, LONGEST_TAG)) for key, value in (tags or {}).items()
        ]
        for some in _batches(self._unsent.pop(run, [])):
            self._client.log_batch(run, metrics=some, tags=found[:_AT_ONCE], synchronous=True)
            found = found[_AT_ONCE:]
        for some in _batches(found):
            self._client.log_batch(run, tags=some, synchronous=True)

    def send_all(self) -> None:
        """Send the metrics of all runs. What cannot be sent is not kept."""
        unsent = list(self._unsent)
        try:
            for run in unsent:
                self.send(run)
        finally:
            self._unsent.clear()

    def run_again(self, run: str) -> None:
        """Mark a run as running."""
        self._client.update_run(run, status="RUNNING")

    def end(self, run: str, status: str, time: float) -> None:
        """Mark a run as ended, or as scheduled to go on later."""
        with _printing_nothing():
            self._client.set_terminated(run, status, _milliseconds(time))

    def artifact(self, run: str, file: str) -> None:
        """Add a file to a run."""
        self._client.log_artifact(run, file)

    def _experiment_id(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                created: str = self._client.create_experiment(name)
                return created
            except MlflowException:  # another study may have created it meanwhile
                if (found := self._client.get_experiment_by_name(name)) is None:
                    raise
        experiment: str = found.experiment_id
        return experiment


def _milliseconds(time: float) -> int:
    return int(time * 1000)


def _batches(found: Sequence[Any]) -> Iterator[list[Any]]:
    rest = iter(found)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


@contextmanager
def _printing_nothing() -> Iterator[None]:
    """Keep MLflow from printing a run's address on standard output, which is the command's."""
    before = os.environ.get(_QUIET)
    os.environ[_QUIET] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_QUIET]
        else:
            os.environ[_QUIET] = before
