"""One message out, one answer in, each a line of JSON, within a time limit; and the process's end.

All three pipes are waited for at once, so that neither a long message nor much on standard error
can make the two wait for each other.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from hpo_core import StrategyError
from hpo_process.messages import Error, decode

GRACE = 2.0
"""Seconds that the process has to end by itself, once its standard input has ended."""

_SHOWN = 300
_KEPT = 2000

Expected = TypeVar("Expected")


class Conversation:
    """A process, and what is said.

    Args:
        command: The program and its arguments.
        time_limit: Seconds that an answer may take.
        directory: The folder in which it runs.

    Raises:
        StrategyError: If the program can't be begun.
    """

    def __init__(
        self, command: Sequence[str], time_limit: float, directory: str | None = None
    ) -> None:
        self._command = command
        self._time_limit = time_limit
        self._received = b""
        self._errors = b""
        try:
            process = subprocess.Popen(
                command,
                cwd=directory,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            where = "" if directory is None else f" (relative paths are relative to {directory})"
            raise StrategyError(
                f"the command {list(command)} can't be begun: {error}{where}"
            ) from error
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        for pipe in (process.stdin, process.stdout, process.stderr):
            os.set_blocking(pipe.fileno(), False)
        self._process = process
        self._kill = weakref.finalize(self, _kill, process, os.getpid())  # also if it is forgotten

    def exchange(self, message: dict[str, Any], *expected: type[Expected]) -> Expected:
        """Send a message, and return its answer.

        Args:
            message: Plain JSON.
            *expected: The types of answers that fit it.

        Raises:
            StrategyError: If no such answer comes. The process is gone then.
        """
        sent = msgspec.json.encode(message)
        if not self._kill.alive:
            raise StrategyError(f"the process {list(self._command)} has been ended")
        try:
            line = self._answer(sent + b"\n")
            try:
                answer = decode(line)
            except msgspec.DecodeError as error:
                raise _Broken(f"answered {_short(line)}, which is no answer: {error}") from error
            if isinstance(answer, Error):
                raise _Broken(f"says: {answer.message}")
            if not isinstance(answer, expected):
                raise _Broken(f"answered {_short(line)}, which does not fit")
            return answer
        except _Broken as broken:
            while said := _read(self._stderr):
                self._errors = (self._errors + said)[-_KEPT:]
            self._kill()
            told = self._errors.decode(errors="replace").strip()
            raise StrategyError(
                f"the process {list(self._command)} was sent {_short(sent)}, and {broken}"
                + (f"; the end of its standard error: {told}" if told else "")
            ) from broken

    def close(self) -> None:
        """Say goodbye, and see that nothing is left: it is killed if it does not end by itself."""
        if not self._kill.alive:
            return
        with suppress(OSError):
            self._stdin.write(b'{"type":"bye"}\n')
        self._stdin.close()
        ends = time.monotonic() + GRACE
        with selectors.DefaultSelector() as selector:
            for pipe in (self._stdout, self._stderr):
                selector.register(pipe, selectors.EVENT_READ)
            while selector.get_map() and selector.select(max(0.0, ends - time.monotonic())):
                for pipe in (self._stdout, self._stderr):
                    if pipe in selector.get_map() and _read(pipe) == b"":
                        selector.unregister(pipe)
        self._kill()

    def _answer(self, unsent: bytes) -> bytes:
        """Send a line, and wait for one."""
        if self._received:
            raise _Broken(f"had spoken unasked: {_short(self._received)}")
        ends = time.monotonic() + self._time_limit
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdin, selectors.EVENT_WRITE)
            selector.register(self._stdout, selectors.EVENT_READ)
            selector.register(self._stderr, selectors.EVENT_READ)
            while b"\n" not in self._received:
                ready = selector.select(max(0.0, ends - time.monotonic()))
                if not ready:
                    got = f"; so far: {_short(self._received)}" if self._received else ""
                    raise _Broken(f"has not answered within {self._time_limit:g} s{got}")
                for key, _ in ready:
                    if key.fileobj is self._stdin:
                        with suppress(BrokenPipeError):  # its end is seen where it is read
                            unsent = unsent[os.write(self._stdin.fileno(), unsent[:65536]) :]
                            if unsent:
                                continue
                        selector.unregister(self._stdin)
                    elif key.fileobj is self._stderr:
                        if (said := _read(self._stderr)) == b"":
                            selector.unregister(self._stderr)
                        self._errors = (self._errors + (said or b""))[-_KEPT:]
                    elif (said := _read(self._stdout)) == b"":
                        raise _Broken(self._ended())
                    else:
                        self._received += said or b""
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _ended(self) -> str:
        """Say how the process has ended; it has closed its standard output."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        status = self._process.returncode
        how = "closed its standard output" if status is None else f"ended (exit status {status})"
        half = f" after half a line: {_short(self._received)}" if self._received else ""
        return how + half


class _Broken(Exception):
    """The process broke the protocol; the message says how."""


def _read(pipe: Any) -> bytes | None:
    """Read what there is: nothing at the end, None if there is nothing yet."""
    try:
        return os.read(pipe.fileno(), 65536)
    except BlockingIOError:
        return None


def _short(line: bytes) -> str:
    text = line.decode(errors="replace")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(line):,} bytes)"


def _kill(process: subprocess.Popen[bytes], owner: int) -> None:
    """End the process and all that it has begun, at once; but not from a fork of its owner."""
    if os.getpid() != owner:
        return
    with suppress(ProcessLookupError, PermissionError):  # nothing but its remains is left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
