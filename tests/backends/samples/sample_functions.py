"""Functions that tests of backends run as jobs."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time

import hpo_core
from hpo_core import client


def half(configuration):
    return configuration["x"] / 2


def several(configuration):
    return {"loss": 1, "accuracy": 0.5}


def nothing(configuration):
    hpo_core.report(1, loss=0.25)


def told(configuration, job):
    assert job == client.job()
    assert os.path.isdir(job.checkpoint_dir)
    return {"trial": job.trial_id, "iterations": job.iterations, "x": job.configuration["x"]}


def with_default(configuration, epochs=3):
    return epochs


def of_no_use(configuration):
    return "a text"


def fails(configuration):
    raise ValueError("the learning rate is too high")


def exits(configuration):
    sys.exit("no data")


def dies(configuration):
    os.kill(os.getpid(), signal.SIGKILL)


def reads(configuration):
    """Read a named pipe to its end, without a report."""
    with open(configuration["pipe"]) as file:
        file.read()
    return 0.0


def leaves(configuration):
    os._exit(3)


def counts(configuration):
    """Reports for ever; says in its folder how it came to its end."""
    try:
        for iteration in range(configuration.get("limit", 10**9)):
            hpo_core.report(iteration, loss=1.0 / (iteration + 1))
    except Exception:  # noqa: BLE001  # as careless training loops do
        open(configuration["proof"] + ".swallowed", "w").close()
    finally:
        open(configuration["proof"], "w").close()
    return {"loss": 0.0}


def stubborn(configuration):
    """Stops at no report, and reports again and again."""
    while True:
        try:
            hpo_core.report(loss=1.0)
        except hpo_core.JobStopped:
            time.sleep(0.01)


def sleeps(configuration):
    hpo_core.report(loss=1.0)
    time.sleep(configuration.get("seconds", 600))


def prints(configuration):
    print("grüße from", configuration["x"])
    sys.stderr.write("and an error\n")
    subprocess.run(["echo", "a child's word"], check=True)


def process(configuration):
    return os.getpid()


def leaves_a_child(configuration):
    return subprocess.Popen(["sleep", "600"]).pid


def variables(configuration):
    return {"study": int(os.environ["HPO_STUDY_UID"], 16) % 97, "extra": int(os.environ["EXTRA"])}


def not_finite(configuration):
    hpo_core.report(1, loss=float("nan"), other=float("-inf"))
    return float("inf")


def holds(configuration):
    """Keeps a named pipe open for as long as it lives."""
    with open(configuration["pipe"], "w") as file:
        file.write("alive")
        file.flush()
        time.sleep(600)


def leaves_a_daemon(configuration):
    """Leaves a process in its own session; it may die then."""
    left = subprocess.Popen(["sleep", "600"], start_new_session=True)
    if configuration["dies"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return left.pid


def forks(configuration):
    """Returns twice, in this process and in a child of it."""
    if os.fork() == 0:
        configuration = {"x": -1.0}
    return configuration["x"]


late = []


def leaves_a_thread(configuration):
    """Leaves a thread, which reports when it is told to, and lets it report in the next job."""

    def report_later():
        go.wait()
        try:
            hpo_core.report(loss=-1.0)
        except RuntimeError as error:
            said.append(str(error))
        done.set()

    for go, done, said in late:
        go.set()
        done.wait()
        raise ValueError(f"the thread was told: {said}")
    go, done, said = threading.Event(), threading.Event(), []
    late.append((go, done, said))
    threading.Thread(target=report_later, daemon=True).start()
    return 1.0


def closes_its_line(configuration):
    """Closes descriptors that are not its own."""
    os.closerange(3, 256)
    return 1.0


def writes_to_its_line(configuration):
    """Writes what it is told to wherever there is a socket."""
    for descriptor in range(3, 256):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.write(descriptor, configuration["text"].encode("latin-1"))
    time.sleep(600)


def raises_what_it_is_told(configuration):
    raise ValueError(os.fsdecode(configuration["text"].encode("latin-1")) * configuration["times"])


def returns_many_metrics(configuration):
    return {f"{number:09}": 0.0 for number in range(100_000)}


def returns_what_has_no_value(configuration):
    class Tensor:
        def __float__(self):
            raise RuntimeError("a tensor with 2 elements has no value")

    return Tensor()
