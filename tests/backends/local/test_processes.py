"""No processes or descriptors are left behind, whichever process dies."""

import os
import select
import signal
import subprocess
import sys
import threading

import pytest

from hpo_core.backends.local.orphans import find
from hpo_core.plugin import Outcome

CONTROLLER = """
import sys, time
from hpo_core.backends import local
from hpo_core.contracts.backend import *
from hpo_core.contracts.strategy import NoOptions
from hpo_core.model.job import Job
from hpo_core.model.values import Configuration
uid, directory, kind, pipe, folder = sys.argv[1:]
class Clock:
    now = staticmethod(time.time)
work = {
    "function": dict(function="sample_functions:holds"),
    "command": dict(command=("sh", "-c", "exec > {pipe}; echo alive; sleep 600; true")),
}[kind]
backend = local.build(BackendContext(study="s", study_uid=uid, workers=1, clock=Clock(),
    work=Work(directory=directory, **work), decides=False, deliver=lambda event: None,
    folder=folder or None), NoOptions())
backend.submit(Job(id="0.1", trial_id=0, name="", configuration=Configuration(pipe=pipe)))
while True:
    backend.events(None)
"""


class Orphan:
    """A job that keeps a named pipe open, and whose controller gets killed."""

    def __init__(self, folder, uid, kind, journals=""):
        path = str(folder / "pipe")
        os.mkfifo(path)
        self.pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        samples = os.path.join(os.path.dirname(__file__), "..", "samples")
        self.controller = subprocess.Popen(
            [sys.executable, "-c", CONTROLLER, uid, samples, kind, path, journals]
        )
        assert self.read().startswith(b"alive")

    def read(self):
        readable, _, _ = select.select([self.pipe], [], [], 60)
        assert readable, "nothing has come out of the pipe for a minute"
        return os.read(self.pipe, 100)

    def close(self):
        self.controller.kill()
        self.controller.wait()
        os.close(self.pipe)


@pytest.fixture
def orphan(tmp_path):
    made = []

    def make(uid, kind, journals=""):
        made.append(Orphan(tmp_path, uid, kind, journals))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize("kind", ["command", "function"])
def test_the_jobs_of_a_study_in_memory_end_with_their_controller(orphan, kind):
    job = orphan(f"test-{os.getpid()}", kind)
    job.controller.kill()
    assert job.read() == b""  # nobody holds the pipe any more


@pytest.mark.parametrize("kind", ["command", "function"])
def test_adopt_ends_what_a_killed_controller_has_left_and_what_is_not_asked_for(
    orphan, start, tmp_path, kind
):
    driver = start("local", command=("true",))
    job = orphan(driver.study_uid, kind, str(tmp_path / "backend"))
    job.controller.kill()
    job.controller.wait()
    assert find(driver.study_uid)
    assert list(driver.backend.adopt([])) == []
    assert not find(driver.study_uid)
    assert job.read() == b""
    assert driver.run().outcome is Outcome.COMPLETED


def test_adopt_leaves_another_study_s_processes_alone(orphan, start):
    other = f"test-{os.getpid()}-other"
    orphan(other, "command")
    driver = start("local", command=("true",))
    driver.backend.adopt([])
    assert find(other)
    start("local", command=("true",)).backend.close()
    assert find(other)


@pytest.mark.parametrize("kind", ["command", "function"])
def test_close_ends_what_runs_and_leaves_no_process_and_no_descriptor(start, kind):
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    work = {
        "command": {"command": ("sh", "-c", "sleep 600 & sleep 600")},
        "function": {"function": "sample_functions:sleeps"},
    }[kind]
    before = sorted(os.listdir("/proc/self/fd"))
    driver = start("local", **work)
    jobs = [driver.submit() for _ in range(4)]
    for job in jobs:
        driver.started(job)
    driver.backend.cancel(jobs[0].id, grace=0)
    driver.finished(jobs[0])
    driver.backend.cancel(jobs[1].id, grace=600)
    assert find(driver.study_uid)
    driver.backend.close()
    driver.backend.close()
    assert not find(driver.study_uid)
    assert sorted(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("kind", ["command", "function"])
def test_a_hundred_jobs_leave_no_descriptor(start, kind):
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    work = {
        "command": {"command": ("sh", "-c", "exit 1")},
        "function": {"function": "sample_functions:nothing"},
    }[kind]
    driver = start("local", **work)
    driver.run()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        driver.run()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_process_that_has_left_its_group_ends_with_its_job_and_other_jobs_go_on(start):
    daemon = (
        "import os, subprocess, sys, time\n"
        "sleeps = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "os.write(int(os.environ['HPO_REPORT_FD']), b'{{\"pid\": %d}}\\n' % sleeps.pid)\n"
        "if {stays}: sleeps.wait()\n"
    )
    driver = start("local", command=("{python}", "-c", daemon))
    stays = driver.submit({"stays": 1})
    other = int(driver.reported(stays).metrics["pid"])
    leaves = driver.submit({"stays": 0})
    assert driver.finished(leaves).outcome is Outcome.COMPLETED
    gone = int(driver.reported(leaves).metrics["pid"])
    left = find(driver.study_uid)
    assert gone not in left
    assert {driver.started(stays).handle, other} <= set(left)
    driver.backend.close()
    assert not find(driver.study_uid)


def test_what_a_function_has_started_in_another_session_lives_as_long_as_its_worker(start):
    driver = start("local", function="sample_functions:leaves_a_daemon")
    first = int(driver.run({"dies": False}).metrics["loss"])
    assert first in find(driver.study_uid)
    assert driver.run({"dies": True}).outcome is Outcome.FAILED
    assert first not in find(driver.study_uid)
    driver.run({"dies": False})
    assert find(driver.study_uid)
    driver.backend.close()
    assert find(driver.study_uid) == []


def test_a_job_s_processes_are_no_part_of_the_controller_s_group(start):
    driver = start("local", command=("sleep", "600"))
    pid = driver.started(driver.submit()).handle
    assert os.getpgid(pid) == pid != os.getpgrp()
    assert os.getsid(pid) == pid


def test_events_sleeps_until_another_thread_wakes_it(start):
    driver = start("local", command=("true",))
    threading.Timer(0.05, driver.backend.wake).start()
    assert driver.backend.events(None) == []


def test_a_wake_before_events_is_not_lost(start):
    driver = start("local", command=("true",))
    driver.backend.wake()
    assert driver.backend.events(None) == []


def test_a_hundred_thousand_wakes_do_not_block(start):
    driver = start("local", command=("true",))
    for _ in range(100_000):
        driver.backend.wake()
    driver.backend.events(None)
    assert driver.run().outcome is Outcome.COMPLETED


def test_events_returns_nothing_after_the_timeout(start):
    assert start("local", command=("true",)).backend.events(0.01) == []


def test_ctrl_c_in_the_terminal_does_not_reach_the_jobs(start):
    """They are in separate sessions; the controller ends them."""
    before = signal.getsignal(signal.SIGINT)
    driver = start("local", function="sample_functions:process")
    pid = int(driver.run().metrics["loss"])
    assert os.getsid(pid) != os.getsid(0)
    os.kill(pid, 0)
    assert signal.getsignal(signal.SIGINT) is before
