"""Why a job failed: the cause, in a form that a strategy can tell apart."""

from __future__ import annotations

import enum


class FailureCause(enum.Enum):
    """Why a job failed.

    ERROR is an exception, an exit status or a missing metric; OUT_OF_MEMORY means that memory ran
    out, of the machine or of its GPU; KILLED is a signal, or the loss of ten jobs in a row;
    TIMED_OUT is one of the limits of time; DIVERGED means that the value that counts is not a
    finite number.
    """

    ERROR = "error"
    OUT_OF_MEMORY = "out_of_memory"
    KILLED = "killed"
    TIMED_OUT = "timed_out"
    DIVERGED = "diverged"


SIGNALLED = 128
"""A shell reports a command that a signal has ended with this exit status, and more."""

_NO_MEMORY = (
    "memoryerror", "outofmemory", "out of memory", "out_of_memory", "bad_alloc", "alloc_failed",
    "cannot allocate memory", "can't allocate memory", "resource_exhausted", "resourceexhausted",
)  # fmt: skip
"""What programs say: Python, C++, the system, CUDA and ROCm, cuBLAS, PyTorch, JAX, TensorFlow."""


def cause_in(text: str) -> FailureCause:
    """Return the cause that a program's last words tell: memory that ran out, or any error.

    Args:
        text: An exception's message, or the last line of a log.
    """
    is_memory = any(word in text.lower() for word in _NO_MEMORY)
    return FailureCause.OUT_OF_MEMORY if is_memory else FailureCause.ERROR


def cause_of_exit(status: int, last_words: str) -> FailureCause:
    """Return the cause that the exit status of a process tells.

    Args:
        status: The exit status; negative for a signal.
        last_words: The last line of its log.
    """
    cause = cause_in(last_words)
    if cause is FailureCause.ERROR and (status < 0 or status > SIGNALLED):
        return FailureCause.KILLED
    return cause
