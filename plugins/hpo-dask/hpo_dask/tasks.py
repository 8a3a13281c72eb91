"""The Dask tasks of a study, as the driver sees them: each runs a worker."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import distributed

from hpo_core.plugin import DriverAnswer, DriverReady, WorkerEnded, WorkersFound
from hpo_dask import code, host
from hpo_dask.settings import Settings

_STOPS_IN = 30.0
"""Maximum time in seconds for workers to end."""


class Gone(Exception):
    """The scheduler is gone."""


class _Task:
    """A Dask task that runs a worker.

    Attributes:
        future: Its future; None if an earlier controller has submitted it.
        address: The Dask worker that runs it; None if it has not begun.
        is_doomed: Whether it is to end.
        over: Set once it has ended.
    """

    def __init__(self, future: Any, address: str | None = None) -> None:
        self.future = future
        self.address = address
        self.is_doomed = False
        self.over = asyncio.Event()


class Tasks:
    """Starts and ends tasks.

    Args:
        settings: What it needs to know of the study.
        client: A client of the cluster.
        say: Sends an answer.
    """

    def __init__(
        self, settings: Settings, client: Any, say: Callable[[DriverAnswer], None]
    ) -> None:
        self._settings, self._client, self._say = settings, client, say
        self._tasks: dict[str, _Task] = {}
        self._over: set[str] = set()  # those that ended while they were looked for
        self._background: set[asyncio.Task[None]] = set()
        self._code: Any = None
        self._never = distributed.Event(f"hpo-{uuid.uuid4().hex}", client=client)
        client.subscribe_topic(host.topic(settings.study), self._on_event)
        client.subscribe_topic("all", self._on_cluster_event)

    async def prepare(self) -> DriverReady:
        """Send the folder of the jobs, and return what the cluster has."""
        upload = self._settings.upload
        if upload is not None:
            archive = await asyncio.to_thread(code.pack, upload.directory, upload.without)
            key = f"hpo-code-{self._settings.study}-{code.digest(archive)}"
            self._code = self._client.submit(
                host.keep, archive, key=key, workers=self._settings.restrict_to or None
            )
        return await self._ready()

    def start(self, orders: dict[str, str]) -> None:
        """Submit tasks; those without a thread and resources wait in Dask's queue."""
        settings = self._settings
        for name, order in orders.items():
            future = self._client.submit(
                host.serve,
                name,
                settings.study,
                order,
                settings.needs.get("GPU", 0.0),
                self._code,
                key=f"hpo-{name}",
                pure=False,
                resources=settings.needs or None,
                workers=settings.restrict_to or None,
            )
            self._tasks[name] = _Task(future)
            self._spawn(self._follow(name, future))

    def end(self, names: Iterable[str]) -> None:
        """End tasks: those that run immediately, those that do not by withdrawing them."""
        doomed = [name for name in names if name in self._tasks]
        for name in doomed:
            self._tasks[name].is_doomed = True
        self._spawn(self._end(doomed))

    async def find(self, keep: list[str]) -> None:
        """Say which workers of an earlier controller live and are to be kept; end all others.

        Raises:
            Gone: If the others do not end.
        """
        at = await self._client.run(host.running, self._settings.study, on_error="ignore")
        for address, names in at.items():
            self._tasks.update((name, _Task(None, address)) for name in names)
        for name in self._over.intersection(self._tasks):
            self._ended(name, "")
        await self._end_all(set(self._tasks).difference(keep))
        self._say(WorkersFound(sorted(self._tasks)))

    async def close(self) -> None:
        """Leave the cluster; end all tasks of one that ends with this process.

        `until_gone` returns then.
        """
        if self._settings.own is not None:
            await self._end_all(set(self._tasks))
        self._client.unsubscribe_topic("all")
        self._client.unsubscribe_topic(host.topic(self._settings.study))
        await self._never.set()
        await self._never.clear()  # so that the scheduler forgets it

    async def until_gone(self) -> None:
        """Wait until the scheduler is gone.

        Raises:
            Gone: Then.
        """
        try:
            await self._never.wait()  # fails when the connection does
        except OSError as error:
            raise Gone("its connection was closed") from error

    async def _ready(self) -> DriverReady:
        about = await self._client.scheduler.identity(n_workers=-1)
        only, needs = self._settings.restrict_to, self._settings.needs
        room, has = 0, []
        for address, worker in about["workers"].items():
            if only and not {address, str(worker["name"]), worker["host"]}.intersection(only):
                continue
            offers = worker["resources"]
            fit = [offers.get(name, 0.0) / need + 1e-9 for name, need in needs.items()]
            room += int(min([*fit, worker["nthreads"]]))
            names = sorted(set(needs) | set(offers))
            told = [f"{name} {offers.get(name, 0):g}" for name in names]
            has.append(", ".join([f"{worker['nthreads']} threads", *told]))
        if len(has) > 5:
            has[5:] = [f"and {len(has) - 5} more"]
        return DriverReady(room, "; ".join(has) or "no Dask workers")

    # -- tasks ------------------------------------------------------------------------------------

    async def _follow(self, name: str, future: Any) -> None:
        try:
            reason = await future
        except Exception as error:  # noqa: BLE001  # whatever the task raises
            if getattr(error, "reason", "") == "scheduler-connection-lost":
                return  # `until_gone` notices that
            reason = reason_of(error)
            if future.cancelled():  # by `_release`, or by another client of the cluster
                reason = "its Dask task was cancelled"
                task = self._tasks.get(name)
                if task is not None and task.address is not None:  # it runs on, and says its end
                    await self._run(host.end, [name], [task.address])
                    return
        self._ended(name, str(reason))

    def _on_event(self, event: tuple[float, Any]) -> None:
        match event[1]:
            case ["begun", str() as name, str() as address]:
                self._begun(name, address)
            case ["over", str() as name, str() as reason]:
                if name not in self._tasks:
                    self._over.add(name)
                self._ended(name, reason)

    def _on_cluster_event(self, event: tuple[float, Any]) -> None:
        match event[1]:
            case {"action": "remove-worker", "worker": address}:
                lost = [name for name, task in self._tasks.items() if task.address == address]
                for name in lost:
                    self._release(name)
                    self._ended(name, f"its Dask worker at {address} has ended or was lost")

    def _begun(self, name: str, address: str) -> None:
        task = self._tasks.get(name)
        if task is None or task.address is not None:
            # Dask runs it again elsewhere, since its Dask worker was lost.
            self._spawn(self._run(host.end, [name], [address]))
            return
        task.address = address
        if self._settings.own is None:  # so that it outlives this client
            distributed.fire_and_forget(task.future)

    def _ended(self, name: str, reason: str) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            task.over.set()
            self._say(WorkerEnded(name, "" if task.is_doomed else reason))

    def _release(self, name: str) -> None:
        """Have Dask forget a task, so that it is not run again."""
        future = self._tasks[name].future
        if future is None:
            future = distributed.Future(f"hpo-{name}", self._client)
        self._spawn(self._client.cancel([future], asynchronous=True, force=True))

    async def _end(self, names: list[str]) -> None:
        at: dict[str, list[str]] = {}
        waiting = []
        for name in names:
            address = self._tasks[name].address if name in self._tasks else None
            if address is not None:
                at.setdefault(address, []).append(name)
            elif name in self._tasks:
                waiting.append(name)
        for address, those in at.items():
            self._spawn(self._run(host.end, those, [address]))
        if not waiting:
            return
        running = await self._run(host.withdraw, waiting, None)
        for name in set(waiting).difference(*running.values()).intersection(self._tasks):
            self._release(name)
            self._ended(name, "")

    async def _end_all(self, names: set[str]) -> None:
        """End tasks, and wait until they have ended.

        Raises:
            Gone: If they do not.
        """
        waits = [self._tasks[name].over.wait() for name in names]
        self.end(names)
        try:
            await asyncio.wait_for(asyncio.gather(*waits), _STOPS_IN)
        except asyncio.TimeoutError:
            left = ", ".join(sorted(names.intersection(self._tasks)))
            raise Gone(f"{left} has not ended in {_STOPS_IN:g} s") from None

    async def _run(self, call: Any, names: list[str], at: list[str] | None) -> dict[str, Any]:
        with contextlib.suppress(OSError):  # the scheduler is gone
            found: dict[str, Any] = await self._client.run(
                call, names, workers=at, on_error="ignore"
            )
            return found
        return {}

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def reason_of(error: BaseException) -> str:
    """Return an error as one line, with the remedy if there is one."""
    text = " ".join(str(error).split())
    if not text or not isinstance(error, (Gone, OSError)):
        text = f"{type(error).__name__}: {text}"
    if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("hpo_"):
        text = f"a Dask worker has no {error.name}; install hpo-dask where the Dask workers run"
    return text if len(text) <= 2_000 else f"{text[:800]} … {text[-1_200:]}"
