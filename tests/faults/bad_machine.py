"""Run studies on faulty machines, and check what they have recorded.

    python tests/faults/bad_machine.py [NAME ...]

prints a line for each case: the exit status, and the message to the user, which must not be a
traceback. When the machine works again, ``hpo run`` must resume the study to its end, with every
job that was recorded as completed unchanged and present once.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

STUDY = """
name = "small"
seed = 7
workers = 2
strategy = "random"

[objective]
metric = "loss"
direction = "minimize"

[budget]
jobs = 60
wall_time = "1h"  # so that no job waits for a worker: the last ones start once others are recorded

[job]
command = ["sh", "job.sh", "{x}"]

[parameters.x]
type = "float"
low = 0.0
high = 1.0
"""

JOB = """
[ -p began ] && echo $HPO_JOB_ID > began
[ -p go ] && read line < go
echo "said $1"
echo "{\\"iteration\\": 1, \\"loss\\": $1}" > /dev/fd/$HPO_REPORT_FD
"""

_HPO = "from hpo_core.cli.main import main; main()"

Finished = subprocess.CompletedProcess[str]
Case = Callable[["Machine"], Finished]


class Machine:
    """A folder with a study of 60 quick jobs, and the command line.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "hpo.db"
        (folder / "study.toml").write_text(STUDY)
        (folder / "job.sh").write_text(JOB)
        self.completed: dict[tuple[int, int], str] = {}

    def start(
        self,
        *arguments: str,
        variables: Mapping[str, str] = {},
        **options: Any,
    ) -> subprocess.Popen[str]:
        """Start the command line."""
        environment = {name: value for name, value in os.environ.items() if name != "HPO_STORE"}
        return subprocess.Popen(
            [sys.executable, "-c", _HPO, *arguments],
            cwd=self.folder,
            env={**environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def hpo(self, *arguments: str, **options: Any) -> Finished:
        """Call the command line."""
        return self.end(self.start(*arguments, **options))

    def end(self, process: subprocess.Popen[str]) -> Finished:
        """Wait for it."""
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def run(self, **options: Any) -> Finished:
        """Run the study, or resume it."""
        return self.hpo("run", "study.toml", "--quiet", **options)

    def begin(self, jobs: int) -> None:
        """Run a number of the study's jobs, stop the study, and remember their reports."""
        with self.under_way(jobs) as running:
            running.send_signal(signal.SIGINT)
            assert self.end(running).returncode == 130

    @contextmanager
    def under_way(
        self, jobs: int = 10, variables: Mapping[str, str] = {}
    ) -> Iterator[subprocess.Popen[str]]:
        """Run the study, and block its jobs within the context after a number of them."""
        gate, began = (self.folder / name for name in ("go", "began"))
        for pipe in (gate, began):
            os.mkfifo(pipe)
        go, beginnings = os.open(gate, os.O_RDWR), os.fdopen(os.open(began, os.O_RDWR))
        try:
            running = self.start("run", "study.toml", "--quiet", variables=variables)
            os.write(go, b"\n" * jobs)
            for _ in range(jobs + 2):  # the last two have begun when the others were recorded
                beginnings.readline()
            self.completed = self.recorded()
            assert len(self.completed) == jobs
            yield running
        finally:
            gate.unlink()
            began.unlink()
            os.write(go, b"\n" * 2)
            running.wait()
            os.close(go)
            beginnings.close()

    def recorded(self) -> dict[tuple[int, int], str]:
        """Return what is recorded of each completed job."""
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as connection:
            rows = connection.execute(
                "SELECT trial, attempt, metrics FROM job WHERE state = 'completed'"
            ).fetchall()
        return {(trial, attempt): metrics for trial, attempt, metrics in rows}

    def faults(self) -> list[str]:
        """Carry the study on, and return what is not as it has to be."""
        wrong = []
        again = self.run()
        if again.returncode != 0 or again.stderr:
            wrong.append(f"resumed, it ended with {again.returncode}: {again.stderr}")
        recorded = self.recorded()
        if lost := [job for job, metrics in self.completed.items() if recorded.get(job) != metrics]:
            wrong.append(f"lost or changed: {lost}")
        if len(recorded) != 60 or len({trial for trial, _ in recorded}) != 60:
            wrong.append(f"{len(recorded)} jobs are completed, and not 60, each trial once")
        with closing(sqlite3.connect(self.store)) as connection:
            if (said := connection.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                wrong.append(said)
        return wrong


# -- the disk ---------------------------------------------------------------------------------


def disk_full(machine: Machine) -> Finished:
    """The file system has no space left: a tmpfs of 400 kB, which grows later."""
    store = machine.folder / "full"
    store.mkdir()
    _mount("-t", "tmpfs", "-o", "size=400k", "tmpfs", str(store))
    machine.store = store / "hpo.db"
    ended = machine.hpo("run", "study.toml", "--quiet", "--store", str(machine.store))
    machine.completed = machine.recorded()
    assert 0 < len(machine.completed) < 60
    _mount("-o", "remount,size=100M", str(store))
    machine.run = lambda **options: machine.hpo(  # type: ignore[method-assign]
        "run", "study.toml", "--quiet", "--store", str(machine.store)
    )
    return ended


def file_too_large(machine: Machine) -> Finished:
    """No file may grow above 200 kB (ulimit -f), so that a write of the store fails."""
    ended = machine.run(preexec_fn=_limits(RLIMIT_FSIZE=200_000))
    machine.completed = machine.recorded()
    assert 0 < len(machine.completed) < 60
    return ended


def read_only_store(machine: Machine) -> Finished:
    """The store may only be read: by its permissions, or for root by those of its file system."""
    machine.begin(10)
    if os.geteuid() != 0:
        with _read_only(machine):
            return machine.run()
    _mount("--bind", str(machine.folder), str(machine.folder))
    _mount("-o", "remount,bind,ro", str(machine.folder))
    try:
        return machine.run()
    finally:
        subprocess.run(["umount", str(machine.folder)], check=True)


def locked_store(machine: Machine) -> Finished:
    """Another process holds the store for longer than anybody waits."""
    machine.begin(10)
    with closing(sqlite3.connect(machine.store, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        return machine.run()


def store_removed(machine: Machine) -> Finished:
    """The store is moved away while the study runs, and then put back."""
    with machine.under_way() as running:
        for suffix in ("", "-wal", "-shm"):
            shutil.move(f"{machine.store}{suffix}", f"{machine.folder}/moved{suffix}")
    ended = machine.end(running)
    for suffix in ("", "-wal", "-shm"):
        if Path(f"{machine.folder}/moved{suffix}").exists():
            shutil.move(f"{machine.folder}/moved{suffix}", f"{machine.store}{suffix}")
    return ended


def folder_removed(machine: Machine) -> Finished:
    """The folder of logs and checkpoints is deleted while the study runs."""
    with machine.under_way() as running:
        os.rename(machine.folder / "hpo.files", machine.folder / "gone")
        shutil.rmtree(machine.folder / "gone")
    return machine.end(running)


def logs_removed(machine: Machine) -> Finished:
    """The logs alone are deleted while the study runs: it makes the folder again, and goes on."""
    with machine.under_way() as running:
        (logs,) = machine.folder.glob("hpo.files/*/logs")
        shutil.rmtree(logs)
    return machine.end(running)


def damaged_journal(machine: Machine) -> Finished:
    """The controller and its supervisor are killed, and the supervisor's journal is damaged."""
    with machine.under_way() as running:
        running.kill()
        running.communicate()
        (journal,) = machine.folder.glob("hpo.files/*/backend-*/*")
        with journal.open("r+b") as file:
            os.kill(json.loads(file.readline())[1], signal.SIGKILL)
            fcntl.flock(file, fcntl.LOCK_SH)  # until it is gone
            file.seek(0)
            file.write(b"\xa5\n" * 20)
    return machine.run()


def clock_set_back(machine: Machine) -> Finished:
    """The system's clock is set back by a day while the study runs (libfaketime)."""
    moment = machine.folder / "moment"
    moment.write_text("+0")
    variables = {
        "LD_PRELOAD": _libfaketime(),
        "FAKETIME_TIMESTAMP_FILE": str(moment),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with machine.under_way(variables=variables) as running:
        moment.write_text("-1d")
    ended = machine.end(running)
    with closing(sqlite3.connect(machine.store)) as connection:
        backwards = connection.execute(
            "SELECT count(*) FROM job WHERE NOT (queued <= started AND started <= ended)"
        ).fetchone()[0]
        times = [row[0] for row in connection.execute("SELECT time FROM log ORDER BY seq")]
    assert not backwards
    assert times == sorted(times)
    assert times[-1] - times[0] < 3600
    return ended


# -- invalid stores ---------------------------------------------------------------------------


def truncated_store(machine: Machine) -> Finished:
    """Half of the store is missing, and then found."""
    return _with_store(machine, lambda whole: whole[: len(whole) // 2])


def overwritten_store(machine: Machine) -> Finished:
    """The middle of the store is overwritten."""
    return _with_store(machine, lambda whole: whole[:5000] + b"\xa5" * 20_000 + whole[25_000:])


def rubbish_store(machine: Machine) -> Finished:
    """The store is random bytes."""
    return _with_store(machine, lambda whole: os.urandom(len(whole)))


def foreign_store(machine: Machine) -> Finished:
    """The store is an SQLite file of another program."""
    return _with_changed_store(machine, "PRAGMA application_id = 7")


def newer_store(machine: Machine) -> Finished:
    """The store was written by a newer version."""
    return _with_changed_store(machine, "PRAGMA user_version = 99")


def missing_table(machine: Machine) -> Finished:
    """A table of the store is gone."""
    return _with_changed_store(machine, "DROP TABLE log")


# -- what else there may be too little of -----------------------------------------------------


def too_many_open_files(machine: Machine) -> Finished:
    """The limit of open files is reached (ulimit -n 20)."""
    machine.begin(10)
    return machine.run(preexec_fn=_limits(RLIMIT_NOFILE=15))


def no_folder_for_temporary_files(machine: Machine) -> Finished:
    """There is no place for temporary files."""
    machine.begin(10)
    return machine.run(
        variables=dict.fromkeys(("TMPDIR", "TMP", "TEMP", "SQLITE_TMPDIR"), "/nowhere")
    )


CASES: dict[str, tuple[Case, int, str]] = {
    "disk_full": (disk_full, 1, "disk is full: free some space"),
    "file_too_large": (file_too_large, 1, "cannot write to the store"),
    "read_only_store": (read_only_store, 2, "or its folder may not be written"),
    "locked_store": (locked_store, 1, "database is locked: another process has held it"),
    "store_removed": (store_removed, 1, "the store hpo.db was removed or replaced"),
    "folder_removed": (folder_removed, 1, "was removed or replaced"),
    "logs_removed": (logs_removed, 0, ""),
    "damaged_journal": (damaged_journal, 0, "is damaged ("),
    "clock_set_back": (clock_set_back, 0, ""),
    "truncated_store": (truncated_store, 2, "malformed: it is damaged"),
    "overwritten_store": (overwritten_store, 2, "it is damaged"),
    "rubbish_store": (rubbish_store, 2, "file is not a database: it is something else"),
    "foreign_store": (foreign_store, 2, "is an SQLite file, but not a store of hpo-core"),
    "newer_store": (newer_store, 2, "was written by a newer hpo-core (schema 99"),
    "missing_table": (missing_table, 2, "no such table: log"),
    "too_many_open_files": (too_many_open_files, 1, "raise the limit (ulimit -n)"),
    "no_folder_for_temporary_files": (no_folder_for_temporary_files, 0, ""),
}
"""Each case with the exit status, and the message on standard error."""


def needs(name: str) -> str:
    """Return what keeps a case from being tried here, or nothing."""
    if name == "disk_full" and (os.geteuid() != 0 or sys.platform != "linux"):
        return "needs root, to mount a small file system"
    if name == "clock_set_back" and not _libfaketime():
        return "needs libfaketime (Debian: apt-get install faketime)"
    return ""


@contextmanager
def machine(folder: Path | None = None) -> Iterator[Machine]:
    """Give a machine, in a folder that others may look into; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hpo-bad-", dir=folder) as name:
        os.chmod(name, 0o755)
        made = Machine(Path(name))
        try:
            yield made
        finally:
            if os.path.ismount(f"{name}/full"):
                subprocess.run(["umount", f"{name}/full"], check=True)


def verdict(name: str, on: Machine, ended: Finished) -> list[str]:
    """Return what is not as it has to be."""
    _, status, says = CASES[name]
    wrong = []
    if ended.returncode != status:
        wrong.append(f"exit status {ended.returncode}, and not {status}")
    if says not in ended.stderr or (not says and ended.stderr) or "Traceback" in ended.stderr:
        wrong.append(f"it says {ended.stderr!r}, and not {says!r}")
    if len(ended.stderr.splitlines()) > 1:
        wrong.append("it says more than one line")
    return wrong + on.faults()


def main() -> int:
    """Try them all, and print what came of them."""
    status = 0
    print("| case | exit status | the sentence |\n|---|---|---|")
    for name in sys.argv[1:] or CASES:
        if why := needs(name):
            print(f"| {name} | not tried: {why} | |")
            continue
        with machine() as on:
            ended = CASES[name][0](on)
            print(f"| {name} | {ended.returncode} | {ended.stderr.strip()} |", flush=True)
            for wrong in verdict(name, on, ended):
                print(f"WRONG: {wrong}")
                status = 1
    return status


# -- means ------------------------------------------------------------------------------------


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _libfaketime() -> str:
    """Return where the library is, or nothing."""
    found = (
        [*Path("/usr/lib").glob("*/faketime/libfaketime.so.1")] if sys.platform == "linux" else []
    )
    return str(found[0]) if found else ""


def _limits(**limits: int) -> Callable[[], None]:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for name, most in limits.items():
            resource.setrlimit(getattr(resource, name), (most, most))

    return limit


@contextmanager
def _read_only(machine: Machine) -> Iterator[None]:
    """Let others read what is there, and nobody write it who is not the administrator."""
    files = [path for path in machine.folder.rglob("*") if not path.is_fifo()]
    before = {path: path.stat().st_mode for path in files}
    for path in files:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path, mode in before.items():
            path.chmod(mode)


def _with_store(machine: Machine, change: Callable[[bytes], bytes]) -> Finished:
    """Run with another content in the store's file, and put the right one back."""
    machine.begin(10)
    with closing(sqlite3.connect(machine.store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = machine.store.read_bytes()
    machine.store.write_bytes(change(whole))
    ended = machine.run()
    for suffix in ("-wal", "-shm"):
        Path(f"{machine.store}{suffix}").unlink(missing_ok=True)
    machine.store.write_bytes(whole)
    return ended


def _with_changed_store(machine: Machine, statement: str) -> Finished:
    def changed(whole: bytes) -> bytes:
        other = machine.folder / "other.db"
        other.write_bytes(whole)
        with closing(sqlite3.connect(other)) as connection, connection:
            connection.execute(statement)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with closing(sqlite3.connect(other)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
        return other.read_bytes()

    return _with_store(machine, changed)


if __name__ == "__main__":
    sys.exit(main())
