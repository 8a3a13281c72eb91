"""Functions that tests of backends run as jobs."""

import os
import signal
import subprocess
import sys
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
