"""The template process, which has imported the function's module and is forked for each worker.

The workers thus share one import. A template never runs a job. If it cannot be forked
(`hpo_core.backends.supervisor.forkable`), it sends the reason and ends, and each worker is a new
process.

    to a template      ["function"]  with a descriptor: one that it can't import
    from a template    ["ready"]   or   ["unfit", why]
    to a template      ["fork"]  with a descriptor: the socket of a launcher
"""

from __future__ import annotations

import gc
import os
import signal
import socket
from typing import NoReturn

from hpo_core.backends.supervisor.connection import BlockingConnection
from hpo_core.backends.supervisor.forkable import obstacle
from hpo_core.backends.supervisor.launcher import become_launcher
from hpo_core.backends.supervisor.processes import system_library
from hpo_core.backends.supervisor.worker import loaded, reseed, serve, set_up


def run(
    sock: socket.socket,
    function: str,
    directory: str,
    metric: str | None,
    decides: bool,
    arguments: list[str],
    is_sent: bool = False,
) -> NoReturn:
    """Load the function, then fork a launcher on each request of the supervisor.

    Args:
        sock: The socket to the supervisor.
        function: The function's reference.
        directory: The folder of its module.
        metric: The metric of a number that it returns.
        decides: Whether each report waits for an answer.
        arguments: The controller's ``sys.argv``.
        is_sent: Whether the function is sent to this process, which can't import it.
    """
    set_up(arguments)
    call = loaded(sock, function, directory, is_sent)
    why = obstacle()
    supervisor = BlockingConnection(sock)
    try:
        supervisor.send(*(["ready"] if why is None else ["unfit", why]))
        if why is not None:
            os._exit(0)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that launchers need not be reaped
        system_library()  # so that launchers need not load it
        gc.collect()
        gc.freeze()  # what is here already stays shared with the forked processes
        while supervisor.receive():
            descriptor = supervisor.descriptors.popleft()
            try:
                pid = os.fork()
            except OSError as error:  # said in place of the launcher that there is not
                with socket.socket(fileno=descriptor) as launcher:
                    BlockingConnection(launcher).send("refused", error.errno, error.strerror)
                continue
            if pid == 0:
                sock.close()

                def be_worker(worker: socket.socket) -> NoReturn:
                    reseed()
                    serve(worker, call, metric, decides)

                become_launcher(socket.socket(fileno=descriptor), {}, be_worker)
            os.close(descriptor)
    except (EOFError, OSError):  # the supervisor is gone
        pass
    os._exit(0)
