"""Call the command line for the fuzzer, and judge how it ends."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, NamedTuple, NoReturn

import fuzz_target

from hpo_core import HyperParameterOptimizer
from hpo_core.cli import main as command_line

HANGS = 120  # seconds, since a busy machine is no fault of the code
STATUSES = (0, 1, 2, 130)
RAW = {"log", "export"}  # commands that give out what they were given, as it is

_HPO = "from hpo_core.cli.main import main; main()"


class Failed(AssertionError):
    """A case has failed."""


class Said(NamedTuple):
    """How a command ended, and what it wrote."""

    status: object
    out: str
    err: str


class Hang(BaseException):
    """It takes too long."""


def call(*arguments: str) -> Said:
    """Call the command line in this process, and see that it ends as it has to."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    logging.getLogger().handlers.clear()
    before = sys.argv
    sys.argv = ["hpo", *arguments]
    status: object = None
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            _in_time(),
            _few_jobs(),
        ):
            command_line.main()
    except SystemExit as error:
        status = error.code
    except Hang:
        raise Failed(f"hpo {arguments} takes longer than {HANGS} s") from None
    finally:
        sys.argv = before
        fuzz_target.SAYS.clear()
    said = Said(status, _text(out), _text(err))
    judge(arguments, said)
    return said


def call_a_process(*arguments: str) -> Said:
    """Call the command line in its own process."""
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _HPO, *arguments], capture_output=True, timeout=3 * HANGS
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"hpo {arguments} takes longer than {3 * HANGS} s") from None
    said = Said(ended.returncode, *(text.decode() for text in (ended.stdout, ended.stderr)))
    judge(arguments, said)
    return said


def judge(arguments: tuple[str, ...], said: Said) -> None:
    """See that a command has ended as it may.

    Raises:
        Failed: If it has not.
    """
    wrong = []
    if said.status not in STATUSES:
        wrong.append("its exit status is invalid")
    if "Traceback" in said.err or "the controller failed" in said.err:
        wrong.append("it has broken down")
    has_help = arguments == ("--",)  # there is no command
    if (said.status in (1, 2) and not has_help) != bool(re.search(r"(?mi)^error: ", said.err)):
        wrong.append("its exit status does not go with what it says")
    shown = said.err if arguments and arguments[0] in RAW else said.out + said.err
    if found := re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown):
        wrong.append(f"it writes {found[0]!r} on the terminal")
    if wrong:
        raise Failed(f"hpo {arguments}: {'; '.join(wrong)}\n{said}")


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> NoReturn:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _few_jobs() -> Iterator[None]:
    """Let a study end after a few jobs, whatever its budget may be."""
    run = HyperParameterOptimizer.run_through

    def run_some(self: HyperParameterOptimizer, on_job_finished: Any = None) -> Any:
        left = iter(range(4))

        def count(job: Any) -> None:
            if on_job_finished is not None:
                on_job_finished(job)
            if next(left, None) is None:
                self.stop("enough")

        return run(self, count)

    HyperParameterOptimizer.run_through = run_some  # type: ignore[method-assign]
    try:
        yield
    finally:
        HyperParameterOptimizer.run_through = run  # type: ignore[method-assign]


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()
