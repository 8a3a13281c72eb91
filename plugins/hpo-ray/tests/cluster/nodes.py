"""Real Ray nodes on this machine, held by a process of their own.

The process that runs tests stays free of Ray, as controllers are. ``python nodes.py PORT CPUS``
starts a head, prints its address, and obeys lines on its standard input: ``add CPUS``, and
``crash``, which kills all nodes; it answers each with a line.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Collection
from functools import partial
from types import TracebackType
from typing import Any

import psutil


class Nodes:
    """A cluster. A context manager.

    Args:
        cpus: Number of CPUs of the head.
        port: Its port; 0 for any free one.

    Attributes:
        address: The address of its head.
    """

    def __init__(self, cpus: int, port: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(port), str(cpus)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        )
        self.address = self._answer()

    def add(self, cpus: int) -> None:
        """Add a node."""
        self._do(f"add {cpus}")

    def crash(self) -> None:
        """Kill all nodes, the head with its tables too."""
        self._do("crash")

    def __enter__(self) -> Nodes:
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
            if line.startswith("nodes: "):
                return line.removeprefix("nodes: ").strip()
        raise AssertionError("the Ray cluster has ended")


def persist(start: Callable[[], Any]) -> Any:
    """Start a node; try again if a busy machine takes longer than the 30 s that Ray waits."""
    before = set(psutil.Process().children())
    for _ in range(4):
        try:
            return start()
        except Exception as error:  # noqa: BLE001  # Ray raises no other type
            print(error, file=sys.stderr)
            kill(set(psutil.Process().children()) - before)
    return start()


def kill(processes: Collection[psutil.Process]) -> None:
    """Kill processes with their descendants, and wait until they have ended."""
    doomed = [each for one in processes for each in (one, *one.children(recursive=True))]
    for process in doomed:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(doomed)


def main(port: int, cpus: int) -> None:
    """Start a head with four fake GPUs, and obey."""
    from ray.cluster_utils import Cluster

    head = {
        "num_cpus": cpus,
        "num_gpus": 4,
        "include_dashboard": False,
        **({"gcs_server_port": port} if port else {}),
    }
    cluster = persist(lambda: Cluster(initialize_head=True, head_node_args=head))
    print(f"nodes: {cluster.address}", flush=True)
    for line in sys.stdin:
        match line.split():
            case ["add", count]:
                persist(partial(cluster.add_node, num_cpus=int(count)))
            case ["crash"]:
                for node in cluster.list_all_nodes():
                    node.kill_all_processes(check_alive=False, allow_graceful=False)
        print("nodes: done", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
