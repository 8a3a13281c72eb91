"""Waits for events: data, an exit, a deadline, or a wake-up. It does not poll."""

from __future__ import annotations

import contextlib
import os
import selectors
import time
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeAlias, TypeVar

Callback: TypeAlias = Callable[[], object]
E = TypeVar("E")


class Watchable(Protocol):
    """Something with a file descriptor."""

    def fileno(self) -> int:
        """Return the descriptor."""
        ...


class _Watched:
    """The callbacks for a file descriptor."""

    __slots__ = ("events", "on_readable", "on_room", "paused", "source")

    def __init__(self, source: int | Watchable, on_readable: Callback) -> None:
        self.source = source
        self.on_readable = on_readable
        self.on_room: Callback | None = None
        self.paused = False
        self.events = 0  # what the selector waits for now

    def wanted(self) -> int:
        reads = 0 if self.paused else selectors.EVENT_READ
        return reads | (0 if self.on_room is None else selectors.EVENT_WRITE)


class Loop(Generic[E]):
    """An event loop that calls callbacks and collects the resulting events."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, _Watched] = {}
        self._timers: dict[Hashable, tuple[float, Callback]] = {}
        self._events: list[E] = []
        self._woken = False
        self._wake_pipe, self._wake_end = os.pipe()
        os.set_blocking(self._wake_pipe, False)
        os.set_blocking(self._wake_end, False)
        self.watch(self._wake_pipe, self._wake_up)

    def watch(self, source: int | Watchable, callback: Callback) -> None:
        """Call back whenever there is data to read."""
        watched = _Watched(source, callback)
        self._watched[_number(source)] = watched
        self._update(watched)

    def watch_room(self, source: int | Watchable, callback: Callback | None) -> None:
        """Call back whenever something can be written to what is watched; None for no more."""
        watched = self._watched[_number(source)]
        if watched.on_room != callback:
            watched.on_room = callback
            self._update(watched)

    def pause(self, source: int | Watchable, paused: bool) -> None:
        """Do not call back for what there is to read, until this is taken back."""
        watched = self._watched[_number(source)]
        if watched.paused != paused:
            watched.paused = paused
            self._update(watched)

    def unwatch(self, source: int | Watchable) -> None:
        """Remove a source. Must be called before the source is closed."""
        watched = self._watched.pop(_number(source))
        if watched.events:
            self._selector.unregister(watched.source)

    def later(self, name: Hashable, seconds: float, callback: Callback) -> None:
        """Call back once, after a number of seconds; a name has one pending call, the earliest."""
        when = time.monotonic() + seconds
        if name not in self._timers or when < self._timers[name][0]:
            self._timers[name] = (when, callback)

    def never(self, name: Hashable) -> None:
        """Cancel a call that `later` has scheduled."""
        self._timers.pop(name, None)

    def emit(self, event: E) -> None:
        """Add an event for `run` to return."""
        self._events.append(event)

    def wake(self) -> None:
        """Make `run` return; safe from any thread or signal handler."""
        with contextlib.suppress(BlockingIOError):  # it is full: that wakes as well
            os.write(self._wake_end, b"\0")

    def interrupt(self) -> None:
        """Make `run` return, from within a callback."""
        self._woken = True

    def run(self, timeout: float | None) -> list[E]:
        """Serve until there are events, the timeout has passed, or `wake` is called."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            for key, ready in self._selector.select(self._patience(until)):
                watched = self._watched.get(key.fd)  # an earlier callback may have unwatched it
                if watched is not None and ready & selectors.EVENT_READ and not watched.paused:
                    watched.on_readable()
                if watched is not None and ready & selectors.EVENT_WRITE and watched.on_room:
                    watched.on_room()
            now = time.monotonic()
            self._call_timers(now)
            if self._events or self._woken or (until is not None and now >= until):
                events, self._events = self._events, []
                self._woken = False
                return events

    def close(self) -> None:
        """Release all resources."""
        self._selector.close()
        os.close(self._wake_pipe)
        os.close(self._wake_end)

    def _update(self, watched: _Watched) -> None:
        """Have the selector wait for what is wanted."""
        events = watched.wanted()
        if events == watched.events:
            return
        if not watched.events:
            self._selector.register(watched.source, events)
        elif events:
            self._selector.modify(watched.source, events)
        else:
            self._selector.unregister(watched.source)
        watched.events = events

    def _patience(self, until: float | None) -> float | None:
        if self._events:
            return 0.0
        moments = [when for when, _ in self._timers.values()]
        if until is not None:
            moments.append(until)
        return max(min(moments) - time.monotonic(), 0.0) if moments else None

    def _call_timers(self, now: float) -> None:
        for name, (when, callback) in list(self._timers.items()):
            if when <= now:
                del self._timers[name]
                callback()

    def _wake_up(self) -> None:
        os.read(self._wake_pipe, 65536)
        self._woken = True


def _number(source: int | Watchable) -> int:
    return source if isinstance(source, int) else source.fileno()
