"""Fixtures for small studies that really run: functions in this process, or other processes."""

from __future__ import annotations

import os
import sqlite3
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hpo_core import (
    Budget,
    Configuration,
    HyperParameterOptimizer,
    Int,
    Objective,
    SearchSpace,
    StudyConfig,
)
from hpo_core.plugin import BaseStrategy, JobSettings, PluginChoice, Start, Strategy, StudyEvent

HANGS = 30.0  # seconds after which a test that waits has failed

_REPORT = """\
report() {
    echo "{${2:+\\"iteration\\": $2, }\\"loss\\": $1}" > /dev/fd/$HPO_REPORT_FD
}
"""

_OF_A_JOB = set(JobSettings.__struct_fields__) - set(StudyConfig.__struct_fields__)


class Numbers(BaseStrategy):
    """Starts x = 1, 2, 3, … for ever."""

    def ask(self, trial_id: int, /) -> Start:
        return Start(Configuration(x=trial_id))


class Listener:
    """An observer that keeps what it is told, and lets a test wait for it."""

    def __init__(self) -> None:
        self.events: list[StudyEvent] = []
        self._news = threading.Condition()

    def observe(self, event: StudyEvent, /) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def of(self, kind: type) -> list[Any]:
        """Return the events of a kind."""
        return [event for event in list(self.events) if isinstance(event, kind)]

    def wait_for(self, kind: type, count: int = 1) -> list[Any]:
        """Wait for a number of events of a kind, and return them."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.of(kind)) >= count, HANGS)
        return self.of(kind)


class Lab:
    """Where a test's studies live."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "hpo.db"
        self.opened: list[HyperParameterOptimizer] = []

    def config(self, work: Callable[..., Any] | str | list[str], **changes: Any) -> StudyConfig:
        """Return the configuration of a study of x = 1, 2, 3, … whose loss is to be minimised."""
        settings: dict[str, Any] = {"directory": str(self.folder)}
        settings |= {key: changes.pop(key) for key in _OF_A_JOB & changes.keys()}
        if isinstance(work, list):
            settings["command"] = tuple(work)
        else:
            settings["function"] = work if isinstance(work, str) else f"here:{work.__name__}"
        choices: dict[str, Any] = {
            "name": "s",
            "seed": 7,
            "strategy": "random",
            "objectives": (Objective("loss", "minimize"),),
            "space": SearchSpace((Int("x", 1, 10_000),)),
            "backend": "inline" if callable(work) else "local",
            **changes,
        }
        for key in ("strategy", "backend"):
            if isinstance(choices[key], str):
                choices[key] = PluginChoice(choices[key])
        if isinstance(choices.get("budget"), int):
            choices["budget"] = Budget(jobs=choices["budget"])
        return StudyConfig(job=JobSettings(**settings), **choices)

    def study(
        self,
        work: Callable[..., Any] | str | list[str],
        *,
        strategy: Strategy | str | None = None,
        observers: list[Any] | None = None,
        store: Path | None = None,
        in_memory: bool = False,
        **changes: Any,
    ) -> HyperParameterOptimizer:
        """Return the controller of a study; it is closed at the end of the test.

        Args:
            work: A function for this process, the name of one for worker processes, or a command.
            strategy: Its name or the strategy itself; None for x = 1, 2, 3, …
            observers: Whom to tell.
            store: The store's file.
            in_memory: Whether to keep the study in memory instead.
            **changes: To the configuration, or to its job's settings.
        """
        if isinstance(strategy, str):
            changes["strategy"], strategy = strategy, None
        elif strategy is None:
            strategy = Numbers()
        optimizer = HyperParameterOptimizer(
            self.config(work, **changes),
            store=None if in_memory else store or self.store,
            strategy=strategy,
            function=work if callable(work) else None,
            observers=observers or (),
        )
        self.opened.append(optimizer)
        return optimizer

    def sh(self, script: str) -> list[str]:
        """Return the command that runs a shell script with x as its argument.

        ``report 5`` reports a loss of 5, and ``report 5 2`` one at iteration 2.
        """
        file = self.folder / f"job-{len(list(self.folder.glob('job-*')))}.sh"
        file.write_text(_REPORT + textwrap.dedent(script))
        return ["/bin/sh", str(file), "{x}"]

    def module(self, source: str, name: str = "train_here") -> str:
        """Write a module with a function `fit` for worker processes, and return its name."""
        (self.folder / f"{name}.py").write_text(textwrap.dedent(source))
        return f"{name}:fit"

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Read the store by its own connection: what is committed, and no more."""
        with closing(sqlite3.connect(self.store)) as connection:
            return connection.execute(query, values).fetchall()

    def change(self, statement: str) -> None:
        """Write to the store behind its controller's back."""
        with closing(sqlite3.connect(self.store)) as connection, connection:
            connection.execute(statement)

    def files(self, name: str = "s") -> Path:
        """Return a study's folder."""
        return self.store.with_name(f"{self.store.stem}.files") / self.uid(name)

    def uid(self, name: str = "s") -> str:
        """Return a study's uid."""
        return self.rows("SELECT uid FROM study WHERE name = ?", name)[0][0]


def processes_of(uid: str) -> list[int]:
    """Return the processes of a study: its uid begins what they carry in their environment."""
    mark = f"\0HPO_STUDY_UID={uid}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if mark in b"\0" + (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:  # it has ended meanwhile
                continue
    return found


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    laboratory = Lab(tmp_path)
    yield laboratory
    for optimizer in laboratory.opened:
        optimizer.close()


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def processes() -> Callable[[str], list[int]]:
    return processes_of
