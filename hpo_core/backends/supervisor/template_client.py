"""A supervisor's end of the connection to its template."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from hpo_core.backends import logs
from hpo_core.backends.supervisor import boot
from hpo_core.backends.supervisor.connection import Connection, messages
from hpo_core.backends.supervisor.loop import Loop


class TemplateClient:
    """Starts a template, and requests forks.

    Args:
        loop: The event loop.
        function: The arguments of the template.
        pickle: The descriptor of a function that it cannot import; None for none.
        environment: The environment of the template and its workers.
        log: The log file; ``""`` for the output of this process.
        on_change: Called when it is ready, with None twice; or with the reason why it can't be
            forked; or, when it has ended, with its exit status.

    Attributes:
        pid: Its process.
        is_ready: Whether it can be forked.

    Raises:
        OSError: If it cannot be started.
    """

    def __init__(
        self,
        loop: Loop[Any],
        function: dict[str, Any],
        pickle: int | None,
        environment: Mapping[bytes, bytes],
        log: str,
        on_change: Callable[[str | None, int | None], None],
    ) -> None:
        self.is_ready = False
        self._on_change = on_change
        sent = None if pickle is None else os.dup(pickle)
        ours, theirs = socket.socketpair()
        output = logs.create(log) if log else None
        try:
            self._process = subprocess.Popen(
                boot.command("template", theirs.fileno(), **function),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
            )
        except OSError:
            ours.close()
            if sent is not None:
                os.close(sent)
            raise
        finally:
            theirs.close()
            if output is not None:
                os.close(output)
        self.pid = self._process.pid
        self._is_unfit = False
        self._connection = Connection(ours, loop, messages(self._take), self._lose)
        if sent is not None:
            self._connection.send("function", descriptor=sent)

    def fork(self) -> socket.socket:
        """Request a fork; return the socket to the new launcher."""
        ours, theirs = socket.socketpair()
        self._connection.send("fork", descriptor=theirs.detach())
        return ours

    def _take(self, kind: str, *told: Any) -> None:
        if kind == "ready":
            self.is_ready = True
            self._on_change(None, None)
        else:
            self._is_unfit = True
            self._on_change(told[0], None)

    def _lose(self) -> None:
        status = self._process.wait()
        if not self._is_unfit:
            self._on_change(None, status)
