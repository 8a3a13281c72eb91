"""The work of a study's jobs, commands or function calls, as passed to a supervisor.

For each job it is told

    place                                 what it has for itself: worker (null for any), GPUs,
                                          share, CPUs
    log, checkpoints                      a file and a folder to make
    time_limit, silence_limit, grace      in seconds
    variables                             of a command, or of the worker of a function
    arguments, program                    of a command
    call                                  of a function: trial, configuration, iterations
    prefix                                of the command of a worker: sets its limit of memory
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any, Protocol

from hpo_core.backends.explain import cannot_start
from hpo_core.backends.local import devices
from hpo_core.backends.local.job_output import CommandOutput, FunctionOutput, OutputParser
from hpo_core.backends.local.live_function import send_to_memory
from hpo_core.backends.local.places import Place
from hpo_core.backends.supervisor.launcher import REPORT_FD
from hpo_core.contracts.backend import BackendContext, Work
from hpo_core.model.errors import BackendError
from hpo_core.model.function_reference import function_name, is_importable
from hpo_core.model.job import Job
from hpo_core.model.placeholders import placeholder_values
from hpo_core.model.templates import Command, Variables, template
from hpo_core.model.values import Value


class SupervisedWork(Protocol):
    """The work of a study's jobs, and how to run it.

    Attributes:
        variables: The environment variables that the study adds for all workers.
        function: The arguments of workers; None for commands.
        pickle: The descriptor of a function that workers cannot import; see `send_to_memory`.
    """

    variables: dict[str, str]
    function: dict[str, Any] | None
    pickle: int | None

    def told(self, job: Job, place: Place, prefix: Sequence[str]) -> dict[str, Any]:
        """Return the description of a job for the supervisor.

        Args:
            job: The job.
            place: What it has for itself.
            prefix: The beginning of its command, which sets its limit of memory.
        """
        ...

    def output(self, job: Job) -> OutputParser:
        """Return the parser for the output of a job."""
        ...

    def cannot_start(self, job: Job, place: Place, error: OSError | ValueError) -> str:
        """Return a human-readable reason why a job could not be started."""
        ...


class Commands:
    """Commands.

    Args:
        context: What is known of the study.
        arguments: The command, with placeholders.
    """

    def __init__(self, context: BackendContext, arguments: tuple[str, ...]) -> None:
        self.function: dict[str, Any] | None = None
        self.pickle: int | None = None
        self.variables: dict[str, str] = {}
        self._command = Command(arguments)
        self._environment = Variables(context.work.environment)
        self._directory = context.work.directory
        self._path = context.work.environment.get("PATH", os.environ.get("PATH", os.defpath))
        self._programs: dict[str, str] = {}

    def told(self, job: Job, place: Place, prefix: Sequence[str]) -> dict[str, Any]:
        values = _placeholders(job, place)
        arguments = self._command.render(values)
        program = self._find(arguments[0]) if arguments else ""
        if prefix:
            program, arguments = prefix[0], [*prefix, program, *arguments[1:]]
        variables = {**self._environment.render(values), **_variables(job), **variables_of(place)}
        return {
            **_about(job, place),
            "arguments": arguments,
            "program": program,
            "variables": variables,
        }

    def output(self, job: Job) -> OutputParser:
        return CommandOutput(job)

    def cannot_start(self, job: Job, place: Place, error: OSError | ValueError) -> str:
        arguments = self._command.render(_placeholders(job, place))
        return cannot_start(arguments, self._directory, error)

    def _find(self, program: str) -> str:
        """Return the file of a program, looked up on PATH once for all jobs."""
        if program not in self._programs:
            found = shutil.which(program, path=self._path) if os.sep not in program else None
            self._programs[program] = found if found and os.path.isabs(found) else program
        return self._programs[program]


class Functions:
    """Function calls, in worker processes that are reused.

    Args:
        context: What is known of the study.

    Raises:
        BackendError: If there is no function, or it can be neither imported by other processes nor
            sent to them.
    """

    def __init__(self, context: BackendContext) -> None:
        work = context.work
        reference = _reference(work)
        is_live = work.callable is not None and not is_importable(reference)
        self.pickle = send_to_memory(work.callable) if is_live and work.callable else None
        rendered = Variables(work.environment).render({})
        self.variables = {name: value for name, value in rendered.items() if value is not None}
        self.function: dict[str, Any] | None = {
            "function": reference,
            "is_sent": is_live,
            "directory": os.path.abspath(work.directory),
            "metric": work.metric,
            "decides": context.decides,
            "arguments": sys.argv,
        }

    def told(self, job: Job, place: Place, prefix: Sequence[str]) -> dict[str, Any]:
        return {
            **_about(job, place),
            "call": [job.trial_id, job.configuration, job.iterations],
            "variables": variables_of(place),
            "prefix": prefix,
        }

    def output(self, job: Job) -> OutputParser:
        return FunctionOutput(job)

    def cannot_start(self, job: Job, place: Place, error: OSError | ValueError) -> str:
        return f"cannot start a worker process: {error}"


def work_of(context: BackendContext) -> SupervisedWork:
    """Return the work of a study's jobs.

    Raises:
        BackendError: If there is nothing to run, or the function cannot reach other processes.
    """
    if context.work.command is not None:
        return Commands(context, context.work.command)
    return Functions(context)


def names_worker(work: Work) -> bool:
    """Return whether a command or its environment contains the number of its worker."""
    texts = [] if work.command is None else [*work.command, *work.environment.values()]
    return any("worker" in template(text).names() for text in texts)


def _reference(work: Work) -> str:
    if work.function is not None:
        return work.function
    if work.callable is None:
        raise BackendError("there is nothing to run; give the study a command or a function")
    return function_name(work.callable)


def variables_of(place: Place) -> dict[str, str]:
    """Return the environment variables that tell a job what it has for itself."""
    return dict(devices.variables(place.gpus)) if place.gpus else {}


def _placeholders(job: Job, place: Place) -> dict[str, Value]:
    """Return what placeholders stand for; a parameter may have the name of one of a machine."""
    gpus: dict[str, Value] = {"gpu": ",".join(place.gpus)} if place.gpus else {}
    worker: dict[str, Value] = {} if place.worker is None else {"worker": place.worker}
    return {**gpus, **worker, **placeholder_values(job)}


def _about(job: Job, place: Place) -> dict[str, Any]:
    return {
        "place": (place.worker, place.gpus, place.share, place.cpus),
        "log": job.log,
        "checkpoints": job.checkpoint_dir,
        "time_limit": job.time_limit,
        "silence_limit": job.silence_limit,
        "grace": job.grace,
    }


def _variables(job: Job) -> dict[str, str]:
    variables = {
        "HPO_JOB_ID": job.id,
        "HPO_TRIAL_ID": str(job.trial_id),
        "HPO_CONFIGURATION": json.dumps(job.configuration),
        "HPO_CHECKPOINT_DIR": job.checkpoint_dir,
        "HPO_REPORT_FD": str(REPORT_FD),
    }
    if job.iterations is not None:
        variables["HPO_ITERATIONS"] = str(job.iterations)
    return variables
