"""Start the agent of an order as a child of this process, for engines that call functions."""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType

AGENT = "hpo_core.backends.remote.agent"
"""The module that a process runs to be an agent."""


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
