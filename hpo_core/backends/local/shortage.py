"""When this machine has no room for more: no fault of a job, but of the place where it is to run.

The jobs that would fail by it one after the other are not begun: the study ends as failed, and is
carried on when there is room.
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


def is_shortage(error: OSError) -> bool:
    """Say whether an error is the machine's, and would meet every job alike."""
    return error.errno in _REMEDIES


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors of the system into one that says what to do.

    Raises:
        BackendError: For each `OSError`.
    """
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "see what is wrong with it")
        where = f" ({error.filename})" if error.filename else ""
        raise BackendError(
            f"this machine can run no more jobs: {error.strerror or error}{where}; {remedy}, "
            "and carry on: hpo resume"
        ) from error
