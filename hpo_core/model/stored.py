"""Whether what is checked was read from a store: checks that are newer do not apply to it then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_IS_STORED: ContextVar[bool] = ContextVar("_IS_STORED", default=False)


@contextmanager
def as_stored() -> Iterator[None]:
    """Say that what is read meanwhile comes from a store."""
    token = _IS_STORED.set(True)
    try:
        yield
    finally:
        _IS_STORED.reset(token)


def is_stored() -> bool:
    """Say whether what is checked now was read from a store."""
    return _IS_STORED.get()
