"""The supervisor: jobs do not harm each other, and limits use the job's own run time."""

import os
import signal
import socket
import subprocess
import sys
import textwrap

import pytest

from hpo_core.backends.supervisor.command_slot import CommandSlot
from hpo_core.backends.supervisor.connection import BlockingConnection
from hpo_core.backends.supervisor.function_slot import FunctionSlot
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.plugin import Finished, Outcome

HARMS = """
import os, signal

def fit(configuration):
    if configuration["signal"]:
        os.kill(os.getppid(), configuration["signal"])
    with open(configuration["pipe"]) as pipe:
        pipe.read()
    return 1.0

if __name__ == "__main__":
    import sys
    from hpo_core import report
    report(loss=fit({"signal": int(sys.argv[1]), "pipe": sys.argv[2]}))
"""


@pytest.fixture
def harms(start, tmp_path):
    """Return a backend of jobs that may signal their parents, and what lets a job go on."""
    (tmp_path / "harms.py").write_text(HARMS)
    for name in ("bad", "good"):
        os.mkfifo(tmp_path / name)

    def make(kind):
        work = {
            "command": {"command": ("{python}", "harms.py", "{signal}", "{pipe}")},
            "function": {"function": "harms:fit"},
        }[kind]
        driver = start("local", directory=str(tmp_path), **work)
        good = driver.submit({"signal": 0, "pipe": str(tmp_path / "good")})
        driver.started(good)
        return driver, good

    return make


@pytest.mark.parametrize("kind", ["command", "function"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_job_that_ends_its_parent_is_blamed_and_harms_no_other(harms, tmp_path, kind, number):
    driver, good = harms(kind)
    bad = driver.run({"signal": int(number), "pipe": str(tmp_path / "bad")})
    assert bad.outcome is Outcome.FAILED
    assert "the job killed its parent" in bad.reason
    assert not any(type(e) is Finished and e.job_id == good.id for e in driver.said)
    (tmp_path / "good").write_text("")
    assert driver.finished(good).outcome is Outcome.COMPLETED


@pytest.mark.parametrize("kind", ["command", "function"])
def test_a_job_that_stops_its_parent_holds_nothing_up(harms, tmp_path, kind):
    driver, good = harms(kind)
    bad = driver.submit({"signal": int(signal.SIGSTOP), "pipe": str(tmp_path / "bad")})
    (tmp_path / "bad").write_text("")
    assert driver.finished(bad).outcome is Outcome.COMPLETED
    (tmp_path / "good").write_text("")
    assert driver.finished(good).outcome is Outcome.COMPLETED


AT_ONCE = [("STOP", Outcome.TIMED_OUT), ("TERM", Outcome.FAILED), ("KILL", Outcome.FAILED)]


@pytest.mark.parametrize(("number", "outcome"), AT_ONCE)
def test_a_parent_may_be_met_before_it_could_tell_of_its_job(start, number, outcome):
    script = f"kill -{number} $PPID; exec sleep 60"
    driver = start("local", command=("sh", "-c", script))
    assert driver.run({}, time_limit=0.3).outcome is outcome


@pytest.mark.parametrize("kind", ["command", "function"])
def test_a_limit_holds_for_a_job_that_has_stopped_its_parent(harms, tmp_path, kind):
    driver, good = harms(kind)
    values = {"signal": int(signal.SIGSTOP), "pipe": str(tmp_path / "bad")}
    end = driver.run(values, time_limit=0.3)
    assert (end.outcome, end.reason) == (Outcome.TIMED_OUT, "ran longer than its limit of 0.3 s")
    assert end.ran is not None
    assert end.ran >= 0.3
    (tmp_path / "good").write_text("")
    assert driver.finished(good).outcome is Outcome.COMPLETED


@pytest.mark.parametrize("kind", ["command", "function"])
def test_a_job_that_says_nothing_is_ended_by_its_silence_limit(harms, tmp_path, kind):
    driver, _ = harms(kind)
    end = driver.run({"signal": 0, "pipe": str(tmp_path / "bad")}, silence_limit=0.3)
    assert (end.outcome, end.reason) == (Outcome.SILENT, "reported nothing for 0.3 s")


def test_a_job_whose_process_is_reaped_already_has_ended():
    """A limit may pass between its parent's reaping it and saying so."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    ours, theirs = socket.socketpair()
    loop = Loop()
    slot = CommandSlot(ours, loop, owner=None)
    slot.leader = gone.pid
    assert slot.catch_up() is False
    slot.close()
    theirs.close()
    loop.close()


def test_a_worker_that_is_ready_first_gets_a_job_once_its_process_is_known():
    """Else the job would have no process, and so would have run for no time."""

    class Owner:
        given = []

        def idle(self, slot):
            self.given.append(slot.leader)

    ours, theirs = socket.socketpair()
    loop, launcher = Loop(), BlockingConnection(theirs)
    slot = FunctionSlot(ours, loop, Owner(), decides=False)
    slot.fork_worker({}, "")
    assert launcher.receive()[0] == "fork"
    with socket.socket(fileno=launcher.descriptors.popleft()) as worker:
        worker.sendall(b'["ready"]\n')
        loop.run(0)
        assert Owner.given == []
        launcher.send("started", os.getpid(), 0.0)
        loop.run(0)
        assert Owner.given == [os.getpid()]
        slot.leader = 0
        slot.close()
    theirs.close()
    loop.close()


def test_reports_of_threads_and_forked_children_are_whole_lines(start, tmp_path):
    """Of a pipe, the system keeps apart only 4,096 bytes."""
    (tmp_path / "many.py").write_text(
        textwrap.dedent("""
            import os, threading
            from hpo_core import report

            def say(who):
                for n in range(20):
                    report(n, **{f"{who}/{metric}": float(n) for metric in range(1000)})

            children = [os.fork() for _ in range(2)]
            me = "".join(str(int(pid == 0)) for pid in children)
            threads = [threading.Thread(target=say, args=(f"{me}-{k}",)) for k in range(3)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            for pid in children:
                if pid: os.waitpid(pid, 0)
        """)
    )
    driver = start("local", directory=str(tmp_path), command=("{python}", "many.py"))
    job = driver.submit()
    assert driver.finished(job).outcome is Outcome.COMPLETED
    reports = driver.reports(job.id)
    assert len(reports) == 4 * 3 * 20
    assert all(len(metrics) == 1000 for _, metrics in reports)


NESTED = """
name = "nested"
strategy = "random"
objective = { metric = "loss", direction = "minimize" }
budget = { jobs = 1 }
job = { command = ["sh", "-c", "echo $$ > PIDS; exec sleep 600"], grace = 60 }
parameters.x = { type = "float", low = 0, high = 1 }
"""


@pytest.mark.parametrize("grace", [0.0, 60.0])
def test_a_study_that_a_job_runs_ends_with_the_job(start, tmp_path, ends, grace):
    os.mkfifo(tmp_path / "pids")
    study = NESTED.replace("PIDS", str(tmp_path / "pids"))
    (tmp_path / "nested.toml").write_text(study)
    main = "from hpo_core.cli.main import main; main()"
    command = ("{python}", "-c", main, "run", "nested.toml", "--quiet")
    driver = start("local", directory=str(tmp_path), command=command)
    job = driver.submit()
    driver.started(job)
    inner = int((tmp_path / "pids").read_text())
    driver.backend.cancel(job.id, grace=grace)
    assert driver.finished(job).outcome is Outcome.CANCELLED
    assert ends(inner)
