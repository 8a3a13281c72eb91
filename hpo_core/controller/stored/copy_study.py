"""Copy a whole study including its files, consistently; also as a backup of a running study."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from hpo_core.config import from_json, name_faults, to_json
from hpo_core.controller.run import recovery
from hpo_core.model.errors import InvalidInput, StoreError
from hpo_core.model.job import JobState, StudyState, TrialState
from hpo_core.store import whole
from hpo_core.store.folder import StudyFolder
from hpo_core.store.store import Store, opened
from hpo_core.store.writer import StudyWriter

_TRIES = 5
"""Maximum number of restarts of a copy because the study deleted a checkpoint that it needs."""


_MAY_GO_ON = (TrialState.RUNNING, TrialState.PAUSED)


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """A copy.

    Attributes:
        name: Its name.
        uid: Its uid.
        trials: Number of trials.
        lost: The jobs that were running. In the copy they are lost, and run again if it is resumed.
        left_out: Descriptions of files that were not copied: sockets, and links that point outside
            of their folder.
    """

    name: str
    uid: str
    trials: int
    lost: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def copy_study(
    path: str | os.PathLike[str] | Store,
    name: str,
    to: str | os.PathLike[str],
    new_name: str | None = None,
) -> Copied:
    """Copy a study with its logs and checkpoints into another store, also while it runs.

    The copy is a consistent snapshot with its own uid. Either the whole copy with all files exists,
    or nothing.

    Args:
        path: The store's file, or the store.
        name: The study.
        to: The file of the other store, created if missing.
        new_name: The copy's name; None for the study's.

    Raises:
        UnknownStudy: If the store has no such study.
        InvalidInput: If the new name is invalid.
        StoreError: If the other store has a study of that name, or something can't be written.
    """
    if new_name is not None and (faults := list(name_faults(new_name))):
        raise InvalidInput(faults)
    is_new = not os.path.exists(to)
    with opened(path) as source:
        source.study(name)
        try:
            with Store(to) as target:
                return _Copy(source, name, target, new_name or name).make()
        except BaseException:
            if is_new:
                for suffix in ("", "-wal", "-shm"):
                    Path(f"{os.fspath(to)}{suffix}").unlink(missing_ok=True)
            raise


class _Copy:
    """The process of copying one study.

    Args:
        source: The store.
        name: The study's name.
        target: The other store.
        new_name: The copy's name.
    """

    def __init__(self, source: Store, name: str, target: Store, new_name: str) -> None:
        self._source = source
        self._name = name
        self._target = target
        self._new_name = new_name
        self._uid = os.urandom(16).hex()
        self._files = source.folder(source.study(name))
        self._folder = StudyFolder(target.path, new_name, self._uid)

    def make(self) -> Copied:
        whole.require_free(self._target, self._new_name)
        self._folder.make()
        rows = self._folder.path / "rows.db"  # until the files exist as well
        try:
            for _ in range(_TRIES):
                _remove(rows)
                with Store(rows) as snapshot:
                    had = set(self._files.checkpoints.trials())
                    lost = self._take(snapshot)
                    left_out = self._files.copy_files(self._folder)
                    if self._has_all(snapshot, had):
                        return self._hand_over(snapshot, lost, left_out)
        except BaseException:
            self._folder.delete()
            raise
        finally:
            _remove(rows)
        self._folder.delete()
        raise StoreError(
            f"the study {self._name!r} deletes checkpoints faster than they can be copied; "
            "try again later, or while it does not run"
        )

    def _take(self, snapshot: Store) -> tuple[str, ...]:
        """Copy the current rows of the study; return the jobs that are lost in the copy."""
        study = self._source.study(self._name)
        config = msgspec.structs.replace(from_json(study.config), name=self._new_name)
        whole.copy(
            self._source,
            study.id,
            snapshot,
            name=self._new_name,
            uid=self._uid,
            config=to_json(config),
        )
        record = snapshot.study(self._new_name)
        writer = StudyWriter(snapshot, record.id, durable=False)
        ended = snapshot.last_sign_of_life(record.id)
        lost = []
        with writer.turn():
            for found in recovery.interrupted_trials(config, snapshot, record):
                if (job := found.job) is not None:
                    lost.append(job.id)
                    writer.job_ended(
                        job.trial_id,
                        job.attempt,
                        state=JobState.LOST,
                        reason="it ran when this copy of the study was made",
                        started=job.started,
                        ended=max(ended, job.started or job.queued),
                        iteration=found.iteration,
                        iterations=found.iterations,
                        metrics=found.metrics,
                    )
            if record.state is StudyState.RUNNING:
                writer.study(StudyState.INTERRUPTED, "copied while it ran")
        return tuple(lost)

    def _has_all(self, snapshot: Store, had: set[int]) -> bool:
        """Return whether the checkpoints of all trials that may be resumed in the copy exist."""
        states = snapshot.trial_states(snapshot.study(self._new_name).id)
        needed = {trial for trial in had if states.get(trial) in _MAY_GO_ON}
        return needed <= set(self._folder.checkpoints.trials())

    def _hand_over(self, snapshot: Store, lost: tuple[str, ...], left_out: Sequence[str]) -> Copied:
        record = snapshot.study(self._new_name)
        study = whole.copy(
            snapshot,
            record.id,
            self._target,
            name=self._new_name,
            uid=self._uid,
            config=record.config,
        )
        return Copied(
            name=self._new_name,
            uid=self._uid,
            trials=len(self._target.trial_states(study)),
            lost=lost,
            left_out=tuple(left_out),
        )


def _remove(store: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.unlink(f"{store}{suffix}")
