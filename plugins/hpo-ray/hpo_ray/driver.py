"""The process that is a Ray driver: it starts and ends the actors of a study.

Ray ends a driver whose cluster is gone. So the controller is none; it starts this one with ``python
-m hpo_ray.driver``, and outlives it; see `hpo_core.plugin.DrivenPool`.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec

from hpo_core.plugin import (
    DriverAnswer,
    DriverReady,
    DriverRequest,
    EndWorkers,
    FindWorkers,
    StartWorkers,
    WorkerEnded,
    WorkersFound,
    run_driver,
)
from hpo_ray.settings import Settings

_STOPS_IN = 20.0
"""Maximum time in seconds for an actor to end its worker."""

_ANSWERS_IN = 10.0
"""Seconds in which the head of an existing cluster accepts a connection."""

_TRACE = "Traceback (most recent call last)"

_AT_ONCE = 32
"""Maximum number of actors that are being ended at once."""


class Driver:
    """Starts and ends actors.

    Args:
        settings: What it needs to know of the study.
        say: Sends an answer. It is called from several threads.
    """

    def __init__(self, settings: Settings, say: Callable[[DriverAnswer], None]) -> None:
        import ray

        from hpo_ray.actor import WorkerActor

        if settings.address is not None:
            check_reach(settings.address)
        self._ray = ray
        self._settings, self._say = settings, say
        self._actors: dict[str, Any] = {}
        self._up: set[str] = set()
        self._doomed: set[str] = set()
        self._threads = ThreadPoolExecutor(_AT_ONCE)
        self._is_own = settings.address is None
        ray.init(
            address="local" if settings.address is None else settings.address,
            namespace=settings.namespace,
            runtime_env=settings.runtime_env or None,
            log_to_driver=False,
            logging_level="ERROR",
            **settings.cluster,
        )
        self._class = ray.remote(WorkerActor)
        self._options = {
            "num_cpus": settings.num_cpus,
            "num_gpus": settings.num_gpus,
            "memory": settings.memory,
            "resources": settings.resources or None,
            "lifetime": None if self._is_own else "detached",
            "max_concurrency": 4,
            "max_restarts": 0,
        }

    def ready(self) -> DriverReady:
        """Return what the cluster has."""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        needs = self._settings.needs
        room = 0.0
        for has in nodes:
            fit = [has.get(name, 0.0) / need + 1e-9 for name, need in needs.items()]
            room += math.floor(min(fit, default=math.inf)) if fit else 1 << 30
        names = sorted({"CPU", "GPU", "memory", *self._settings.resources})
        has = "; ".join(
            ", ".join(f"{name} {node.get(name, 0):g}" for name in names) for node in nodes
        )
        return DriverReady(int(room), has)

    def start(self, orders: dict[str, str]) -> None:
        """Start workers; those without resources wait in Ray's queue."""
        is_moved = "working_dir" in self._settings.runtime_env
        for name, order in orders.items():
            try:
                actor = self._class.options(name=name, **self._options).remote()
            except Exception as error:  # noqa: BLE001  # whatever Ray raises
                self._say(WorkerEnded(name, _reason(error)))
                continue
            self._actors[name] = actor
            self._when(actor.__ray_ready__.remote(), self._came_up, name)
            self._when(actor.serve.remote(order, is_moved), self._ended, name)

    def end(self, names: Iterable[str]) -> list[Future[None]]:
        """End workers; return what says that they have ended."""
        doomed = [name for name in names if name in self._actors and name not in self._doomed]
        self._doomed.update(doomed)
        return [self._threads.submit(self._end, name) for name in doomed]

    def find(self, keep: list[str]) -> WorkersFound:
        """Return the workers of an earlier controller that live and are to be kept; end all others.

        One that ends just now is among them, and its end is reported.
        """
        named = self._ray.util.list_named_actors(all_namespaces=True)
        names = [each["name"] for each in named if each["namespace"] == self._settings.namespace]
        found = []
        for name in names:
            try:
                actor = self._ray.get_actor(name)
            except ValueError:  # it has ended meanwhile
                continue
            self._actors[name] = actor
            self._up.add(name)
            if name in keep:
                found.append(name)
                self._when(actor.join.remote(), self._ended, name)
        for ended in self.end(set(names) - set(found)):
            ended.result()
        return WorkersFound(found)

    def close(self) -> None:
        """Leave the cluster; end the one that was started here, with all workers."""
        if self._is_own:
            for ended in self.end(list(self._actors)):
                ended.result()
        self._threads.shutdown()
        self._ray.shutdown()

    def _when(self, result: Any, call: Callable[[str, Future[Any]], None], name: str) -> None:
        def done(future: Future[Any]) -> None:
            with contextlib.suppress(RuntimeError):  # it is closed
                self._threads.submit(call, name, future)

        result.future().add_done_callback(done)

    def _came_up(self, name: str, future: Future[Any]) -> None:
        if future.exception() is None:
            self._up.add(name)

    def _ended(self, name: str, future: Future[Any]) -> None:
        error = future.exception()
        actor = self._actors.get(name)
        if actor is not None and isinstance(error, self._ray.exceptions.ActorUnavailableError):
            # Ray has no answer and does not know of its death: it may live. Ray waits a second for
            # news before it says so, again each time.
            self._when(actor.join.remote(), self._ended, name)
            return
        reason = str(future.result()) if error is None else _reason(error)
        self._actors.pop(name, None)
        if actor is not None and error is None:
            self._ray.kill(actor)
        was_to_end = name in self._doomed
        self._doomed.discard(name)
        self._up.discard(name)
        self._say(WorkerEnded(name, "" if was_to_end else reason))

    def _end(self, name: str) -> None:
        actor = self._actors.get(name)
        if actor is None:
            return
        if name in self._up:
            with contextlib.suppress(Exception):  # it is gone, or does not answer: it is killed
                self._ray.get(actor.stop.remote(), timeout=_STOPS_IN)
        self._ray.kill(actor)


def check_reach(address: str) -> None:
    """Connect to the head of a cluster once: Ray itself tries for minutes.

    Raises:
        ConnectionError: If nothing answers there.
    """
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS", "")
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return  # Ray looks for it on this machine
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWERS_IN).close()
    except OSError as error:
        raise ConnectionError(f"nothing answers at {address} ({error})") from error


def _reason(error: BaseException) -> str:
    """Return the lines of one of Ray's errors that say something, as one line."""
    lines = [line.strip() for line in str(error).splitlines()]
    if isinstance(error, RuntimeError) and _TRACE in str(error):  # Ray's last attempt to connect
        lines = lines[-1:]
    told = [line for line in lines if line and not line.startswith(("class_name:", "actor_id:"))]
    text = " ".join(dict.fromkeys(told)) or type(error).__name__
    return text if len(text) <= 2_000 else f"{text[:800]} … {text[-1_200:]}"


def drive(settings: Settings, say: Callable[[DriverAnswer], None]) -> None:
    """Carry out requests until there are no more."""
    driver = Driver(settings, say)
    try:
        say(driver.ready())
        for line in sys.stdin.buffer:
            match msgspec.json.decode(line, type=DriverRequest):
                case StartWorkers(orders):
                    driver.start(orders)
                case EndWorkers(names):
                    driver.end(names)
                case FindWorkers(keep):
                    say(driver.find(keep))
    finally:
        driver.close()


if __name__ == "__main__":
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_gcs_server_port_wait_time_s", "2")  # attempts of 40 s; else 20
    sys.exit(run_driver(Settings, drive, lock=lambda told: told.lock, reason_of=_reason))
