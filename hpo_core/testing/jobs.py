"""The jobs that `BackendContract` runs: Python functions, each of which can also be a command.

``hpo_core.testing.jobs:measures`` is the function, ``python -m hpo_core.testing.jobs measures``
the command. Worker processes import this module, so it uses only the
standard library and `hpo_core.client`.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from hpo_core.client import JobInfo, JobStopped, job, report

Values = Mapping[str, Any]


def measures(values: Values) -> None:
    """Report ``times`` times, with a counter."""
    for iteration in range(1, values["times"] + 1):
        report(iteration, loss=1.0 / iteration)


def quick(values: Values) -> None:
    """Report ``x`` immediately."""
    report(x=values["x"])


def returns(values: Values) -> float:
    """Report once, and return a number."""
    report(1, loss=1.0)
    return 0.5


def hears(values: Values) -> None:
    """Report the received values, encoded in the name of a metric."""
    report(**{as_heard(values): 1.0})


def as_heard(values: Values) -> str:
    """Return values in the encoding of `hears`."""
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def large(values: Values) -> None:
    """Report one metric with a very long name, then many metrics at once."""
    report(1, **{"n" * values["length"]: 1.0})
    report(2, **{f"many/{number}": float(number) for number in range(values["count"])})


def not_finite(values: Values) -> None:
    """Report values that are not finite."""
    report(1, nan=math.nan, up=math.inf, down=-math.inf)


def knows(values: Values, job: JobInfo) -> None:
    """Report its job context, and leave a file in the trial's folder for the next job."""
    mark = os.path.join(job.checkpoint_dir, "mark")
    report(
        trial=job.trial_id,
        iterations=-1 if job.iterations is None else job.iterations,
        found_a_mark=int(os.path.exists(mark)),
    )
    with open(mark, "w") as file:
        file.write(job.id)


def variables(values: Values) -> None:
    """Report an environment variable, encoded in the name of a metric."""
    report(**{os.environ["EXTRA"]: 1.0})


def sees_gpus(values: Values) -> None:
    """Report the GPUs that it may use, in metrics' names, and wait for ever."""
    seen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    report(**{name: 1.0 for name in seen.split(",") if name})
    threading.Event().wait()


def fails(values: Values) -> None:
    """Report, and fail with a reason."""
    report(1, loss=1.0)
    raise ValueError("the learning rate is too high")


def dies(values: Values) -> None:
    """Report, and kill itself."""
    report(1, loss=1.0)
    os.kill(os.getpid(), signal.SIGKILL)


def dies_if_told(values: Values) -> None:
    """Kill itself if ``dies`` is set, else report."""
    (dies if values["dies"] else quick)(values)


def reports_for_ever(values: Values) -> NoReturn:
    """Report the process id again and again."""
    iteration = 0
    while True:
        iteration += 1
        report(iteration, pid=os.getpid())


def waits(values: Values) -> None:
    """Report the process id and the number of the worker, then wait forever."""
    report(1, pid=os.getpid(), worker=float(os.environ.get("HPO_WORKER", "nan")))
    threading.Event().wait()


def ignores(values: Values) -> None:
    """Report the process id, then wait forever, and ignore the request to end."""
    with contextlib.suppress(ValueError):  # not in the main thread: signals do not arrive here
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with contextlib.suppress(JobStopped):
        report(1, pid=os.getpid())
    threading.Event().wait()


def has_a_child(values: Values) -> None:
    """Start a process that runs forever, report its id, and wait."""
    child = subprocess.Popen([sys.executable, "-c", "import threading as t; t.Event().wait()"])
    report(1, pid=child.pid)
    threading.Event().wait()


def command(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the command that runs a function of this module."""
    return ("{python}", "-m", "hpo_core.testing.jobs", function.__name__)


def reference(function: Callable[..., Any]) -> str:
    """Return the reference to a function of this module."""
    return f"{__name__}:{function.__name__}"


def main(name: str) -> None:
    """Run a function of this module as a command."""
    told = job()
    assert told is not None, "a backend runs this command, with the environment of a job"
    function = globals()[name]
    returned = function(told.configuration, *([told] if function is knows else []))
    if returned is not None:
        report(loss=returned)


if __name__ == "__main__":
    main(sys.argv[1])
