"""The constant context of a run."""

from __future__ import annotations

import msgspec

from hpo_core.config import StudyConfig
from hpo_core.contracts.backend import Clock
from hpo_core.store.folder import StudyFolder
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store
from hpo_core.store.writer import StudyWriter


class RunContext(msgspec.Struct, frozen=True, kw_only=True):
    """The running study and its storage.

    Attributes:
        config: The configuration.
        study: The study's row.
        store: The store, for reading.
        writer: Writes the study.
        folder: The study's files.
        clock: The time.
        is_resuming: Whether the strategy resumes trials. If so, it is asked even if no new trial
            may start.
        compares_targets: Whether the strategy compares trials at their targets, even if it did not
            set them.
        is_pruning: Whether the strategy declares that it stops jobs early.
        enforces_limits: Whether the backend, not the controller, ends jobs at their limits.
        may_suggest_ahead: Whether jobs may be suggested before a worker is free for them.
    """

    config: StudyConfig
    study: StudyRecord
    store: Store
    writer: StudyWriter
    folder: StudyFolder
    clock: Clock
    is_resuming: bool
    compares_targets: bool
    is_pruning: bool
    enforces_limits: bool
    may_suggest_ahead: bool
