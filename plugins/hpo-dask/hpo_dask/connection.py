"""Starts the driver, and talks to it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable

import msgspec

from hpo_core.plugin import BackendError
from hpo_dask.messages import Answer, Failed, Found, Ready, Request, Settings

_ENDS_IN = 40.0
"""Maximum time in seconds for the driver to end."""


class Connection:
    """A driver, as a child of this process.

    Args:
        settings: What it needs to know of the study.
        where: The cluster, for messages.

    Raises:
        BackendError: If the cluster cannot be reached or started.

    Attributes:
        ready: What it says of the cluster.
    """

    def __init__(self, settings: Settings, where: str) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # what Dask prints
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hpo_dask.driver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for the controller
        )
        self._thread: threading.Thread | None = None
        try:
            self.send(settings)
            first = self._read()
        except BaseException:
            self._process.kill()
            self.close()
            raise
        if not isinstance(first, Ready):
            self.close()
            reason = first.reason if isinstance(first, Failed) else self.last_words()
            verb = "started" if settings.own is not None else "reached"
            raise BackendError(f"{where} cannot be {verb}: {reason}")
        self.ready = first

    def listen(self, on_answer: Callable[[Answer], None], on_end: Callable[[], None]) -> None:
        """Call back with each answer and at the end, from another thread."""

        def run() -> None:
            while (answer := self._read()) is not None:
                on_answer(answer)
            on_end()

        self._thread = threading.Thread(target=run, name="hpo-dask", daemon=True)
        self._thread.start()

    def send(self, message: Settings | Request) -> None:
        """Send a message; nothing if the driver has ended."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended, which the reading end says
            self._process.stdin.write(msgspec.json.encode(message) + b"\n")
            self._process.stdin.flush()

    def found(self) -> Answer | None:
        """Return the next answer that is no end of a worker, before `listen`; None at its end."""
        while (answer := self._read()) is not None and not isinstance(answer, (Found, Failed)):
            pass
        return answer

    def last_words(self) -> str:
        """Return the end of what the driver and Dask have printed."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1][:1000] if said else "its driver ended without a word"

    def close(self) -> None:
        """Have the driver end, and wait for that."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_ENDS_IN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._thread is not None:
            self._thread.join()
        self._process.stdout.close()

    def release(self) -> None:
        """Release what `last_words` needs."""
        self._log.close()

    def _read(self) -> Answer | None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return msgspec.json.decode(line, type=Answer) if line else None
