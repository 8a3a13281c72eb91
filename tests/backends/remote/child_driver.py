"""A driver whose workers are its children, for tests of `DrivenPool`."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

import msgspec

from hpo_core.plugin import (
    DriverAnswer,
    DriverReady,
    DriverRequest,
    EndWorkers,
    FindWorkers,
    RunningWorker,
    StartWorkers,
    WorkerEnded,
    WorkersFound,
    run_driver,
)


class Settings(msgspec.Struct, frozen=True):
    """What the driver does.

    Attributes:
        lock: The file that it locks.
        fails: The text of an error that it raises at once.
        dies: Whether it ends itself when it is to start a worker.
    """

    lock: str
    fails: str = ""
    dies: bool = False


def drive(settings: Settings, say: Callable[[DriverAnswer], None]) -> None:
    if settings.fails:
        raise RuntimeError(settings.fails)
    running: dict[str, RunningWorker] = {}

    def wait(name: str) -> None:
        say(WorkerEnded(name, running[name].wait()))

    say(DriverReady(room=1 << 30, has="everything"))
    for line in sys.stdin.buffer:
        match msgspec.json.decode(line, type=DriverRequest):
            case StartWorkers(orders):
                if settings.dies:
                    print("the engine is out of order", file=sys.stderr, flush=True)
                    os._exit(1)
                for name, order in orders.items():
                    running[name] = RunningWorker(order)
                    threading.Thread(target=wait, args=(name,), daemon=True).start()
            case EndWorkers(names):
                for name in names:
                    running[name].end()
            case FindWorkers():
                say(WorkersFound([]))
    for each in running.values():
        each.end()
        each.wait()


if __name__ == "__main__":
    sys.exit(run_driver(Settings, drive, lock=lambda told: told.lock, reason_of=str))
