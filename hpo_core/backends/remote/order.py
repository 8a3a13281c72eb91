"""All that another process needs to run a job, as JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import msgspec

from hpo_core.backends.remote.endpoint import Endpoint
from hpo_core.contracts.backend import BackendContext, Work
from hpo_core.model.errors import BackendError
from hpo_core.model.function_reference import function_name, is_importable
from hpo_core.model.job import Job
from hpo_core.model.values import Configuration


class JobOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A job to be run by `hpo_core.plugin.run_order`, or by the command ``command``.

    Attributes:
        study: The study's name.
        study_uid: Its unique id, which its processes have in their environment.
        job: The job, as plain JSON.
        work: What it executes, as plain JSON.
        decides: Whether reports of a function wait for a decision.
        arguments: The controller's ``sys.argv``, for scripts that read it when they are loaded.
        path: The controller's ``sys.path``, for an agent that runs in the same environment.
        prefix: That environment.
        spool: The file for the job's records, in a folder that the controller can read; ``""`` if
            there is none.
        endpoint: How the controller is reached; None if that is in `endpoint_file`.
        endpoint_file: A file in a shared folder that says how the controller is reached.
        outlives: Whether the job goes on when its controller is gone for good.
        patience: Seconds in which a lost connection is expected to come back.
        worker: The number of the worker that runs it, from 0: ``{worker}`` and ``HPO_WORKER``.
    """

    study: str
    study_uid: str
    job: dict[str, Any]
    work: dict[str, Any]
    decides: bool
    arguments: list[str]
    path: list[str]
    prefix: str
    spool: str = ""
    endpoint: Endpoint | None = None
    endpoint_file: str = ""
    outlives: bool = False
    patience: float = 30.0
    worker: int = 0

    @property
    def job_id(self) -> str:
        """The job's id."""
        return str(self.job["id"])

    @property
    def text(self) -> str:
        """The order as one line of JSON."""
        return json.dumps(msgspec.to_builtins(self))

    def as_job(self) -> Job:
        """Return the job."""
        return msgspec.convert(self.job, Job, dec_hook=lambda _, values: Configuration(values))

    def as_work(self) -> Work:
        """Return what it executes."""
        command = self.work["command"]
        return Work(**{**self.work, "command": None if command is None else tuple(command)})


def order_of(text: str | bytes) -> JobOrder:
    """Return the order of a text.

    Raises:
        ValueError: If it is none.
    """
    return msgspec.convert(json.loads(text), JobOrder)


class OrderBook:
    """Makes the orders of a study's jobs.

    Args:
        context: The study.

    Raises:
        BackendError: If other processes cannot import the study's function.
    """

    def __init__(self, context: BackendContext) -> None:
        work = context.work
        function = work.function
        if work.command is None and function is None:
            if work.callable is None:
                raise BackendError("there is nothing to run; give the study a command or function")
            function = function_name(work.callable)
        if function is not None and not is_importable(function):
            raise BackendError(
                f"jobs on other machines cannot import {function}; define the function with def at "
                "the top level of a file"
            )
        self._context = context
        self._work = {
            "command": work.command,
            "function": function,
            "directory": os.path.abspath(work.directory),
            "environment": dict(work.environment),
            "metric": work.metric,
        }

    def order(self, job: Job, **about: Any) -> JobOrder:
        """Make the order of a job; `about` has the fields that are not of the study."""
        return JobOrder(
            study=self._context.study,
            study_uid=self._context.study_uid,
            job=msgspec.to_builtins(msgspec.structs.replace(job, handle=None), enc_hook=dict),
            work=self._work,
            decides=self._context.decides,
            arguments=sys.argv,
            path=[entry or os.getcwd() for entry in sys.path],
            prefix=sys.prefix,
            **about,
        )
