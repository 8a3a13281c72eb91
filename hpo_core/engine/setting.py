"""All that one run of a study needs, put together."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from hpo_core.config import StudyConfig
from hpo_core.contracts.backend import Clock
from hpo_core.contracts.strategy import Strategy
from hpo_core.engine.accounts import Accounts
from hpo_core.engine.advisor import Advisor
from hpo_core.engine.announcer import Announcer
from hpo_core.engine.incumbents import Incumbents
from hpo_core.engine.keeper import Keeper
from hpo_core.store.folder import StudyFolder
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store
from hpo_core.store.writer import StudyWriter


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a `Session` works with.

    Attributes:
        config: The study's configuration.
        study: Its row.
        store: Where it is kept.
        writer: What writes it.
        folder: Where its files are.
        advisor: The strategy, restored.
        rebuild: Makes the strategy again, and restores it from all that is stored.
        clock: The time.
        accounts: The budget's books.
        announcer: Whom to tell what happens.
        incumbents: The best trials so far.
        next_trial: The id of the next trial.
        keeper: What deletes checkpoints.
        is_resuming: Whether the strategy carries trials on, and so is asked even when no new
            trial may be started.
        is_pruning: Whether the strategy says that it stops jobs by what they report.
        enforces_limits: Whether the backend ends jobs at their limits, and not the controller.
    """

    config: StudyConfig
    study: StudyRecord
    store: Store
    writer: StudyWriter
    folder: StudyFolder
    advisor: Advisor
    rebuild: Callable[[], Strategy]
    clock: Clock
    accounts: Accounts
    announcer: Announcer
    incumbents: Incumbents
    next_trial: int
    keeper: Keeper
    is_resuming: bool
    is_pruning: bool
    enforces_limits: bool
