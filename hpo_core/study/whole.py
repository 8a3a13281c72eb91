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
        """Recompute every suggestion and decision, and compare them with the stored ones.

        The strategy is built from the stored configuration, then asked and told the stored history
        in order. It is not restored in between, whatever sessions there were. Its answers must
        equal the stored ones: configurations including the types of their values, iterations,
        resumed trials and the sources of checkpoints, and the decisions CONTINUE, PAUSE and STOP.
        Notes are not compared: they are the strategy's own memory, and another version that makes
        the same suggestions may write them differently. The study is not changed.

        Args:
            strategy: A new strategy instance, for a study that was run with an instance.
            trust: Whether to run the strategy of a study that you have neither started nor trusted.
                It may name programs.

        Raises:
            StoreError: If the study is neither yours nor trusted.
            PluginError: If the strategy's plugin is missing or broken.
            StrategyError: If the strategy cannot be built.
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
        """Import the trials of another program's study, as a warm start.

        The strategy adopts each trial, like an enqueued configuration that was run. Imported trials
        do not count in the budget. Trials that were already imported are skipped. The study is
        created in its store if it is new.

        Args:
            source: A plugin and a place in the notation of the other program, separated by a colon:
                ``"optuna:sqlite:///f.db"``.
            of: The study in the source; None if there is only one.

        Raises:
            InvalidInput: If the objectives differ, or no trial matches.
            PluginError: If there is no such plugin.
            StoreError: If the study is running, or is stored with another configuration.
            HpoError: If the other program's study cannot be read.
        """
        from hpo_core.controller.stored.import_trials import import_study

        config = self._to_run(trust=False)
        return import_study(config, self._place.store, source, of)

    def export(self, to: str, place: str) -> ExchangedStudy:
        """Export the study to another program.

        Args:
            to: The name of the exchange plugin, such as ``"optuna"``.
            place: Where to write it, in the notation of the other program.

        Returns:
            The exported study.

        Raises:
            PluginError: If there is no such plugin.
            HpoError: If it cannot be written.
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
