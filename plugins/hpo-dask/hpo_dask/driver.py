"""The process that is a Dask client: it connects to a cluster, or starts one.

A Dask client has an event loop and threads, and so is no part of the controller's process. The
controller starts this one with ``python -m hpo_dask.driver``; see `hpo_core.plugin.DrivenPool`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import dask
import msgspec
from distributed import Client, LocalCluster

from hpo_core.plugin import (
    DriverAnswer,
    DriverRequest,
    EndWorkers,
    FindWorkers,
    StartWorkers,
    run_driver,
)
from hpo_dask.devices import VARIABLES
from hpo_dask.settings import OwnCluster, Settings
from hpo_dask.tasks import Tasks, reason_of

_ANSWERS_IN = 10.0
"""Seconds in which the scheduler of an existing cluster accepts a connection."""

_LONGEST = 1 << 30
"""Maximum length of a request in bytes."""


@contextlib.asynccontextmanager
async def cluster_of(own: OwnCluster) -> AsyncIterator[Any]:
    """Start a cluster in this process."""
    os.environ.update(dict.fromkeys(VARIABLES, ",".join(own.gpus)))
    async with LocalCluster(
        n_workers=1,
        threads_per_worker=own.threads,
        processes=False,
        asynchronous=True,
        dashboard_address=None,
        memory_limit=0,
        resources=own.resources,
    ) as cluster:
        yield cluster


def address_of(settings: Settings) -> str:
    """Return the address of an existing scheduler.

    Raises:
        ConnectionError: If what should have it does not.
    """
    if settings.address == "auto":
        told = dask.config.get("scheduler-address", None)
        if told is None:
            raise ConnectionError("no address is known; set DASK_SCHEDULER_ADDRESS")
        return str(told)
    if settings.address:
        return settings.address
    try:
        with open(settings.scheduler_file) as file:
            return str(json.load(file)["address"])
    except (OSError, ValueError, KeyError) as error:
        raise ConnectionError(f"the scheduler file cannot be read ({error})") from error


def check_reach(address: str) -> None:
    """Connect to a scheduler once: Dask itself tries for seconds where nothing listens.

    Raises:
        ConnectionError: If nothing answers there.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWERS_IN).close()
    except OSError as error:
        raise ConnectionError(f"nothing answers there ({error})") from error


@contextlib.asynccontextmanager
async def client_of(settings: Settings) -> AsyncIterator[Any]:
    """Connect to the cluster; start it if it is of the study."""
    async with contextlib.AsyncExitStack() as stack:
        where: Any
        if settings.own is None:
            where = address_of(settings)
            check_reach(where)
        else:
            where = await stack.enter_async_context(cluster_of(settings.own))
        yield await stack.enter_async_context(
            Client(where, asynchronous=True, timeout=_ANSWERS_IN, set_as_default=False)
        )


async def requests() -> AsyncIterator[DriverRequest]:
    """Yield requests until standard input is closed."""
    reader = asyncio.StreamReader(limit=_LONGEST)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield msgspec.json.decode(line, type=DriverRequest)


async def serve(tasks: Tasks) -> None:
    """Carry out requests until there are no more."""
    async for request in requests():
        match request:
            case StartWorkers(orders):
                tasks.start(orders)
            case EndWorkers(names):
                tasks.end(names)
            case FindWorkers(keep):
                await tasks.find(keep)


async def drive(settings: Settings, say: Callable[[DriverAnswer], None]) -> None:
    """Be a client until standard input is closed.

    Raises:
        Gone: If the scheduler is gone.
    """
    async with client_of(settings) as client:
        tasks = Tasks(settings, client, say)
        say(await tasks.prepare())
        serving, waiting = (
            asyncio.ensure_future(each) for each in (serve(tasks), tasks.until_gone())
        )
        await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            await tasks.close()
        serving.cancel()
        await waiting
        serving.result()


def drive_to_the_end(settings: Settings, say: Callable[[DriverAnswer], None]) -> None:
    """Run `drive` in an event loop."""
    asyncio.run(drive(settings, say))


def lock_of(settings: Settings) -> str:
    """Return the file that a cluster of this machine locks; ``""`` for an existing one."""
    return "" if settings.own is None else settings.own.lock


if __name__ == "__main__":
    sys.exit(run_driver(Settings, drive_to_the_end, lock=lock_of, reason_of=reason_of))
