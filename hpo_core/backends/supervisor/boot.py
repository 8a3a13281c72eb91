"""Start a supervisor, a template or a new worker as a new Python process."""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any, NoReturn

_SCRIPT = """
import json, sys
path, role, descriptor, given = json.loads(sys.argv[1])
sys.path[:] = path
from hpo_core.backends.supervisor.boot import run
run(role, descriptor, given)
"""


def command(role: str, descriptor: int, **given: Any) -> list[str]:
    """Return the argument list of a new process.

    Args:
        role: ``"supervisor"``, ``"template"`` or ``"worker"``.
        descriptor: The number of its socket's descriptor.
        **given: Further arguments, as JSON.
    """
    path = [entry or os.getcwd() for entry in sys.path]
    told = json.dumps([path, role, descriptor, given])
    return [sys.executable, "-X", "faulthandler", "-c", _SCRIPT, told]


def run(role: str, descriptor: int, given: dict[str, Any]) -> NoReturn:
    """Run the role of this process."""
    sock = socket.socket(fileno=descriptor)
    sock.set_inheritable(False)
    if role == "supervisor":
        from hpo_core.backends.supervisor import supervisor

        supervisor.run(sock, **given)
    if role == "template":
        from hpo_core.backends.supervisor import template

        template.run(sock, **given)
    from hpo_core.backends.supervisor import worker

    worker.set_up(given.pop("arguments"))
    call = worker.loaded(
        sock, given.pop("function"), given.pop("directory"), given.pop("is_sent", False)
    )
    worker.serve(sock, call, **given)
