"""Errors of the machine that affect every job: a lack of resources.

No more jobs are started, since they would fail one after the other. If the error may be temporary,
the supervisor waits and tries again; otherwise the study fails, and can be resumed.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from hpo_core.model.errors import BackendError

_REMEDIES = {
    errno.EMFILE: "raise the limit (ulimit -n), or run fewer workers",
    errno.ENFILE: "end other programs, or run fewer workers",
    errno.EAGAIN: "raise the limit of processes (ulimit -u), or run fewer workers",
    errno.ENOMEM: "end other programs, or run fewer workers",
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, or ask for a larger quota",
    errno.EROFS: "keep the store elsewhere",
}


def is_machines(error: OSError) -> bool:
    """Return whether an error is caused by the machine and would affect every job."""
    return error.errno in _REMEDIES


def remedy(number: int) -> str:
    """Return a remedy for an error."""
    return _REMEDIES.get(number, "check it")


@contextmanager
def explained() -> Iterator[None]:
    """A context manager that converts errors of the system to one with a remedy.

    Raises:
        BackendError: For each `OSError`.
    """
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise BackendError(
            f"this machine can run no more jobs: {error.strerror or error}{where}; "
            f"{remedy(error.errno or 0)}, then resume: hpo resume"
        ) from error
