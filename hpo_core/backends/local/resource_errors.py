"""Errors of this machine that meet every job alike: it has no room for more.

Jobs that would fail by such an error one after the other are not started. Where it may pass, the
supervisor waits and tries again; else the study ends as failed, and can be resumed.
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
    """Return whether an error is the machine's, and would meet every job alike."""
    return error.errno in _REMEDIES


def remedy(number: int) -> str:
    """Return what to do about an error."""
    return _REMEDIES.get(number, "see what is wrong with it")


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors of the system into one that says what to do.

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
