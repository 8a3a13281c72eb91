"""No two jobs are on one GPU, also after a controller was killed and the next one has other GPUs.

Devices are names here; the processes and the kills are real. Each job holds a lock for each of its
devices, and fails if another job has it.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpo_core import Configuration, Resources
from hpo_core.backends import local
from hpo_core.plugin import BackendContext, Finished, Job, Outcome, Started, Work

HANGS = 60.0

COMMAND = """
import fcntl, os, sys
held = []
for gpu in os.environ["CUDA_VISIBLE_DEVICES"].split(","):
    held.append(open(f"lock-{gpu}", "w"))
    fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails if another job has it
with open("gate-" + os.environ["HPO_JOB_ID"]) as gate:
    gate.read()
print(os.environ["CUDA_VISIBLE_DEVICES"])
"""

FUNCTION = """
import fcntl, os
held = [open(f"lock-{gpu}", "w") for gpu in os.environ["CUDA_VISIBLE_DEVICES"].split(",")]
for lock in held:  # a worker holds its device for as long as it lives, as CUDA does
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

def fit(configuration, job):
    with open(f"gate-{job.id}") as gate:
        gate.read()
    print(os.environ["CUDA_VISIBLE_DEVICES"])
    return 1.0
"""

WORK = {
    "command": {"command": ("{python}", "holds.py")},
    "function": {"function": "work:fit"},
}

CONTROLLER = """
import sys
sys.path.insert(0, sys.argv[1])
import test_slots_left as tests
from pathlib import Path
folder, kind = Path(sys.argv[2]), sys.argv[3]
first = tests.Controller(folder, kind, ["0", "1"], 1)
for job_id in ("1.1", "2.1"):
    first.backend.submit(tests.job(folder, job_id))
first.until(lambda event: type(event) is tests.Started and event.job_id == "1.1")
first.until(lambda event: type(event) is tests.Started and event.job_id == "2.1")
print("started", flush=True)
sys.stdin.read()
"""


class Clock:
    now = staticmethod(time.time)


def job(folder, job_id):
    return Job(
        id=job_id,
        trial_id=int(job_id[0]),
        name=job_id,
        configuration=Configuration({}),
        checkpoint_dir=str(folder / "checkpoints" / job_id),
        log=str(folder / "logs" / f"{job_id}.log"),
    )


class Controller:
    def __init__(self, folder, kind, gpus, share):
        self.events = []
        context = BackendContext(
            study="s",
            study_uid=str(folder).replace("/", "_"),
            work=Work(directory=str(folder), metric="loss", **WORK[kind]),
            workers=4,
            clock=Clock(),
            decides=False,
            deliver=self.events.append,
            folder=str(folder / "journals"),
            resources=Resources(gpus=share),
        )
        self.backend = local.build(context, local.Options(gpus=tuple(gpus)))

    def until(self, what):
        while True:
            for event in self.events:
                if what(event):
                    return event
            new = self.backend.events(HANGS)
            assert new, f"nothing has happened for {HANGS} s; so far: {self.events}"
            self.events += new

    def finished(self, job_id):
        return self.until(lambda event: type(event) is Finished and event.job_id == job_id)

    def has_started(self, job_id):
        return any(type(event) is Started and event.job_id == job_id for event in self.events)


class Gates:
    """Named pipes that jobs read to their ends."""

    def __init__(self, folder):
        self._held = {}
        for job_id in ("1.1", "2.1", "3.1", "4.1"):
            os.mkfifo(folder / f"gate-{job_id}")
            self._held[job_id] = os.open(folder / f"gate-{job_id}", os.O_RDWR)
        self._folder = folder

    def open(self, job_id):
        """Let a job go on, whether it reads already or not."""
        (self._folder / "empty").write_text("")
        os.replace(self._folder / "empty", self._folder / f"gate-{job_id}")
        os.close(self._held.pop(job_id))

    def close(self):
        for job_id in list(self._held):
            self.open(job_id)


@pytest.fixture
def left(tmp_path):
    """Return a function that leaves two jobs on the GPUs 0 and 1, as a killed controller does."""
    (tmp_path / "holds.py").write_text(COMMAND)
    (tmp_path / "work.py").write_text(FUNCTION)
    gates = Gates(tmp_path)

    def leave(kind):
        here = str(Path(__file__).parent)
        with subprocess.Popen(
            [sys.executable, "-c", CONTROLLER, here, str(tmp_path), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as controller:
            readable, _, _ = select.select([controller.stdout], [], [], HANGS)
            assert readable
            assert controller.stdout.readline() == b"started\n"
            os.kill(controller.pid, signal.SIGKILL)
        return tmp_path, gates

    yield leave
    gates.close()


KINDS = pytest.mark.parametrize("kind", ["command", "function"])


@KINDS
@pytest.mark.parametrize(
    ("gpus", "share", "waits_for"),
    [
        (["0", "1"], 1, "1.1"),
        (["1", "0"], 1, "2.1"),  # another order, so that numbers are others
        (["1"], 1, "2.1"),
        (["0", "1"], 2, None),  # it needs both of them
    ],
)
def test_a_job_waits_for_the_gpu_of_an_adopted_one(left, kind, gpus, share, waits_for):
    folder, gates = left(kind)
    following = Controller(folder, kind, gpus, share)
    with contextlib.closing(following.backend):
        jobs = [job(folder, "1.1"), job(folder, "2.1")]
        assert sorted(following.backend.adopt(jobs)) == ["1.1", "2.1"]
        following.backend.submit(job(folder, "3.1"))
        gates.open("3.1")
        for job_id in ("1.1", "2.1") if waits_for is None else (waits_for,):
            assert not following.has_started("3.1")
            gates.open(job_id)
            assert following.finished(job_id).outcome is Outcome.COMPLETED
        end = following.finished("3.1")
        assert (end.outcome, end.reason) == (Outcome.COMPLETED, "")
        following.backend.submit(job(folder, "4.1"))
        gates.open("4.1")
        assert following.finished("4.1").outcome is Outcome.COMPLETED


@KINDS
def test_a_free_gpu_is_used_beside_the_adopted_ones(left, kind):
    folder, gates = left(kind)
    following = Controller(folder, kind, ["0", "1", "2"], 1)
    with contextlib.closing(following.backend):
        following.backend.adopt([job(folder, "1.1"), job(folder, "2.1")])
        following.backend.submit(job(folder, "3.1"))
        gates.open("3.1")
        assert following.finished("3.1").outcome is Outcome.COMPLETED
    assert (folder / "logs" / "3.1.log").read_text() == "2\n"


@KINDS
def test_a_job_waits_for_the_end_of_one_that_is_not_adopted(left, kind):
    """The next controller does not want them any more, and ends them."""
    folder, gates = left(kind)
    following = Controller(folder, kind, ["0", "1"], 1)
    with contextlib.closing(following.backend):
        assert following.backend.adopt([]) == []
        for job_id in ("3.1", "4.1"):
            following.backend.submit(job(folder, job_id))
            gates.open(job_id)
        assert following.finished("3.1").outcome is Outcome.COMPLETED
        assert following.finished("4.1").outcome is Outcome.COMPLETED


@KINDS
def test_a_killed_supervisor_leaves_its_gpus_to_others(left, kind):
    folder, gates = left(kind)
    following = Controller(folder, kind, ["0", "1"], 1)
    with contextlib.closing(following.backend):
        following.backend.adopt([job(folder, "1.1"), job(folder, "2.1")])
        following.backend.submit(job(folder, "3.1"))
        gates.open("3.1")
        (supervisor,) = {each.pid for each in following.backend._all if not each._process}
        os.kill(supervisor, signal.SIGKILL)
        assert following.finished("1.1").outcome is Outcome.LOST
        assert following.finished("2.1").outcome is Outcome.LOST
        assert following.finished("3.1").outcome is Outcome.COMPLETED


def test_a_job_that_waits_can_be_cancelled(left):
    folder, gates = left("command")
    following = Controller(folder, "command", ["0"], 1)
    with contextlib.closing(following.backend):
        following.backend.adopt([job(folder, "1.1"), job(folder, "2.1")])
        following.backend.submit(job(folder, "3.1"))
        following.backend.cancel("3.1", grace=5.0)
        assert following.finished("3.1").outcome is Outcome.CANCELLED
        assert not following.has_started("3.1")
        gates.open("1.1")
        assert following.finished("1.1").outcome is Outcome.COMPLETED
