"""Jobs that outlive their controller: the next one adopts them with all their reports.

Real controllers are killed by SIGKILL. A job signals its progress through a named pipe, and waits
at another pipe until it may continue.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from hpo_core import Configuration
from hpo_core.backends import local
from hpo_core.backends.local.orphans import find
from hpo_core.backends.supervisor.processes import parents, watch_exit
from hpo_core.plugin import (
    BackendContext,
    Finished,
    Job,
    NoOptions,
    Outcome,
    Reported,
    Started,
    Work,
)

HANGS = 60.0

CONTROLLER = """
import json, os, sys
sys.path[:0] = json.loads(sys.argv[1])
import test_adoption as tests
folder, kind, ids, known, decides = json.loads(sys.argv[2])
controller = tests.Controller(folder, kind, decides)
reports = 0
if known is None:
    for job_id in ids:
        controller.submit(job_id)
else:
    assert controller.adopt(ids, known) == ids
    reports = len(ids) * 2  # they have been told before
while reports < len(ids) * 2:
    reports += sum(type(event) is tests.Reported for event in controller.backend.events(None))
controller.backend.events(0)  # all that was told by now is recorded
print("told", flush=True)
sys.stdin.read()
"""

COMMAND = """
report() { echo "{\\"iteration\\": $1, \\"loss\\": $2}" >&$HPO_REPORT_FD; }
report 1 10
report 2 20
echo here > "$FOLDER/here-$HPO_JOB_ID"
read word < "$FOLDER/go-$HPO_JOB_ID"
report 3 30
echo said something
case $word in
    fail) exit 3 ;;
    die) kill -SEGV $$ ;;
    babble) echo nonsense >&$HPO_REPORT_FD ;;
    wait) echo here > "$FOLDER/here-$HPO_JOB_ID"; read word < "$FOLDER/go-$HPO_JOB_ID" ;;
    leave) sleep 600 & ;;
esac
echo done > "$FOLDER/here-$HPO_JOB_ID"
"""

FUNCTION = """
import os, signal
from hpo_core import report

FOLDER = os.environ["FOLDER"]

def fit(configuration, job):
    def here(word="here"):
        with open(f"{FOLDER}/here-{job.id}", "w") as pipe:
            pipe.write(word)

    def go():
        with open(f"{FOLDER}/go-{job.id}") as pipe:
            return pipe.readline().strip()

    report(1, loss=10.0)
    report(2, loss=20.0)
    here()
    word = go()
    report(3, loss=30.0)
    print("said something", flush=True)
    if word == "fail":
        raise ValueError("no luck")
    if word == "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "wait":
        here()
        go()
    return 40.0
"""

KINDS = pytest.mark.parametrize("kind", ["command", "function"])


class Clock:
    now = staticmethod(time.time)


class Controller:
    """A backend as a controller has it, of a study whose folder it is given."""

    def __init__(self, folder, kind, decides=False):
        self.folder = str(folder)
        work = {"command": {"command": ("sh", "job.sh")}, "function": {"function": "train:fit"}}
        self.said = []
        self.backend = local.build(
            BackendContext(
                study="s",
                study_uid=uid(folder),
                work=Work(
                    directory=self.folder,
                    environment={"FOLDER": self.folder},
                    metric="loss",
                    **work[kind],
                ),
                workers=4,
                clock=Clock(),
                decides=decides,
                deliver=self.said.append,
                folder=f"{self.folder}/backend",
            ),
            NoOptions(),
        )

    def job(self, job_id, reports=0):
        return Job(
            id=job_id,
            trial_id=1,
            name="",
            configuration=Configuration(),
            checkpoint_dir=f"{self.folder}/checkpoints/{job_id}",
            log=f"{self.folder}/logs/{job_id}",
            reports=reports,
        )

    def submit(self, job_id):
        self.backend.submit(self.job(job_id))

    def adopt(self, ids, known):
        """Adopt jobs, each with its number of recorded reports."""
        return list(self.backend.adopt([self.job(job_id, known) for job_id in ids]))

    def until_ended(self, job_id):
        """Wait for the end of a job."""
        while not any(type(e) is Finished and e.job_id == job_id for e in self.said):
            events = self.backend.events(HANGS)
            assert events, f"nothing has happened for {HANGS} s; so far: {self.said}"
            self.said += events
        (end,) = [e for e in self.said if type(e) is Finished and e.job_id == job_id]
        return end

    def reported(self, job_id):
        return [(e.iteration, e.metrics["loss"]) for e in self.said
                if type(e) is Reported and e.job_id == job_id]  # fmt: skip


def uid(folder):
    return "adoption" + os.path.abspath(folder).replace("/", "-")


class Scene:
    """A folder with a study's jobs, and the controllers that are killed there."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "job.sh").write_text(COMMAND)
        (folder / "train.py").write_text(textwrap.dedent(FUNCTION))
        self._pipes = {}
        self.opened = []

    def _pipe(self, name):
        if name not in self._pipes:
            os.mkfifo(self.folder / name)
            self._pipes[name] = os.open(self.folder / name, os.O_RDWR)
        return self._pipes[name]

    def expect(self, *ids):
        """Make the pipes of jobs to come."""
        for job_id in ids:
            self._pipe(f"here-{job_id}")
            self._pipe(f"go-{job_id}")

    def begin_and_kill(self, kind, *ids, known=None, decides=False):
        """Let a controller submit jobs, or adopt them, hear two reports of each, and be killed."""
        self.expect(*ids)
        told = json.dumps([str(self.folder), kind, ids, known, decides])
        path = json.dumps([os.path.dirname(__file__)])
        with subprocess.Popen(
            [sys.executable, "-c", CONTROLLER, path, told],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as controller:
            assert controller.stdout.readline() == "told\n"
            if known is None:
                for job_id in ids:
                    assert self.heard(job_id) == "here"
            controller.kill()

    def heard(self, job_id):
        """Wait until a job says how far it has come."""
        return os.read(self._pipe(f"here-{job_id}"), 100).decode().strip()

    def let_go(self, job_id, word=""):
        os.write(self._pipe(f"go-{job_id}"), f"{word}\n".encode())

    def supervisor(self):
        """Return the process that writes the one journal."""
        (path,) = (self.folder / "backend").iterdir()
        with path.open() as file:
            return json.loads(file.readline())[1]

    def wait_for_the_end_of(self, process):
        """Wait until a process that is no child is gone."""
        with contextlib.suppress(ProcessLookupError):
            end = watch_exit(process)
            assert select.select([end], [], [], HANGS)[0]
            end.close()

    def controller(self, kind, **told):
        self.opened.append(Controller(self.folder, kind, **told))
        return self.opened[-1]

    def close(self):
        for controller in self.opened:
            controller.backend.close()
        for pipe in self._pipes.values():
            os.close(pipe)
        assert find(uid(self.folder)) == []


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    yield made
    made.close()


RESULT = {"command": None, "function": {"loss": 40.0}}


# -- taken over -----------------------------------------------------------------------------


@KINDS
def test_running_job_is_adopted_with_its_reports_and_its_end(scene, kind):
    scene.begin_and_kill(kind, "1.1")
    controller = scene.controller(kind)
    assert controller.adopt(["1.1"], known=2) == ["1.1"]
    scene.let_go("1.1")
    end = controller.until_ended("1.1")
    assert controller.reported("1.1") == [(3, 30.0)], "what is recorded is not told again"
    assert (end.outcome, end.reason, end.metrics) == (Outcome.COMPLETED, "", RESULT[kind])
    assert not any(type(event) is Started for event in controller.said)


@KINDS
def test_a_job_that_has_ended_meanwhile_counts_as_it_has_ended(scene, kind):
    scene.begin_and_kill(kind, "1.1")
    supervisor = scene.supervisor()
    scene.let_go("1.1")
    scene.wait_for_the_end_of(supervisor)
    controller = scene.controller(kind)
    asked = time.time()
    assert controller.adopt(["1.1"], known=2) == ["1.1"]
    end = controller.until_ended("1.1")
    assert controller.reported("1.1") == [(3, 30.0)]
    assert (end.outcome, end.metrics) == (Outcome.COMPLETED, RESULT[kind])
    assert end.time < asked, "when it has ended, and not when that was heard"


@KINDS
def test_reports_that_a_controller_had_read_and_not_recorded_are_told_again(scene, kind):
    """It can be killed between reading and recording."""
    scene.begin_and_kill(kind, "1.1")
    supervisor = scene.supervisor()
    scene.let_go("1.1")
    scene.wait_for_the_end_of(supervisor)
    controller = scene.controller(kind)
    assert controller.adopt(["1.1"], known=2) == ["1.1"]
    controller.until_ended("1.1")
    again = scene.controller(kind)
    assert again.adopt(["1.1"], known=2) == ["1.1"], "the first one has recorded nothing"
    again.until_ended("1.1")
    assert again.reported("1.1") == [(3, 30.0)]


@KINDS
def test_several_jobs_are_taken_over_at_once(scene, kind):
    ids = ["1.1", "2.1", "3.1"]
    scene.begin_and_kill(kind, *ids)
    scene.let_go("2.1")
    controller = scene.controller(kind)
    assert sorted(controller.adopt(ids, known=2)) == ids
    assert controller.until_ended("2.1").outcome is Outcome.COMPLETED
    scene.let_go("1.1"), scene.let_go("3.1", "fail")
    assert controller.until_ended("1.1").outcome is Outcome.COMPLETED
    assert controller.until_ended("3.1").outcome is Outcome.FAILED
    assert {job_id: controller.reported(job_id) for job_id in ids} == {
        job_id: [(3, 30.0)] for job_id in ids
    }


@KINDS
def test_what_a_job_fails_of_is_known_though_its_controller_did_not_see_it(scene, kind):
    scene.begin_and_kill(kind, "1.1")
    supervisor = scene.supervisor()
    scene.let_go("1.1", "fail")
    scene.wait_for_the_end_of(supervisor)
    controller = scene.controller(kind)
    assert controller.adopt(["1.1"], known=2) == ["1.1"]
    end = controller.until_ended("1.1")
    assert end.outcome is Outcome.FAILED
    reason = {
        "command": "exit status 3: said something\nsaid something",
        "function": "ValueError: no luck",
    }
    assert end.reason.startswith(reason[kind])


def test_a_signal_that_killed_a_command_is_known(scene):
    scene.begin_and_kill("command", "1.1")
    scene.let_go("1.1", "die")
    controller = scene.controller("command")
    assert controller.adopt(["1.1"], known=2) == ["1.1"]
    end = controller.until_ended("1.1")
    assert (end.outcome, end.reason.splitlines()[0]) == (Outcome.FAILED, "killed by SIGSEGV")


def test_malformed_report_fails_the_command(scene):
    scene.begin_and_kill("command", "1.1")
    scene.let_go("1.1", "babble")
    controller = scene.controller("command")
    assert controller.adopt(["1.1"], known=2) == ["1.1"]
    end = controller.until_ended("1.1")
    assert end.outcome is Outcome.FAILED
    assert end.reason.startswith("malformed report line 'nonsense'")


def test_function_waiting_for_a_decision_continues_without_a_controller(scene):
    scene.begin_and_kill("function", "1.1", decides=True)
    scene.let_go("1.1")
    controller = scene.controller("function", decides=True)
    assert controller.adopt(["1.1"], known=2) == ["1.1"]
    assert controller.until_ended("1.1").outcome is Outcome.COMPLETED
    assert controller.reported("1.1") == [(3, 30.0)]


@KINDS
def test_a_second_controller_that_is_killed_too_leaves_the_job_to_a_third(scene, kind):
    scene.begin_and_kill(kind, "1.1")
    scene.begin_and_kill(kind, "1.1", known=2)
    controller = scene.controller(kind)
    assert controller.adopt(["1.1"], known=2) == ["1.1"]
    scene.let_go("1.1")
    assert controller.until_ended("1.1").outcome is Outcome.COMPLETED
    assert controller.reported("1.1") == [(3, 30.0)]


# -- ended ----------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("grace", [0.0, 600.0])
def test_a_job_that_was_taken_over_can_be_cancelled(scene, kind, grace):
    scene.begin_and_kill(kind, "1.1")
    controller = scene.controller(kind)
    assert controller.adopt(["1.1"], known=2) == ["1.1"]
    controller.backend.cancel("1.1", grace=grace)
    if grace and kind == "function":  # it ends at its next report
        scene.let_go("1.1")
    assert controller.until_ended("1.1").outcome is Outcome.CANCELLED


@KINDS
def test_a_job_is_lost_when_its_supervisor_is_killed(scene, kind):
    scene.begin_and_kill(kind, "1.1")
    supervisor = scene.supervisor()
    controller = scene.controller(kind)
    assert controller.adopt(["1.1"], known=2) == ["1.1"]
    os.kill(supervisor, signal.SIGKILL)
    assert controller.until_ended("1.1").outcome is Outcome.LOST
    assert find(uid(scene.folder)) == [], "nothing of it is left, to be run again"


@KINDS
def test_a_job_whose_supervisor_is_gone_before_it_could_be_taken_over_is_ended(scene, kind):
    scene.begin_and_kill(kind, "1.1")
    supervisor = scene.supervisor()
    os.kill(supervisor, signal.SIGKILL)
    scene.wait_for_the_end_of(supervisor)
    controller = scene.controller(kind)
    assert controller.adopt(["1.1"], known=2) == []
    assert find(uid(scene.folder)) == []


def test_a_job_is_lost_when_the_supervisor_of_a_living_controller_is_killed(scene):
    scene.expect("1.1", "1.2")
    controller = scene.controller("command")
    controller.submit("1.1")
    assert scene.heard("1.1") == "here"
    controller.said += controller.backend.events(HANGS)
    os.kill(scene.supervisor(), signal.SIGKILL)
    end = controller.until_ended("1.1")
    assert end.outcome is Outcome.LOST
    assert find(uid(scene.folder)) == []
    controller.submit("1.2")
    scene.let_go("1.2")
    assert controller.until_ended("1.2").outcome is Outcome.COMPLETED


def test_what_has_left_the_group_of_a_command_ends_with_it(scene):
    scene.begin_and_kill("command", "1.1")
    supervisor = scene.supervisor()
    controller = scene.controller("command")
    assert controller.adopt(["1.1"], known=2) == ["1.1"]
    scene.let_go("1.1", "leave")
    assert controller.until_ended("1.1").outcome is Outcome.COMPLETED
    parent_of = parents()
    left = [pid for pid in find(uid(scene.folder)) if pid != supervisor]
    assert all(parent_of.get(pid) == supervisor for pid in left), "only its launchers"


@KINDS
def test_close_ends_what_was_taken_over_and_leaves_no_file(scene, kind):
    scene.begin_and_kill(kind, "1.1")
    controller = scene.controller(kind)
    assert controller.adopt(["1.1"], known=2) == ["1.1"]
    controller.backend.close()
    assert find(uid(scene.folder)) == []
    assert not (scene.folder / "backend").exists()
