"""Shift the clock of this process, for modules that are imported later.

Used in the process that runs a strategy again: a study must not depend on the time of its run.
"""

from __future__ import annotations

import datetime
import importlib.machinery
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

NS = 10**9


def shift(seconds: int) -> None:
    """Shift the clock of this process by a number of seconds.

    Replaces the functions of `time` and the classes of `datetime`. Code that imported them before
    keeps the originals.
    """
    true_time = time.time
    for name in ("time", "monotonic", "perf_counter"):
        setattr(time, name, _later(getattr(time, name), seconds))
        setattr(time, f"{name}_ns", _later(getattr(time, f"{name}_ns"), seconds * NS))
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, _of(getattr(time, name), lambda: true_time() + seconds))
    true_strftime, true_asctime = time.strftime, time.asctime
    time.strftime = lambda form, *when: true_strftime(form, *(when or (time.localtime(),)))
    time.asctime = lambda *when: true_asctime(*(when or (time.localtime(),)))
    _shift_classes(datetime.timedelta(seconds=seconds))


def _later(read: Callable[[], Any], by: int) -> Callable[[], Any]:
    return wraps(read)(lambda: read() + by)


def _of(convert: Callable[..., Any], now: Callable[[], float]) -> Callable[..., Any]:
    def converted(seconds: float | None = None) -> Any:
        return convert(now() if seconds is None else seconds)

    return wraps(convert)(converted)


def _shift_classes(by: datetime.timedelta) -> None:
    """Replace the classes of `datetime` by ones with a shifted `now` and `today`."""
    now = datetime.datetime.now
    utc = datetime.timezone.utc

    class Like(type):
        """Accepts original dates and datetimes, which C code still creates, as instances."""

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, cls.__mro__[1])

    class Date(datetime.date, metaclass=Like):
        @classmethod
        def today(cls) -> Any:
            return (now() + by).date()

    class DateTime(datetime.datetime, metaclass=Like):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return now(tz) + by

        @classmethod
        def utcnow(cls) -> Any:
            return now(utc).replace(tzinfo=None) + by

        @classmethod
        def today(cls) -> Any:
            return now() + by

    true_classes = (datetime.date, datetime.datetime)

    def put(classes: tuple[type[Any], type[Any]]) -> None:
        datetime.date, datetime.datetime = classes  # type: ignore[misc]  # that is the point

    put((Date, DateTime))
    _around_extensions(lambda: put(true_classes), lambda: put((Date, DateTime)))


def _around_extensions(before: Callable[[], None], after: Callable[[], None]) -> None:
    """Call these around the loading of each compiled module: some read the layout of classes."""
    loader = importlib.machinery.ExtensionFileLoader

    def wrapped(load: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(load)
        def loaded(*arguments: Any) -> Any:
            before()
            try:
                return load(*arguments)
            finally:
                after()

        return loaded

    for name in ("create_module", "exec_module"):
        setattr(loader, name, wrapped(getattr(loader, name)))
