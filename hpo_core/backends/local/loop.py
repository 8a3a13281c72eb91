"""Waits for whatever comes first: data, an exit, a deadline, or being woken. Nothing polls."""

from __future__ import annotations

import contextlib
import os
import selectors
import time
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeAlias, TypeVar

Callback: TypeAlias = Callable[[], None]
E = TypeVar("E")


class Watchable(Protocol):
    """Something with a file descriptor."""

    def fileno(self) -> int:
        """Return the descriptor."""
        ...


class Loop(Generic[E]):
    """Calls back what is watched, and collects the events that come of it."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._callbacks: dict[int, Callback] = {}
        self._on_room: dict[int, Callback] = {}
        self._kinds = (
            (selectors.EVENT_READ, self._callbacks),
            (selectors.EVENT_WRITE, self._on_room),
        )
        self._timers: dict[Hashable, tuple[float, Callback]] = {}
        self._events: list[E] = []
        self._woken = False
        self._bell, self._button = os.pipe()
        os.set_blocking(self._bell, False)
        os.set_blocking(self._button, False)
        self.watch(self._bell, self._wake_up)

    def watch(self, source: int | Watchable, callback: Callback) -> None:
        """Call back whenever there is something to read."""
        key = self._selector.register(source, selectors.EVENT_READ)
        self._callbacks[key.fd] = callback

    def watch_room(self, source: int | Watchable, callback: Callback | None) -> None:
        """Call back whenever something can be written to what is watched; None for no more."""
        key = self._selector.get_key(source)
        room = 0 if callback is None else selectors.EVENT_WRITE
        if key.events != selectors.EVENT_READ | room:
            self._selector.modify(source, selectors.EVENT_READ | room)
        if callback is None:
            self._on_room.pop(key.fd, None)
        else:
            self._on_room[key.fd] = callback

    def unwatch(self, source: int | Watchable) -> None:
        """Call back no more; to be said before the source is closed."""
        number = self._selector.unregister(source).fd
        del self._callbacks[number]
        self._on_room.pop(number, None)

    def later(self, name: Hashable, seconds: float, callback: Callback) -> None:
        """Call back once, after so many seconds; a name has one call to come, the earliest."""
        when = time.monotonic() + seconds
        if name not in self._timers or when < self._timers[name][0]:
            self._timers[name] = (when, callback)

    def never(self, name: Hashable) -> None:
        """Take back what `later` was told."""
        self._timers.pop(name, None)

    def emit(self, event: E) -> None:
        """Have an event returned by `run`, at once if there is no other."""
        self._events.append(event)

    def wake(self) -> None:
        """Make `run` return; safe from any thread or signal handler."""
        with contextlib.suppress(BlockingIOError):  # full: it has been rung often enough
            os.write(self._button, b"\0")

    def run(self, timeout: float | None) -> list[E]:
        """Serve until there are events, the timeout has passed, or `wake` is called."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            for key, ready in self._selector.select(self._patience(until)):
                for kind, callbacks in self._kinds:
                    callback = callbacks.get(key.fd)  # an earlier one may have unwatched it
                    if ready & kind and callback is not None:
                        callback()
            now = time.monotonic()
            self._ring_timers(now)
            if self._events or self._woken or (until is not None and now >= until):
                events, self._events = self._events, []
                self._woken = False
                return events

    def close(self) -> None:
        """Free everything."""
        self._selector.close()
        os.close(self._bell)
        os.close(self._button)

    def _patience(self, until: float | None) -> float | None:
        if self._events:
            return 0.0
        moments = [when for when, _ in self._timers.values()]
        if until is not None:
            moments.append(until)
        return max(min(moments) - time.monotonic(), 0.0) if moments else None

    def _ring_timers(self, now: float) -> None:
        for name, (when, callback) in list(self._timers.items()):
            if when <= now:
                del self._timers[name]
                callback()

    def _wake_up(self) -> None:
        os.read(self._bell, 65536)
        self._woken = True
