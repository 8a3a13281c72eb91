"""A machine without free processes or file descriptors: launching waits and retries."""

import errno
import json
import logging
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hpo_core.backends.supervisor.processes import parents
from hpo_core.plugin import Finished, Outcome

WAITS = """
def fit(configuration):
    with open(configuration["pipe"]) as pipe:
        pipe.read()
    return 1.0

if __name__ == "__main__":
    import sys
    from hpo_core import report
    report(loss=fit({"pipe": sys.argv[1]}))
"""

WORK = {
    "command": {"command": ("{python}", "waits.py", "{pipe}")},
    "function": {"function": "waits:fit"},
}


class Gate:
    """A file that jobs read to its end, which they come to when it is opened."""

    def __init__(self, path):
        os.mkfifo(path)
        self.path = str(path)
        self._held = os.open(path, os.O_RDWR)

    def open(self):
        if self._held is not None:
            with open(f"{self.path}.open", "w") as empty:
                os.replace(empty.name, self.path)
            os.close(self._held)
            self._held = None


@pytest.fixture
def busy(start, tmp_path, request):
    """Return a backend that runs jobs, the last of them, its ancestors, and their gate."""
    if sys.platform != "linux":
        pytest.skip("limits the processes that run already (prlimit)")
    (tmp_path / "waits.py").write_text(WAITS)

    def make(kind):
        gate = Gate(tmp_path / "gate")
        request.addfinalizer(gate.open)
        driver = start("local", directory=str(tmp_path), **WORK[kind])
        for _ in range(3):  # so that their supervisor has as many files open as is usual
            job = driver.submit({"pipe": gate.path})
            driver.started(job)
        ancestors = [driver.started(job).handle]
        parent_of = parents()
        while ancestors[-1] != os.getpid():
            ancestors.append(parent_of[ancestors[-1]])
        return driver, job, ancestors[:-1], gate

    return make


def limit(pid, name, most):
    """Limit a process that runs."""
    _, hard = resource.prlimit(pid, name)
    resource.prlimit(pid, name, (hard if most is None else most, hard))


def used_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Waker(logging.Handler):
    """Lets what waits for events look at the log, too."""

    def __init__(self, backend):
        super().__init__()
        self.emit = lambda record: backend.wake()


def wait_for_remark(driver, caplog, job):
    """Wait until there is no room for a job; return False if it has ended."""
    log, waker = logging.getLogger("hpo_core"), Waker(driver.backend)
    log.addHandler(waker)
    try:
        while "no resources for another job" not in caplog.text:
            if any(type(event) is Finished and event.job_id == job.id for event in driver.said):
                return False
            driver.said += driver.backend.events(None)
    finally:
        log.removeHandler(waker)
    return True


@pytest.mark.parametrize("spare", [0, 2])
@pytest.mark.parametrize("kind", ["command", "function"])
def test_a_job_waits_for_files_and_starts_when_there_are_some(busy, caplog, kind, spare):
    driver, first, ancestors, gate = busy(kind)
    supervisor = ancestors[-1]
    limit(supervisor, resource.RLIMIT_NOFILE, used_files(supervisor) + spare)
    second = driver.submit({"pipe": os.devnull})
    assert wait_for_remark(driver, caplog, second) or spare > 0
    limit(supervisor, resource.RLIMIT_NOFILE, None)
    assert driver.finished(second).outcome is Outcome.COMPLETED
    gate.open()
    assert driver.finished(first).outcome is Outcome.COMPLETED
    assert caplog.text.count("this machine has no resources for another job now") <= 1
    assert caplog.text.count("supervisor of jobs failed") == 0


@pytest.mark.parametrize("kind", ["command", "function"])
def test_a_job_that_ends_makes_room(busy, caplog, kind):
    driver, first, ancestors, gate = busy(kind)
    limit(ancestors[-1], resource.RLIMIT_NOFILE, used_files(ancestors[-1]))
    others = [driver.submit({"pipe": os.devnull}) for _ in range(3)]
    assert wait_for_remark(driver, caplog, first)
    gate.open()
    for job in (first, *others):
        assert driver.finished(job).outcome is Outcome.COMPLETED
    assert caplog.text.count("this machine has no resources for another job now") == 1
    assert "Too many open files" in caplog.text
    assert "ulimit -n" in caplog.text


STUDY = """
name = "s"
seed = 1
workers = 4
strategy = "random"
objective = { metric = "loss", direction = "minimize" }
budget = { jobs = 8 }
job = { WORK }
parameters.x = { type = "float", low = 0.0, high = 1.0 }
"""

REPORT = """command = ["sh", "-c", "echo '{{\\"loss\\": 1}}' >&3"]"""
PROCESSES = {"command": 5, "function": 7}
"""How many a study has that runs one job at a time, threads counted."""


@pytest.fixture
def folder():
    """The folder of a user who has no processes: one whom the system limits, unlike root."""
    if sys.platform != "linux" or os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("acts as another user")
    with tempfile.TemporaryDirectory() as name:
        os.chown(name, 1_000_000 + os.getpid(), 0)
        yield Path(name)


@pytest.mark.parametrize(
    ("kind", "spare"),
    [("command", 0), ("function", 0), ("function", 1)],
)
def test_a_study_runs_with_fewer_workers_where_processes_are_short(folder, kind, spare):
    (folder / "quick.py").write_text("def fit(configuration): return 1.0")
    work = REPORT if kind == "command" else 'function = "quick:fit"'
    (folder / "study.toml").write_text(STUDY.replace("WORK", work))
    user = str(folder.stat().st_uid)
    rights = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]  # to read this folder
    most = PROCESSES[kind] + spare
    ended = subprocess.run(
        [
            *("setpriv", "--reuid", user, "--clear-groups", *rights),
            *("prlimit", f"--nproc={most}", sys.executable, "-c"),
            *("from hpo_core.cli.main import main; main()", "run", "study.toml", "--quiet"),
        ],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == 0, ended.stderr
    assert "The best 5 of 8 trials" in ended.stdout, ended.stdout
    assert ended.stderr.count("no resources for another job now: Resource temporarily") == 1
    assert "ulimit -u" in ended.stderr


GIVES_UP = """
import json, os, resource, socket, sys
from hpo_core.backends.supervisor import start_retry, supervisor
start_retry.TRIES_AGAIN, start_retry.GIVES_UP = 0.05, 0.5
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
own = [os.dup(0) for _ in range(FREE)]  # the loop has three
try:
    while True:
        os.dup(0)
except OSError:
    for descriptor in own:
        os.close(descriptor)
supervisor.run(socket.socket(fileno=int(sys.argv[1])), None, ".", {}, FUNCTION, 0.0)
"""

FUNCTION = {"function": "waits:fit", "directory": ".", "metric": "loss", "decides": False}


@pytest.mark.parametrize("free", [4, 5])
@pytest.mark.parametrize("kind", ["command", "function"])
def test_supervisor_fails_if_no_job_can_be_started(tmp_path, kind, free):
    ours, theirs = socket.socketpair()
    function = {**FUNCTION, "arguments": []} if kind == "function" else None
    script = GIVES_UP.replace("FREE", str(free)).replace("FUNCTION", repr(function))
    with subprocess.Popen(
        [sys.executable, "-c", script, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        cwd=tmp_path,
    ) as supervisor:
        theirs.close()
        told = {"arguments": ["true"], "program": "true", "variables": {}, "log": ""}
        told["place"] = [0, [], 1.0, []]
        ours.sendall(json.dumps(["start", "1.1", {**told, "checkpoints": ""}]).encode() + b"\n")
        with ours.makefile("rb") as messages:
            said = [json.loads(messages.readline()) for _ in range(2)]
        assert [message[0] for message in said] == ["short", "refused"]
        assert said[0][1] == said[1][2] == errno.EMFILE
        ours.close()
        assert supervisor.wait() == 0
