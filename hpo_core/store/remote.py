"""Checkpoints at an address of fsspec, such as ``s3://bucket/folder``.

A trial has one folder there for each stored state, named for the job that left it, and a file
``latest`` with that job's number. A state is complete before ``latest`` names it, and is never
changed; so a transfer that breaks off leaves the state before it.

    ADDRESS/UID/TRIAL/latest        2
    ADDRESS/UID/TRIAL/2/…           the files
"""

from __future__ import annotations

import importlib
import logging
import os
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from hpo_core.model.errors import Fault, InvalidInput

_log = logging.getLogger("hpo_core")

_AT_ONCE = 4
"""Maximum number of trials whose files are transferred at once."""


class Remote:
    """The checkpoints of a study at an address. Transfers run in threads, those of a trial in turn.

    Args:
        address: The address.
        uid: The study's uid: studies may share an address.

    Raises:
        InvalidInput: If fsspec, or its part for this kind of address, is not installed.
    """

    def __init__(self, address: str, uid: str) -> None:
        try:
            fsspec = importlib.import_module("fsspec")
            self._files, root = fsspec.url_to_fs(address)
        except (ImportError, ValueError) as error:
            raise InvalidInput([Fault("job.checkpoints", _missing(address, error))]) from error
        self._root = f"{root.rstrip('/')}/{uid}"
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="checkpoints")
        self._last: dict[int, Future[Any]] = {}  # the last transfer of each trial

    def later(self, trial_id: int, transfer: Callable[[], object]) -> Future[Any]:
        """Run a transfer of a trial after those that were requested before."""
        before = self._last.get(trial_id)

        def run() -> object:
            if before is not None:
                before.exception()
            return transfer()

        self._last[trial_id] = future = self._pool.submit(run)
        return future

    def wait(self, trial_id: int) -> None:
        """Wait for the transfers of a trial."""
        if trial_id in self._last:
            self._last.pop(trial_id).exception()

    def close(self) -> None:
        """Wait for all transfers."""
        self._pool.shutdown()

    # -- transfers, in threads ------------------------------------------------------------------

    def latest(self, trial_id: int) -> int:
        """Return the number of the job that left the stored state of a trial; 0 for none."""
        try:
            return int(self._files.cat_file(f"{self._root}/{trial_id}/latest"))
        except FileNotFoundError:
            return 0

    def fetch(self, trial_id: int, number: int, folder: Path) -> None:
        """Fetch a stored state of a trial into a new folder."""
        state = f"{self._root}/{trial_id}/{number}"
        self._files.invalidate_cache()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        for name in self._files.find(state):
            inside = PurePosixPath(name.partition(f"{state.lstrip('/')}/")[2])
            if inside.is_absolute() or ".." in inside.parts:
                raise OSError(f"{name} is a name that leads out of the folder")
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            self._files.get_file(name, str(folder / inside))

    def store(self, trial_id: int, number: int, folder: Path) -> None:
        """Store the files of a trial as the state that a job has left, and delete older states."""
        trial = f"{self._root}/{trial_id}"
        before = self.latest(trial_id)
        self._files.makedirs(f"{trial}/{number}", exist_ok=True)
        for at, _, names in os.walk(folder):
            inside = PurePosixPath(trial, str(number), *Path(at).relative_to(folder).parts)
            self._files.makedirs(str(inside), exist_ok=True)
            for name in names:
                if os.path.isfile(os.path.join(at, name)):  # no sockets, no pipes
                    self._files.put_file(os.path.join(at, name), f"{inside}/{name}")
        self._files.pipe_file(f"{trial}/latest", str(number).encode())
        if before not in (0, number):
            self._files.rm(f"{trial}/{before}", recursive=True)

    def delete(self, trial_id: int) -> None:
        """Delete all stored states of a trial."""
        self._files.invalidate_cache()
        if self._files.exists(f"{self._root}/{trial_id}"):
            self._files.rm(f"{self._root}/{trial_id}", recursive=True)

    def delete_later(self, trial_id: int, then: Callable[[], None]) -> None:
        """Delete all stored states of a trial; log a warning if this fails. Then call something."""

        def delete() -> None:
            try:
                self.delete(trial_id)
            finally:
                then()

        warn = partial(_warn, f"the stored checkpoints of trial {trial_id} could not be deleted")
        self.later(trial_id, delete).add_done_callback(warn)


def _warn(what: str, done: Future[Any]) -> None:
    if (error := done.exception()) is not None:
        _log.warning("%s: %s: %s", what, type(error).__name__, error)


def _missing(address: str, error: Exception) -> str:
    return (
        f"{address} cannot be used ({error}); pip install 'hpo-core[remote]', and what fsspec "
        "needs for this kind of address, such as s3fs"
    )
