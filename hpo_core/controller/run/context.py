"""What does not change while a study runs."""

from __future__ import annotations

import msgspec

from hpo_core.config import StudyConfig
from hpo_core.contracts.backend import Clock
from hpo_core.store.folder import StudyFolder
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store
from hpo_core.store.writer import StudyWriter


class RunContext(msgspec.Struct, frozen=True, kw_only=True):
    """The study that runs, and where it is kept.

    Attributes:
        config: The configuration.
        study: The study's row.
        store: The store, to read from.
        writer: Writes the study.
        folder: The study's files.
        clock: The time.
        is_resuming: Whether the strategy resumes trials, and so is asked even when no new trial
            may be started.
        compares_targets: Whether the strategy compares trials at their targets, also where it has
            not set them.
        is_pruning: Whether the strategy says that it stops jobs by what they report.
        enforces_limits: Whether the backend ends jobs at their limits, and not the controller.
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
