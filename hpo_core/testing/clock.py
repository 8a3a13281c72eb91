"""Shifts this process's clock, for whatever is imported afterwards.

It is for the process in which a strategy is run once more: nothing of a study may depend on when it
runs.
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
    """Let this process believe that it is so many seconds later.

    The functions of `time` and the classes of `datetime` are replaced: what has taken them from
    their modules before keeps the true ones.
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
    """Replace the classes of `datetime` by such whose now and today are later."""
    now = datetime.datetime.now
    utc = datetime.timezone.utc

    class Like(type):
        """Lets a true date or datetime, which C code still makes, pass as one of ours."""

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
    """Call these around the loading of each compiled module: some take the classes' layout."""
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
