"""Start the agent of an order as a child of this process, for engines that call functions."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType

AGENT = "hpo_core.backends.remote.agent"
"""The module that a process runs to be an agent."""

WORKER = "hpo_core.backends.remote.worker"
"""The module that a process runs to be a worker."""


def agent_command(order_file: str, python: str | None = None) -> list[str]:
    """Return the command that runs the order in a file, on any machine that can read it.

    Args:
        order_file: The file; ``-`` for standard input.
        python: The interpreter on that machine. None for the path of this one.
    """
    return [python or sys.executable, "-m", AGENT, order_file]


class RunningOrder:
    """An agent that is a child of this process, and ends with it. A context manager.

    Args:
        text: The order, `JobOrder.text`.
        directory: The agent's working directory.

    Attributes:
        process: The agent. When it has ended, no process of the job is left.
    """

    def __init__(self, text: str, directory: str | None = None) -> None:
        self.process = subprocess.Popen(
            agent_command("-"), stdin=subprocess.PIPE, text=True, cwd=directory
        )
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{text}\n")
            self.process.stdin.flush()
        except OSError:  # it has ended already, which its exit status says
            pass

    def wait(self) -> int:
        """Wait until the job has ended, and return the exit status of the agent.

        0 means that it has said how the job ended, and that the controller has that if it could be
        reached.
        """
        return self.process.wait()

    def end(self) -> None:
        """End the job immediately, unless it has ended; return at once."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()

    def __enter__(self) -> RunningOrder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
        self.process.wait()


def run_order(text: str, directory: str | None = None) -> int:
    """Run an order in a child of this process, and wait for its end.

    If this process ends, or an exception is raised here, the job ends with it.

    Args:
        text: The order, `JobOrder.text`.
        directory: The agent's working directory; that of this process if None.

    Returns:
        The exit status of the agent: 0 if it has said how the job ended.
    """
    with RunningOrder(text, directory) as running:
        return running.wait()


class RunningWorker:
    """A worker that is a child of this process, and ends with it.

    Args:
        text: The order, `WorkerPool.worker_order`.
        directory: The working directory of its jobs, where that of the controller does not exist;
            else None.
        environment: Environment variables of its jobs, which take precedence over the study's: the
            devices that the engine has assigned.
    """

    def __init__(
        self,
        text: str,
        directory: str | None = None,
        environment: Mapping[str, str] = {},
    ) -> None:
        if directory is not None:
            text = moved(text, directory)
        if environment:
            text = with_variables(text, environment)
        name = json.loads(text)["name"]  # for those who look at the machine's processes
        self._process = subprocess.Popen(
            [sys.executable, "-m", WORKER, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=directory,
        )
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text.encode() + b"\n")
            self._process.stdin.flush()
        except OSError:  # it has ended already, which its exit status says
            pass

    def wait(self) -> str:
        """Wait until it has ended, and return why; ``""`` if that was to be."""
        assert self._process.stdout is not None
        status = self._process.wait()
        with self._process.stdout as out:
            os.set_blocking(out.fileno(), False)
            said = (out.read() or b"").decode(errors="replace").strip()
        self.end()
        return said if status == 0 else f"its agent ended with exit status {status}; see its log"

    def end(self) -> None:
        """Have it end its job and itself immediately; return at once."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # of an order that it has not read
                self._process.stdin.close()


def moved(text: str, directory: str) -> str:
    """Return the order of a worker whose jobs run in another folder, in another environment."""
    content = json.loads(text)
    order = content["order"]
    content["order"] = {
        **order,
        "work": {**order["work"], "directory": directory},
        "prefix": "",
    }
    return json.dumps(content)


def with_variables(text: str, environment: Mapping[str, str]) -> str:
    """Return the order of a worker whose jobs have further environment variables."""
    content = json.loads(text)
    work = content["order"]["work"]
    work["environment"] = {**work["environment"], **environment}
    return json.dumps(content)
