"""Workers are forked from a process that has loaded the function, unless that is unsafe."""

import os
import subprocess
import sys

import pytest

from hpo_core.plugin import Outcome

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks workers on Linux alone")

FIT = """
import os

def fit(configuration):
    with open(configuration["pipe"]) as pipe:
        pipe.read()
    return {"loss": 1.0, "loaded_here": float(LOADED_IN == os.getpid())}

LOADED_IN = os.getpid()
"""

THREAD = """
import threading
threading.Thread(target=threading.Event().wait, name="pump", daemon=True).start()
"""

ENDED_THREAD = """
import threading
thread = threading.Thread(target=print)
thread.start()
thread.join()
"""


def run_two(start, tmp_path, module):
    """Run two jobs at a time; return their metrics."""
    (tmp_path / "module.py").write_text(module)
    os.mkfifo(tmp_path / "pipe")
    gate = os.open(tmp_path / "pipe", os.O_RDWR)
    driver = start("local", function="module:fit", directory=str(tmp_path), workers=2)
    jobs = [driver.submit({"pipe": str(tmp_path / "pipe")}) for _ in range(2)]
    for job in jobs:
        driver.started(job)
    (tmp_path / "open").touch()
    os.replace(tmp_path / "open", tmp_path / "pipe")
    os.close(gate)
    finished = [driver.finished(job) for job in jobs]
    assert [each.outcome for each in finished] == [Outcome.COMPLETED] * 2, finished
    return [each.metrics for each in finished]


def test_workers_are_new_processes_where_a_fork_is_not_safe_and_one_remark_says_why(
    start, tmp_path, caplog
):
    metrics = run_two(start, tmp_path, THREAD + FIT)
    assert [each["loaded_here"] for each in metrics] == [1.0, 1.0]
    assert [record.message for record in caplog.records] == [
        "each worker is a new process, which takes longer to start, since its module has started "
        "threads that still run (pump)"
    ]


@pytest.mark.parametrize("module", ["", ENDED_THREAD])
def test_workers_are_forked_where_that_is_safe(start, tmp_path, caplog, module):
    metrics = run_two(start, tmp_path, module + FIT)
    assert [each["loaded_here"] for each in metrics] == [0.0, 0.0]
    assert not caplog.records


def obstacle(code):
    """Return what keeps a process from being forked that has run some code."""
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys\nfrom hpo_core.backends.supervisor import forkable\n{code}\n"
            "print(forkable.obstacle())",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.strip()


def test_an_open_gpu_is_an_obstacle(tmp_path):
    """This machine has none: a file represents it."""
    device = tmp_path / "nvidia0"
    device.touch()
    stands_for = f"forkable._GPU = ({str(tmp_path / 'nvidia')!r},)"
    assert obstacle(stands_for) == "None"
    opened = obstacle(f"{stands_for}; device = open({str(device)!r})")
    assert opened == f"its module has opened {device}"


OPENMP = """
import os
os.environ["OMP_NUM_THREADS"] = "2"
import numpy
from sklearn.cluster import KMeans
print(forkable.obstacle())
KMeans(2, n_init=1).fit(numpy.random.random((2000, 2)))
"""


def test_a_pool_of_openmp_threads_is_an_obstacle_once_it_is_used():
    assert obstacle(OPENMP).splitlines() == ["None", "its module has run code on OpenMP threads"]


def test_macos_is_an_obstacle():
    assert obstacle("sys.platform = 'darwin'") == "this system's libraries do not allow it"


DRAWS = """
import random
import numpy

def fit(configuration):
    with open(configuration["pipe"]) as pipe:
        pipe.read()
    return {"loss": random.random(), "numpy": numpy.random.random()}

random.seed(1)
numpy.random.seed(1)
"""


def test_each_worker_has_random_numbers_that_are_its_own(start, tmp_path):
    metrics = run_two(start, tmp_path, DRAWS)
    assert len({each["loss"] for each in metrics}) == 2
    assert len({each["numpy"] for each in metrics}) == 2
