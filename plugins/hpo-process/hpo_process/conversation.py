"""The exchange of messages and answers with the process, as JSON lines with a time limit.

Nothing here blocks on a pipe: data that cannot be written waits while answers are read. So a
process that is stopped, does not read, or never stops writing costs at most its time limit, and
only `GRACE` seconds when the study is ending (`Conversation.interrupt`).
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from hpo_core.plugin import StrategyError
from hpo_process.messages import Error, decode

GRACE = 2.0
"""Seconds for the process to end after the end of its standard input, and for an answer when the
study is ending."""

LONGEST = 1 << 26
"""Maximum number of bytes of an answer (64 MiB), and of output that is kept in memory."""

_READ = 1 << 16
_PIPE_HOLDS = 1 << 20  # the most bytes
_SHOWN = 300
_KEPT = 2000
_DIES = 10.0  # seconds to wait for the end of a process after SIGKILL

Expected = TypeVar("Expected")


class Conversation:
    """The process and the conversation with it.

    Args:
        command: The program and its arguments.
        time_limit: Maximum time in seconds for an answer.
        directory: The working directory.

    Raises:
        StrategyError: If the program cannot be started.
    """

    def __init__(
        self, command: Sequence[str], time_limit: float, directory: str | None = None
    ) -> None:
        self._command = command
        self._time_limit = time_limit
        self._received = bytearray()
        self._errors = b""
        self._patience: float | None = None  # seconds for an answer when the study is ending
        self._interrupted = 0.0  # the time of the interruption
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
                f"the command {list(command)} cannot be started: {error}{where}"
            ) from error
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        for pipe in (process.stdin, process.stdout, process.stderr):
            os.set_blocking(pipe.fileno(), False)
        self._process = process
        self._woken, self._wake_end = wake = socket.socketpair()
        for end in wake:
            end.setblocking(False)
        # also if close() is never called
        self._kill = weakref.finalize(self, _kill, process, wake, os.getpid())

    def exchange(self, message: dict[str, Any], *expected: type[Expected]) -> Expected:
        """Send a message, and return its answer.

        Args:
            message: Plain JSON.
            *expected: The valid types of answers.

        Raises:
            StrategyError: If no valid answer arrives. The process is killed then.
        """
        sent = msgspec.json.encode(message)
        if not self._kill.alive:
            raise StrategyError(f"the process {list(self._command)} has been ended")
        try:
            line = self._answer(sent + b"\n")
            try:
                answer = decode(line)
            except msgspec.DecodeError as error:
                raise _Broken(
                    f"answered {_short(line)}, which is not an answer: {error}"
                ) from error
            if isinstance(answer, Error):
                raise _Broken(f"says: {answer.message}")
            if not isinstance(answer, expected):
                raise _Broken(f"answered {_short(line)}, which does not fit")
            return answer
        except _Broken as broken:
            for _ in range(_PIPE_HOLDS // _READ):  # the process may never stop writing
                if self._read_errors():
                    break
            self._kill()
            told = self._errors.decode(errors="replace").strip()
            raise StrategyError(
                f"the process {list(self._command)} was sent {_short(sent)}, and {broken}"
                + (f"; the end of its standard error: {told}" if told else "")
            ) from broken

    def interrupt(self, *, at_once: bool) -> None:
        """From now on, wait at most `GRACE` seconds for an answer, or not at all.

        Safe from any thread and signal handler.
        """
        self._interrupted = time.monotonic()
        self._patience = 0.0 if at_once else GRACE
        with suppress(OSError):  # it is full, which also wakes the reader, or it is closed
            self._wake_end.send(b"\0")

    def close(self) -> None:
        """Send ``bye`` and wait for the end; kill the process if it does not end."""
        if not self._kill.alive:
            return
        with suppress(OSError):
            self._stdin.write(b'{"type":"bye"}\n')
        self._stdin.close()
        ends = time.monotonic() + GRACE
        with selectors.DefaultSelector() as selector:
            for pipe in (self._stdout, self._stderr):
                selector.register(pipe, selectors.EVENT_READ)
            while selector.get_map() and (left := ends - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    if _read(key.fileobj) == b"":
                        selector.unregister(key.fileobj)
        self._kill()

    def _answer(self, message: bytes) -> bytes:
        """Send a line, and wait for the answer."""
        if self._received:
            raise _Broken(f"had spoken unasked: {_short(self._received)}")
        began, unsent = time.monotonic(), memoryview(message)
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdin, selectors.EVENT_WRITE)
            for source in (self._stdout, self._stderr, self._woken):
                selector.register(source, selectors.EVENT_READ)
            while True:
                left = self._until(began) - time.monotonic()
                ready = [key.fileobj for key, _ in selector.select(max(0.0, left))]
                if self._stdin in ready:
                    unsent = self._send(unsent)
                    if not unsent:
                        selector.unregister(self._stdin)
                if self._stderr in ready and self._read_errors():
                    selector.unregister(self._stderr)
                if self._woken in ready:
                    self._woken.recv(_READ)
                if self._stdout in ready:
                    if (line := self._read_answer()) is not None:
                        return line
                elif left <= 0:  # all output has been read
                    raise _Broken(self._is_late())

    def _until(self, began: float) -> float:
        """Return the deadline of an answer on the monotonic clock."""
        until = began + self._time_limit
        if self._patience is None:
            return until
        return min(until, max(began, self._interrupted) + self._patience)

    def _is_late(self) -> str:
        """Return the message that there was no answer in time."""
        got = f"; so far: {_short(self._received)}" if self._received else ""
        if self._patience is None:
            return f"has not answered within {self._time_limit:g} s{got}"
        return f"had not answered when the study was to end{got}"

    def _send(self, unsent: memoryview) -> memoryview:
        """Write as much as the pipe accepts now; return the rest."""
        try:
            return unsent[os.write(self._stdin.fileno(), unsent[:_READ]) :]
        except BlockingIOError:  # less space is free than an atomic write needs
            return unsent
        except BrokenPipeError:  # the end is detected while reading
            return unsent[len(unsent) :]

    def _read_errors(self) -> bool:
        """Read once from standard error; return whether it has ended."""
        said = _read(self._stderr)
        self._errors = (self._errors + (said or b""))[-_KEPT:]
        return said == b""

    def _read_answer(self) -> bytes | None:
        """Read once from standard output; return the line if it is complete."""
        said = _read(self._stdout)
        if said == b"":
            raise _Broken(self._ended())
        before = len(self._received)
        self._received += said or b""
        end = self._received.find(b"\n", before)
        if max(end, len(self._received) if end < 0 else 0) > LONGEST:
            raise _Broken(f"answered more than {LONGEST:,} bytes: {_short(self._received)}")
        if end < 0:
            return None
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    def _ended(self) -> str:
        """Return a message about how the process ended; it has closed its standard output."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        status = self._process.returncode
        how = "closed its standard output" if status is None else f"ended (exit status {status})"
        half = f" after half a line: {_short(self._received)}" if self._received else ""
        return how + half


class _Broken(Exception):
    """The process violated the protocol, as described in the message."""


def _read(pipe: Any) -> bytes | None:
    """Read the available bytes; empty at the end, None if none are available."""
    try:
        return os.read(pipe.fileno(), _READ)
    except BlockingIOError:
        return None


def _short(line: bytes | bytearray) -> str:
    shown = line[: 4 * _SHOWN].decode(errors="replace")
    is_whole = len(line) <= 4 * _SHOWN and len(shown) <= _SHOWN
    return shown if is_whole else f"{shown[:_SHOWN]}… ({len(line):,} bytes)"


def _kill(
    process: subprocess.Popen[bytes], wake: tuple[socket.socket, socket.socket], owner: int
) -> None:
    """Kill the process and its descendants, but not from a fork of the owner."""
    if os.getpid() != owner:
        return
    with suppress(ProcessLookupError, PermissionError):  # only a zombie is left
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(
        subprocess.TimeoutExpired
    ):  # the system may not be able to end it: do not wait then
        process.wait(_DIES)
    for end in wake:
        end.close()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
