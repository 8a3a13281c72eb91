"""Operations on a study as a whole: replay, copy, import, export, rename, delete."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from hpo_core.config import StudyConfig
from hpo_core.study.view import StudyView

if TYPE_CHECKING:
    from hpo_core.contracts.exchange import ExchangedStudy
    from hpo_core.contracts.strategy import Strategy
    from hpo_core.controller.stored.audit import Replayed
    from hpo_core.controller.stored.copy_study import Copied
    from hpo_core.controller.stored.import_trials import Imported


class WholeStudy(StudyView):
    """A study that can be replayed, copied, exchanged with other programs, renamed and deleted."""

    def replay(self, *, strategy: Strategy | None = None, trust: bool = False) -> Replayed:
        """Recompute every suggestion, and compare it with the stored one.

        Args:
            strategy: A new strategy instance, for a study that was run with an instance.
            trust: Whether to run the strategy of a study that you have neither started nor trusted.
        """
        from hpo_core.controller.stored.audit import replay

        with self._stored() as (store, _):
            return replay(store, self._name, strategy=strategy, trust=trust)

    def copy(self, to: str | os.PathLike[str], name: str | None = None) -> Copied:
        """Copy the study with its logs and checkpoints into another store, also while it runs.

        Args:
            to: The file of the other store, created if missing.
            name: The name of the copy; None for the same name.
        """
        from hpo_core.controller.stored.copy_study import copy_study

        with self._stored() as (store, _):
            return copy_study(store, self._name, to, name)

    def import_trials(self, source: str, of: str | None = None) -> Imported:
        """Import the trials of another program's study, as a warm start; see `import_study`.

        Args:
            source: A plugin and a place in the notation of the other program:
                ``"optuna:sqlite:///f.db"``.
            of: The study in the source; None if there is only one.
        """
        from hpo_core.controller.stored.import_trials import import_study

        config = self._to_run(trust=False)
        return import_study(config, self._place.store, source, of)

    def export(self, to: str, place: str) -> ExchangedStudy:
        """Export the study to another program; see `export_study`.

        Args:
            to: The name of the exchange plugin, such as ``"optuna"``.
            place: Where to write it, in the notation of the other program.
        """
        from hpo_core.controller.stored.export_trials import export_study

        with self._stored() as (store, _):
            return export_study(store, self._name, to, place)

    def rename(self, name: str) -> None:
        """Rename the study.

        Raises:
            InvalidInput: If the name is invalid.
            StudyRunning: If it is running.
            StoreError: If another study has this name.
        """
        from hpo_core.controller.stored import manage

        with self._stored() as (store, study):
            manage.rename_study(store, study, name)
        self._name = name
        if self._given is not None:
            self._given = msgspec.structs.replace(self._given, name=name)

    def delete(self) -> None:
        """Delete the study with its logs and checkpoints.

        Raises:
            StudyRunning: If it is running.
        """
        from hpo_core.controller.stored import manage

        with self._stored() as (store, study):
            manage.delete_study(store, study)

    def _to_run(self, *, trust: bool) -> StudyConfig:
        from hpo_core.controller.stored import open_study

        if self._given is not None:
            return self._given
        with self._place.opened() as store:
            return open_study.trusted_config(store, self._name, trust_it=trust)
