"""Open a study in its store: find or create it, compare its configuration, extend its budget."""

from __future__ import annotations

import logging
import os

import msgspec

from hpo_core import registry
from hpo_core.config import PluginChoice, StudyConfig, differences, from_json, to_json
from hpo_core.config import settled as settle
from hpo_core.controller.stored import trust
from hpo_core.controller.strategy.prepared import Prepared
from hpo_core.controller.strategy.resolve import as_stored, completed
from hpo_core.misuse import misuses
from hpo_core.model.budget import LIMITS, Budget
from hpo_core.model.durations import human
from hpo_core.model.errors import Fault, InvalidInput, StoreError, StudyChanged
from hpo_core.model.job import StudyState
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store

_log = logging.getLogger("hpo_core")

_OPERATING = (
    "workers",
    "tags",
    "observers",
    "durability",
    "max_failures_at_start",
    "job.grace",
    "job.directory",
    "job.keep_checkpoints",
    "job.reads_configuration",
    "job.resources",
    "job.resources.gpus",
    "job.resources.cpus",
    "job.resources.memory",
    "job.tags",
    "backend.options",
)
"""Keys that affect only how a study is run: they may change between sessions."""


def warn_of_stranger(store: Store) -> None:
    """Warn if a store belongs to another user, before anything of it is run."""
    if (owner := store.owner()) not in (None, os.getuid()):
        _log.warning(
            "the store %s belongs to another user (%s): its commands are run as you; continue "
            "only if you trust them",
            store.path,
            owner,
        )


def settled(store: Store, prepared: Prepared) -> Prepared:
    """Return the study with all keys filled in; see `hpo_core.config.settled`.

    Raises:
        InvalidInput: If the stored configuration cannot be read.
        StoreError: If options omitted in the given study would be taken from a stored study that is
            neither this user's nor trusted.
    """
    found = store.find(prepared.config.name)
    stored = None if found is None else from_json(found.config)
    if found is not None and stored is not None:
        given, prepared = prepared, as_stored(prepared, stored)
        if _takes_options_of(stored, given, prepared):
            trust.require(store, found, stored, trust=False)
    config = settle(prepared.config, stored)
    if found is not None and stored is not None and _is_extended(found, stored, config.budget):
        _log.warning(
            "the study %r was extended: its budget is %s, and not %s as given here",
            found.name,
            _limits(stored.budget),
            _limits(config.budget),
        )
        config = msgspec.structs.replace(config, budget=stored.budget)
    return msgspec.structs.replace(prepared, config=config)


def _takes_options_of(stored: StudyConfig, given: Prepared, settled: Prepared) -> bool:
    """Return whether the strategy would get options only from the stored study.

    Args:
        stored: The stored study.
        given: The study as given.
        settled: The given study with options of the stored study.
    """
    if settled.config.strategy == given.config.strategy:
        return False
    bare = msgspec.structs.replace(stored, strategy=PluginChoice(stored.strategy.name))
    return settled.config.strategy != as_stored(given, bare).config.strategy


def _is_extended(found: StudyRecord, stored: StudyConfig, given: Budget) -> bool:
    """Return whether the stored study has a larger budget because it was extended.

    If so, the given budget is the initial one, or one it has had since. The initial budget of a
    study of schema 1 is unknown: there, any smaller budget is accepted.
    """
    first, now = found.first_budget, stored.budget
    if first is None or given == now or given.count != now.count:
        return False
    for limit in LIMITS:
        asked, total = getattr(given, limit), getattr(now, limit)
        began = first.get(limit, asked)
        if began is None or asked is None or total is None:
            if not began == asked == total:
                return False
        elif not began <= asked <= total:
            return False
    return True


def _limits(budget: Budget) -> str:
    """Format the limits of a budget."""
    shown = {limit: getattr(budget, limit) for limit in LIMITS}
    return ", ".join(
        f"{limit.replace('_', ' ')} {human(total) if limit.endswith('_time') else total}"
        for limit, total in shown.items()
        if total is not None
    )


def find_or_create(store: Store, prepared: Prepared, now: float) -> StudyRecord:
    """Return the study with this name; create it if it does not exist or was never started.

    It is marked as this user's, since the caller has its complete configuration. If settings change
    how it is run, `take_over` marks it when they are stored.

    Args:
        store: The store.
        prepared: The study, `settled`.
        now: The time.

    Raises:
        InvalidInput: If it is new, with all settings that have no effect.
        StudyChanged: If the stored configuration differs in more than how the study is run.
    """
    study = _found_or_created(store, prepared, now)
    stored = from_json(study.config)
    if not differences(completed(stored, prepared), prepared.config):
        trust.mark(store, study, stored)
    return study


def _found_or_created(store: Store, prepared: Prepared, now: float) -> StudyRecord:
    config = prepared.config
    found = store.find(config.name)
    first = [config.space.configuration(values) for values in config.enqueue]
    wrong = misuses(config)
    for remark in prepared.remarks():
        _log.warning(remark)
    if found is None:
        registry.require(wrong)
        return store.create(config.name, to_json(config), prepared.identities(), now, first)
    warn_of_stranger(store)
    stored = completed(from_json(found.config), prepared)
    changes = differences(stored, config)
    if not all(map(_is_operating, changes)):
        if found.state is StudyState.CREATED:
            registry.require(wrong)
        if found.state is StudyState.CREATED and store.replace(
            found, to_json(config), prepared.identities(), first, len(stored.enqueue)
        ):
            _log.warning(
                "the study %r was never started; it takes the new configuration", found.name
            )
            return store.study(config.name)
        raise StudyChanged(_changed_message(found.name, changes))
    for sentence in prepared.changed_since(found.plugins):
        _log.warning(sentence)
    for fault in wrong:
        _log.warning(fault)
    return found


def trusted_config(store: Store, name: str, *, trust_it: bool) -> StudyConfig:
    """Return the configuration of a stored study to be run.

    Args:
        store: The store.
        name: The study.
        trust_it: Whether the user trusts the study.

    Raises:
        StoreError: If there is no such study, its row is inconsistent, or it is neither this user's
            nor trusted.
    """
    study = store.study(name)
    config = _config_of(store, study)
    trust.require(store, study, config, trust=trust_it)
    return config


def stored_config(store: Store, name: str) -> StudyConfig:
    """Return the configuration of a stored study.

    Raises:
        StoreError: If there is no such study, or its row is inconsistent.
    """
    return _config_of(store, store.study(name))


def _config_of(store: Store, study: StudyRecord) -> StudyConfig:
    store.folder(study)  # of which only the name is read
    config = from_json(study.config)
    if config.name != study.name:
        raise StoreError(
            f"the store {store.path} has been changed: the configuration of {study.name!r} is that "
            f"of {config.name!r}"
        )
    return config


def take_over(store: Store, study: StudyRecord, prepared: Prepared) -> None:
    """Store changed settings of how the study is run, and log them.

    The caller must hold the study's lock.
    """
    changes = differences(completed(from_json(study.config), prepared), prepared.config)
    for change in changes:
        _log.warning("from now on the study %r has %s", study.name, change)
    if changes:
        store.reconfigure(study.id, to_json(prepared.config))
        trust.mark(store, study, prepared.config)


def extend(store: Store, name: str, budget: Budget) -> Budget:
    """Give a stored study a larger budget; see `Study.extend`."""
    study = store.study(name)
    config = from_json(study.config)
    changes = {limit: getattr(budget, limit) for limit in LIMITS}
    changes = {limit: total for limit, total in changes.items() if total is not None}
    faults = [
        Fault(limit, wrong)
        for limit, total in changes.items()
        if (wrong := not_larger(limit, getattr(config.budget, limit), total))
    ]
    if faults:
        raise InvalidInput(faults)
    extended = msgspec.structs.replace(config.budget, **changes)
    first = {limit: getattr(config.budget, limit) for limit in LIMITS}
    store.extend(study, to_json(msgspec.structs.replace(config, budget=extended)), first)
    return extended


def not_larger(limit: str, now: float | None, total: float) -> str | None:
    """Return the fault of a new total of a limit, or None if it is larger than before."""
    if now is None:
        return "the study has no such limit, so there is nothing to extend; leave it out"
    if total <= now:
        shown = human if limit.endswith("_time") else str
        return f"{shown(total)} is not more than the budget of {shown(now)}; give a larger total"
    return None


def _is_operating(change: str) -> bool:
    key = change.partition(":")[0].partition("[")[0]
    return key in _OPERATING or key.startswith("backend.options.")


def _changed_message(name: str, changes: list[str]) -> str:
    listed = "\n".join(f"  {change}" for change in changes)
    return (
        f"the study {name!r} is in the store with another configuration (stored -> given):\n"
        f"{listed}\n"
        f"use another name (--name), delete the stored study and start again (--restart), or "
        f"leave the configuration unchanged; for a larger budget use: hpo extend {name} "
        f"--jobs +N"
    )
