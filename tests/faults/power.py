"""Simulate power cuts: unsynced data is lost, completely or partly, when a job is announced.

    python tests/faults/power.py --jobs 200

A preloaded library records a study's writes and syncs (Linux, with a C compiler). At each
announcement of a finished job the power is cut: the files are reconstructed as a disk may have them
then. In the worst case, no unsynced data is there; in others, each unsynced block is there or not,
at random. A new file exists only after its folder is synced. Each such store must be intact. With
``durability = "full"`` it must contain every announced job; with ``"normal"`` the missing ones are
counted.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from studies import table

BLOCK = 512
HEADER = struct.Struct("=IIQQ")

CONTROLLER = """
import os, sys
from hpo_core import *
from hpo_core.plugin import JobSettings, PluginChoice
folder, jobs, durability = sys.argv[1], int(sys.argv[2]), sys.argv[3]
config = StudyConfig(
    name="s", seed=7, strategy=PluginChoice("random"), backend=PluginChoice("inline"),
    objectives=(Objective("loss", "minimize"),), job=JobSettings(function="here:loss"),
    space=SearchSpace((Float("x", 0.0, 1.0),)), budget=Budget(jobs=jobs), durability=durability,
)
announced = os.open(f"{folder}/announced", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def loss(configuration):
    return configuration["x"]
with HyperParameterOptimizer(config, store=f"{folder}/hpo.db", function=loss) as optimizer:
    optimizer.run(on_job_finished=lambda job: os.write(announced, f"{job.job.id}\\n".encode()))
"""


class Record(NamedTuple):
    """Something that was done to a file."""

    kind: str
    path: str
    offset: int
    data: bytes


class Change(NamedTuple):
    """What a file has become since it was last synced: data at a place, or a new length."""

    offset: int
    data: bytes | None


class Disk:
    """Files as a disk has them for certain, and what may be there besides."""

    def __init__(self) -> None:
        self._synced: dict[str, bytearray] = {}
        self._changes: dict[str, list[Change]] = {}
        self._certain: set[str] = set()  # files whose folder was synced when they were there

    def take_in(self, record: Record) -> None:
        """Take a record in."""
        match record.kind:
            case "w":
                self._change(record.path, Change(record.offset, record.data))
            case "t":
                self._change(record.path, Change(record.offset, None))
            case "u":
                for kept in (self._synced, self._changes):
                    kept.pop(record.path, None)
            case "s" if record.path in self._changes:
                for change in self._changes[record.path]:
                    _apply(self._synced.setdefault(record.path, bytearray()), change)
                self._changes[record.path] = []
            case "s":  # a folder
                self._certain |= {
                    path for path in self._changes if os.path.dirname(path) == record.path
                }

    def _change(self, path: str, change: Change) -> None:
        self._changes.setdefault(path, []).append(change)

    def cut(self, folder: Path, chance: random.Random | None) -> None:
        """Write the files as they may be after a power cut.

        Args:
            folder: Where to.
            chance: What of the rest is there; None for nothing.
        """
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for path, changes in self._changes.items():
            if path not in self._certain and (chance is None or chance.random() < 0.5):
                continue
            content = bytearray(self._synced.get(path, b""))
            for change in changes if chance is not None else ():
                for piece in _blocks(change):
                    if chance is not None and chance.random() < 0.5:
                        _apply(content, piece)
            (folder / os.path.basename(path)).write_bytes(content)


def _apply(content: bytearray, change: Change) -> None:
    if change.data is None:
        del content[change.offset :]
        content.extend(bytes(change.offset - len(content)))
    else:
        content.extend(bytes(max(change.offset - len(content), 0)))
        content[change.offset : change.offset + len(change.data)] = change.data


def _blocks(change: Change) -> Iterator[Change]:
    if change.data is None:
        yield change
        return
    for start in range(0, len(change.data), BLOCK):
        yield Change(change.offset + start, change.data[start : start + BLOCK])


def records(log: Path) -> Iterator[Record]:
    """Read what was recorded."""
    data = log.read_bytes()
    place = 0
    while place < len(data):
        kind, path_length, offset, length = HEADER.unpack_from(data, place)
        place += HEADER.size
        path = data[place : place + path_length].decode()
        place += path_length
        yield Record(chr(kind), path, offset, data[place : place + length])
        place += length


def stored(folder: Path) -> set[str]:
    """Return the jobs that a store has as completed; none if there is no store.

    Raises:
        sqlite3.Error: If it is broken.
    """
    if not (folder / "hpo.db").exists():
        return set()
    with closing(sqlite3.connect(folder / "hpo.db")) as connection:
        said = connection.execute("PRAGMA integrity_check").fetchall()
        if said != [("ok",)]:
            raise sqlite3.DatabaseError(str(said))
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'job'").fetchall():
            return set()
        rows = connection.execute("SELECT trial, attempt FROM job WHERE state = 'completed'")
        return {f"{trial}.{attempt}" for trial, attempt in rows}


def run(work: Path, library: Path, durability: str, jobs: int) -> Path:
    """Run a study; return the log of what it did to its files."""
    folder, log = work / durability, work / f"{durability}.log"
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-c", CONTROLLER, str(folder), str(jobs), durability],
        check=True,
        env={
            **os.environ,
            "LD_PRELOAD": str(library),
            "POWER_ROOT": str(folder),
            "POWER_LOG": str(log),
        },
    )
    return log


def cuts(
    log: Path, scratch: Path, times: int, chance: random.Random, certain: bool
) -> tuple[dict[str, int], list[str]]:
    """Cut the power at each announcement; return counts, and faults.

    Args:
        log: What was done.
        scratch: A folder to put stores together in.
        times: How often by chance, at each announcement, besides the worst case.
        chance: The chance.
        certain: Whether no announced job may be missing.
    """
    disk, announced, faults = Disk(), set[str](), []
    counts = {"announced": 0, "syncs": 0, "cuts": 0, "most missing": 0}
    for record in records(log):
        if not record.path.endswith("/announced"):
            disk.take_in(record)
            counts["syncs"] += record.kind == "s"
            continue
        announced |= set(record.data.decode().split())
        counts["announced"] += 1
        for case in (None, *[chance] * times):
            disk.cut(scratch, case)
            counts["cuts"] += 1
            try:
                missing = announced - stored(scratch)
            except sqlite3.Error as error:
                faults.append(f"after {len(announced)} jobs the store is broken: {error}")
                continue
            counts["most missing"] = max(counts["most missing"], len(missing))
            if certain and missing:
                faults.append(f"announced and not on disk: {sorted(missing)}")
    return counts, faults


def main() -> int:
    """Cut the power, and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=200, help="how many (200)")
    parser.add_argument("--times", type=int, default=3, help="cuts by chance for each job (3)")
    parser.add_argument("--seed", type=int, help="of what is there by chance")
    given = parser.parse_args()
    seed = random.randrange(2**31) if given.seed is None else given.seed
    print(f"seed {seed}")
    rows, faults = [], []
    with tempfile.TemporaryDirectory(prefix="hpo-power-") as name:
        work = Path(name)
        library = work / "power.so"
        source = Path(__file__).with_name("power.c")
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True
        )
        for durability in ("full", "normal"):
            log = run(work, library, durability, given.jobs)
            counts, wrong = cuts(
                log, work / "cut", given.times, random.Random(seed), durability == "full"
            )
            rows.append([durability, *counts.values(), len(wrong)])
            faults += [f"durability {durability}: {fault}" for fault in wrong]
    print(table(["durability", *counts, "faults"], rows))
    print(f"{len(faults)} faults", *faults[:20], sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
