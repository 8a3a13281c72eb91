"""A real Dask scheduler and workers on this machine, held by a process of their own.

The process that runs tests stays free of Dask, as controllers are. ``python dask_cluster.py PORT``
starts a scheduler, prints its address, and obeys lines on its standard input: ``add`` with the
arguments of a worker as JSON, ``kill NAME`` and ``close NAME`` for a worker, ``crash`` for the
scheduler; it answers each with a line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Any

import psutil

WAITS = 120
"""Seconds in which a worker that was started should have joined."""


class DaskCluster:
    """A scheduler, to which workers are added. A context manager.

    Args:
        port: The port of the scheduler; 0 for any free one.

    Attributes:
        address: The address of the scheduler.
    """

    def __init__(self, port: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.address = self._answer()

    def add(self, name: str, threads: int, resources: str = "", **environment: str) -> None:
        """Add a worker, and wait until it has joined."""
        told = {"name": name, "threads": threads, "resources": resources, "variables": environment}
        self._do(f"add {json.dumps(told)}")

    def kill(self, name: str) -> None:
        """Kill a worker with its nanny."""
        self._do(f"kill {name}")

    def close(self, name: str) -> None:
        """Terminate a worker, as a cluster that takes a machine back does."""
        self._do(f"close {name}")

    def crash(self) -> None:
        """Kill the scheduler."""
        self._do("crash")

    def __enter__(self) -> DaskCluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def _do(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        assert self._answer() == "done"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            if line.startswith("cluster: "):
                return line.removeprefix("cluster: ").strip()
        raise AssertionError("the Dask cluster has ended")


class Holder:
    """Starts and ends the processes.

    Args:
        port: The port of the scheduler; 0 for any free one.
        folder: A folder for the files of workers.
    """

    def __init__(self, port: int, folder: str) -> None:
        from distributed import Client

        file = os.path.join(folder, "scheduler.json")
        self._folder = folder
        self._scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", port, "--scheduler-file", file
        )
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._client = Client(scheduler_file=file, timeout=WAITS)
        self.address = self._client.scheduler.address

    def obey(self, line: str) -> None:
        """Carry out a line of standard input."""
        what, _, rest = line.strip().partition(" ")
        match what:
            case "add":
                told = json.loads(rest)
                self._workers[told["name"]] = self._add(**told)
                self._client.wait_for_workers(len(self._workers), timeout=WAITS)
            case "kill":
                end(self._workers.pop(rest), signal.SIGKILL)
            case "close":
                end(self._workers.pop(rest), signal.SIGTERM)
            case "crash":
                end(self._scheduler, signal.SIGKILL)

    def close(self) -> None:
        """Kill everything that is left."""
        for process in [*self._workers.values(), self._scheduler]:
            end(process, signal.SIGKILL)

    def _add(
        self, name: str, threads: int, resources: str, variables: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        more = ["--resources", resources] if resources else []
        return self._start(
            "worker", self.address, "--name", name, "--host", "127.0.0.1", "--nthreads", threads,
            "--memory-limit", 0, "--local-directory", self._folder, *more, **variables,
        )  # fmt: skip

    def _start(self, what: str, *arguments: Any, **variables: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", what, "--no-dashboard", *map(str, arguments)]
        return subprocess.Popen(
            command, stdout=subprocess.DEVNULL, env={**os.environ, **variables}, cwd=self._folder
        )


def end(process: subprocess.Popen[bytes], number: int) -> None:
    """End a process: by SIGKILL with its descendants, by SIGTERM as it likes; wait for that."""
    if process.poll() is None:
        own = psutil.Process(process.pid)
        doomed = [own, *own.children(recursive=True)] if number == signal.SIGKILL else [own]
        for each in doomed:
            each.send_signal(number)
        psutil.wait_procs(doomed[1:])
    process.wait()


def main(port: int) -> None:
    """Hold a cluster, and obey."""
    with tempfile.TemporaryDirectory() as folder:
        holder = Holder(port, folder)
        print(f"cluster: {holder.address}", flush=True)
        for line in sys.stdin:
            holder.obey(line)
            print("cluster: done", flush=True)
        holder.close()
    os._exit(0)  # its client would look for the scheduler


if __name__ == "__main__":
    main(int(sys.argv[1]))
