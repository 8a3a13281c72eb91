"""A job that misbehaves once: as a command, and as a function in a warm worker.

The variable BAD lists the misbehaviours: the first for trial 2, the next for trial 4. Other trials
report and end; a command also reports how many processes of the previous job it finds, which must
have ended by then. `bad_jobs.py` runs this job, and states the expected outcomes.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from hpo_core import report

_IGNORES = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True);"
    "time.sleep(600)",
]


def fit(configuration: Mapping[str, Any], job: Any) -> None:
    """Be a function's job."""
    _run(job.trial_id)


def main() -> None:
    """Be a command's job."""
    _run(int(os.environ["HPO_TRIAL_ID"]))


def _run(trial_id: int) -> None:
    if trial_id % 2 == 0:
        BAD[os.environ["BAD"].split()[trial_id // 2 - 1]]()
    else:
        report(1, loss=float(trial_id), left=float(_left_behind(f"{trial_id - 1}.1")))


def _left_behind(job: str) -> int:
    """Count the processes that carry the variables of a job."""
    if "HPO_JOB_ID" not in os.environ or not os.path.isdir("/proc"):
        return 0
    count = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
            variables = file.read().split(b"\0")
            count += f"HPO_STUDY_UID={os.environ['HPO_STUDY_UID']}".encode() in variables and (
                f"HPO_JOB_ID={job}".encode() in variables
            )
    return count


def _report() -> None:
    report(1, loss=0.5)


# -- ways to die ------------------------------------------------------------------------------


def killed() -> None:
    """It is killed, as by the system for want of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def segfault() -> None:
    """It reads where nothing is."""
    import ctypes

    ctypes.string_at(0)


def out_of_memory() -> None:
    """It asks for more memory than its limit."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31))
    bytearray(1 << 32)


def exits() -> None:
    """It ends with its own exit status."""
    sys.stderr.write("no data\n")
    sys.stderr.flush()
    os._exit(3)


def raises_much() -> None:
    """It raises an error whose message has 50 million characters."""
    raise ValueError("x" * 50_000_000)


# -- what is left behind ----------------------------------------------------------------------


def leaves_children() -> None:
    """It leaves 50 children that ignore SIGTERM."""
    children = [subprocess.Popen(_IGNORES, stdout=subprocess.PIPE) for _ in range(50)]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    _report()


def leaves_a_daemon() -> None:
    """It leaves a daemon: forked twice, in its own session, its descriptors closed."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writing, b"\n")
            os.closerange(0, 256)
            time.sleep(600)
        os._exit(0)
    os.waitpid(child, 0)
    os.read(reading, 1)
    _report()


def leaves_a_daemon_with_the_pipe() -> None:
    """It leaves one that ignores SIGTERM and keeps all descriptors, the report pipe's too."""
    child = subprocess.Popen(
        _IGNORES, stdout=subprocess.PIPE, close_fds=False, start_new_session=True
    )
    assert child.stdout is not None
    child.stdout.readline()
    _report()


def bursts() -> None:
    """It is a fork bomb of 60 processes that die hard, each in its own session."""
    reading, writing = os.pipe()
    for _ in range(2):
        for _ in range(30):
            if os.fork() == 0:
                os.setsid()
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                os.write(writing, b"\n")
                time.sleep(600)
                os._exit(0)
    for _ in range(60):
        os.read(reading, 1)
    _report()


def forks() -> None:
    """It forks, and the child returns from the job's function as well."""
    _report()
    if os.fork() == 0:
        time.sleep(0.1)


# -- what it says -----------------------------------------------------------------------------


def prints_much() -> None:
    """It prints 100 MB."""
    for _ in range(100):
        sys.stdout.write("x" * 999_999 + "\n")
    _report()


def long_line() -> None:
    """It reports a line of 10 MB."""
    _say(b'{"loss": 1, "x": ' + b"1" * 10_000_000 + b"}\n")


def long_report() -> None:
    """It reports 10 MB of metrics."""
    report(1, **{f"metric {number:09}": 1.0 for number in range(400_000)})


def rubbish() -> None:
    """It writes a megabyte of random bytes where reports are expected."""
    _say(os.urandom(1 << 20))


def says_what_it_is_not_to() -> None:
    """It writes well-formed JSON that is no message."""
    _say(b'["finished", "no such outcome", 7]\n{"loss": [1]}\n')


def reports_much() -> None:
    """It reports as often as it can, in all as often as REPORTS says, at 1,000 a second."""
    began, count = time.monotonic(), int(os.environ["REPORTS"])
    for number in range(1, count + 1):
        report(number, loss=1.0 / number)
        if number % 100 == 0 and (early := began + number / 1000 - time.monotonic()) > 0:
            time.sleep(early)


def reports_a_huge_iteration() -> None:
    """It reports iteration 10^30."""
    report(10**30, loss=0.5)


def reports_a_huge_number() -> None:
    """It reports a number with 5,000 digits, and names with all sorts of characters."""
    if "HPO_REPORT_FD" in os.environ:
        _say(b'{"loss": ' + b"9" * 5000 + b"}\n")
    report(1, **{"loss": 0.5, "": 1.0, "\x1b[2J\r\n\0": 2.0, "\ud800": 3.0})


def never_reports() -> None:
    """It says nothing, and ends well."""


def reports_after_the_end() -> None:
    """It leaves a child, or a thread, that goes on reporting."""

    def go_on() -> None:
        for number in range(100_000):
            report(number, loss=-1e9)

    if "HPO_REPORT_FD" not in os.environ:
        threading.Thread(target=go_on, daemon=True).start()
    elif os.fork() == 0:
        with suppress(OSError):
            go_on()
        os._exit(0)
    _report()


def closes_its_pipe() -> None:
    """It reports, closes what it reported through, and goes on."""
    _report()
    for descriptor in _lines():
        os.close(descriptor)
    time.sleep(0.1)


# -- what it does not do ----------------------------------------------------------------------


def never_ends() -> None:
    """It reports, ignores SIGTERM, closes its standard streams, and never ends."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _report()
    sys.stdout.flush()
    time.sleep(600)


def changes_its_clock() -> None:
    """It sets its own idea of time back to 1970, and reports."""
    time.time = time.monotonic = lambda: 0.0  # type: ignore[assignment]
    os.environ["TZ"] = "Pacific/Apia"
    time.tzset()
    _report()


BAD: dict[str, Callable[[], None]] = {
    name: one
    for name, one in list(globals().items())
    if callable(one)
    and one.__module__ == __name__
    and not name.startswith("_")
    and name not in ("fit", "main")
}
BAD["harmless"] = _report


def _lines() -> list[int]:
    """Return the descriptors of the line to the controller: a pipe, or a worker's socket."""
    if "HPO_REPORT_FD" in os.environ:
        return [int(os.environ["HPO_REPORT_FD"])]
    found = []
    for descriptor in range(3, 256):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                found.append(descriptor)
    return found


def _say(data: bytes) -> None:
    for descriptor in _lines():
        left = memoryview(data)
        while left:
            select.select([], [descriptor], [])
            left = left[os.write(descriptor, left[:65536]) :]


if __name__ == "__main__":
    main()
