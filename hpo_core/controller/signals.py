"""Handle Ctrl-C, SIGTERM and a closed terminal while a study runs. The first signal requests the
study to stop; the second forces it. While the strategy is being built, the first signal aborts
that.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hpo_core.controller.controller import HyperParameterOptimizer

_NAMES = {
    signal.SIGINT: "interrupted by Ctrl-C",
    signal.SIGTERM: "ended by SIGTERM",
    signal.SIGHUP: "its terminal was closed",
}


class Interruption:
    """The signals received.

    Attributes:
        count: Number of signals.
        last: The last one, or None.
    """

    def __init__(self) -> None:
        self.count = 0
        self.last: signal.Signals | None = None


@contextmanager
def interruptible(optimizer: HyperParameterOptimizer) -> Iterator[Interruption]:
    """A context manager in which signals stop a study in an orderly way.

    Signals that are already ignored, as with ``nohup``, remain ignored. Outside of the main thread
    this does nothing, since only the main thread receives signals.
    """
    interruption = Interruption()

    def handle(number: int, frame: FrameType | None) -> None:
        interruption.count += 1
        interruption.last = signal.Signals(number)
        optimizer.request_stop(_NAMES[interruption.last], at_once=interruption.count > 1)
        if interruption.count > 2 or optimizer.is_building:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    heeded = [number for number in _NAMES if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in heeded}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
