"""Delete and rename stored studies."""

from __future__ import annotations

import logging
from contextlib import suppress

import msgspec

from hpo_core import registry
from hpo_core.config import from_json, name_faults, to_json
from hpo_core.contracts.backend import BackendContext, Work
from hpo_core.controller.clock import SystemClock
from hpo_core.controller.stored import trust
from hpo_core.model.errors import HpoError, InvalidInput, StoreError, StudyRunning
from hpo_core.model.job import StudyState
from hpo_core.store import whole
from hpo_core.store.control import ControllerLock
from hpo_core.store.folder import StudyFolder
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store

_log = logging.getLogger("hpo_core")


def delete_study(store: Store, study: StudyRecord) -> None:
    """Delete a study with its files, and end the jobs that a dead controller left running.

    Raises:
        StudyRunning: If a controller runs it.
        StoreError: If the store or the files cannot be written, or jobs of an earlier version are
            running.
    """
    folder = store.folder(study)
    lock = ControllerLock(folder)
    try:
        require_no_jobs_of_schema_1(folder)
        if store.unfinished_jobs(study.id):
            _end_jobs(store, study)
        whole.delete(store, study.id)
        folder.delete()
    finally:
        lock.release()


def forget_unbegun(store: Store, study: StudyRecord) -> None:
    """Delete a study that was stored but rejected before any job was run."""
    if store.next_trial(study.id) > 1 or store.study(study.name).state is not StudyState.CREATED:
        return
    with suppress(StudyRunning):  # another controller is just starting it
        delete_study(store, study)


def rename_study(store: Store, study: StudyRecord, name: str) -> None:
    """Rename a study.

    Raises:
        InvalidInput: If the name is invalid.
        StudyRunning: If a controller runs the study.
        StoreError: If another study has this name.
    """
    if faults := list(name_faults(name)):
        raise InvalidInput(faults)
    lock = ControllerLock(store.folder(study))
    try:
        config = msgspec.structs.replace(from_json(study.config), name=name)
        whole.rename(store, study.id, name, to_json(config))
    finally:
        lock.release()


def require_no_jobs_of_schema_1(folder: StudyFolder) -> None:
    """Check that no processes of a study run that an earlier version of hpo-core has started.

    Such processes are marked only with the study's uid, so they may belong to the original of a
    copied folder. Only the user can tell.

    Raises:
        StoreError: If such processes run.
    """
    if folder.uid_of_schema_1 is None:
        return
    from hpo_core.backends.local import orphans  # rarely needed

    if not (pids := orphans.find(folder.uid_of_schema_1)):
        return
    raise StoreError(
        f"processes of the study {folder.name!r} still run which an earlier version of hpo-core "
        f"has started, here or for another copy of {folder.path}: "
        f"{', '.join(map(str, pids))}; wait until they have ended, or end them, and try again"
    )


def _end_jobs(store: Store, study: StudyRecord) -> None:
    """Let the backend end jobs that outlived their controller, without starting new ones."""
    config, folder = from_json(study.config), store.folder(study)
    if config.backend.name == "inline":  # the jobs ended with their controller
        return
    if config.backend.name != "local" and (why := trust.why_foreign(study, config)):
        _log.warning(
            "jobs of the study %r, if any run, cannot be ended by you: %s", study.name, why
        )
        return
    context = BackendContext(
        study=study.name,
        study_uid=folder.instance(),
        work=Work(command=("true",), directory=str(folder.path)),
        workers=1,
        clock=SystemClock(),
        decides=False,
        deliver=lambda _: None,
        folder=str(folder.journals()),
    )
    try:
        found = registry.backend(config.backend.name)
        options, faults = registry.options(found, config.backend.options, "backend.options")
        registry.require(faults)
        backend = found.spec.build(context, options)
        try:
            backend.adopt([])
        finally:
            backend.close()
    except HpoError as error:
        _log.warning("jobs of the study %r may still be running: %s", study.name, error)
