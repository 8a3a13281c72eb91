"""The controller's end of the connection to a driver, which is its child."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Collection

import msgspec

from hpo_core.backends.remote.driver_messages import (
    DriverAnswer,
    DriverFailed,
    DriverReady,
    DriverRequest,
    FindWorkers,
    WorkersFound,
)
from hpo_core.model.errors import BackendError

_ENDS_IN = 40.0
"""Maximum time in seconds for a driver to end."""


class DriverProcess:
    """A driver, as a child of this process.

    Args:
        module: The module that it runs, as ``python -m`` does.
        settings: What it reads first.
        problem: The beginning of the message if it fails, such as "the cluster cannot be reached".

    Raises:
        BackendError: If the engine cannot be reached or started.

    Attributes:
        ready: What it says of the engine.
    """

    def __init__(self, module: str, settings: msgspec.Struct, problem: str) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # what the engine prints
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for the controller
        )
        self._module = module
        self._thread: threading.Thread | None = None
        try:
            self._write(settings)
            first = self._read()
        except BaseException:
            self._process.kill()
            self.close()
            self.release()
            raise
        if not isinstance(first, DriverReady):
            self.close()
            reason = first.reason if isinstance(first, DriverFailed) else self.last_words()
            self.release()
            raise BackendError(f"{problem}: {reason}")
        self.ready = first

    def listen(self, on_answer: Callable[[DriverAnswer], None], on_end: Callable[[], None]) -> None:
        """Call back with each answer and at the end, from another thread."""

        def run() -> None:
            while (answer := self._read()) is not None:
                on_answer(answer)
            on_end()

        self._thread = threading.Thread(target=run, name=self._module, daemon=True)
        self._thread.start()

    def send(self, request: DriverRequest) -> None:
        """Send a request; nothing if the driver has ended."""
        self._write(request)

    def find(self, keep: Collection[str]) -> WorkersFound | DriverFailed:
        """Ask for the workers of an earlier controller, before `listen`; see `FindWorkers`."""
        self._write(FindWorkers(list(keep)))
        while (answer := self._read()) is not None:
            if isinstance(answer, WorkersFound | DriverFailed):
                return answer
        return DriverFailed(self.last_words())

    def last_words(self) -> str:
        """Return the end of what the driver and the engine have printed."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1][:1000] if said else "its driver ended and printed nothing"

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

    def _write(self, message: msgspec.Struct) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended, which the reading end says
            self._process.stdin.write(msgspec.json.encode(message) + b"\n")
            self._process.stdin.flush()

    def _read(self) -> DriverAnswer | None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return msgspec.json.decode(line, type=DriverAnswer) if line else None
