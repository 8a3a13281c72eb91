"""The supervisor as a process, driven through its protocol."""

import contextlib
import json
import os
import socket
import subprocess
import sys

import pytest

from hpo_core.backends.supervisor import journal
from hpo_core.backends.supervisor.connection import BlockingConnection

RUN = """
import socket, sys
from hpo_core.backends.supervisor import supervisor
controller, journal = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
supervisor.run(controller, journal, ".", {}, FUNCTION, 0.0, workers=2)
"""

FUNCTION = {
    "function": "loads:fit",
    "directory": ".",
    "metric": "loss",
    "decides": False,
    "arguments": [],
}

LOADS = """
import os, threading
threading.Thread(target=threading.Event().wait, daemon=True).start()  # so that none is forked
if os.path.exists("loading"):
    with open("loading", "w") as pipe:
        pipe.write("now")
    threading.Event().wait()

def fit(configuration):
    threading.Event().wait()
"""

TOLD = {
    "log": "",
    "checkpoints": "",
    "time_limit": None,
    "silence_limit": None,
    "grace": 0.0,
    "call": [1, {}, None],
    "place": [0, [], 1.0, []],
    "variables": {},
    "prefix": [],
}


@pytest.fixture
def supervisor(tmp_path):
    """Return a supervisor of a function, the connection to it, and its journal."""
    (tmp_path / "loads.py").write_text(LOADS)
    descriptor, path = journal.create(str(tmp_path / "journals"))
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", RUN.replace("FUNCTION", repr(FUNCTION))),
            *(str(theirs.fileno()), str(descriptor)),
        ],
        pass_fds=[theirs.fileno(), descriptor],
        cwd=tmp_path,
    )
    theirs.close()
    os.close(descriptor)
    yield process, ours, path
    ours.close()
    process.kill()
    process.wait()


def receive(connection, kind):
    """Return the next message of a kind."""
    while (message := connection.receive())[0] != kind:
        pass
    return message


def test_a_cancelled_job_whose_end_is_recorded_is_forgotten_though_its_worker_still_loads(
    supervisor, tmp_path
):
    process, ours, path = supervisor
    controller = BlockingConnection(ours)
    controller.send("start", "1.1", TOLD)
    receive(controller, "started")
    os.mkfifo(tmp_path / "loading")
    controller.send("start", "2.1", TOLD)
    assert (tmp_path / "loading").read_text() == "now"
    last_words = [["cancel", "2.1", 0.0], ["recorded", {}, ["2.1"]]]
    ours.sendall(b"".join(json.dumps(word).encode() + b"\n" for word in last_words))
    ours.shutdown(socket.SHUT_WR)
    with contextlib.suppress(EOFError):
        receive(controller, "nothing more")

    with open(path) as file:
        name, pid, listener = json.loads(file.readline())
    assert (name, pid) == ("supervisor", process.pid)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(listener)
        following = BlockingConnection(sock)
        assert receive(following, "job")[1] == "1.1"  # it runs on
        assert following.receive() == ["attached"]
        following.send("close")
        assert process.wait(60) == 0


def test_a_journal_keeps_only_what_the_next_controller_is_to_know(tmp_path):
    descriptor, path = journal.create(str(tmp_path / "journals"))
    written = journal.Journal(descriptor)
    written.begin(["supervisor", 1, "socket"])
    written.write(["ended", "1.1"], ["ended", "2.1"])
    written.clear()
    written.write(["ended", "3.1"])
    os.close(descriptor)
    with open(path) as file:
        assert [json.loads(line)[:2] for line in file] == [["supervisor", 1], ["ended", "3.1"]]
