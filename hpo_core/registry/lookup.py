"""Load the plugin that a config string names, in this process, and check its specs."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any, Generic, TypeVar

import msgspec
import pluggy

from hpo_core.contracts import hookspecs
from hpo_core.contracts.backend import BackendSpec, WorkSpec
from hpo_core.contracts.exchange import ExchangeSpec
from hpo_core.contracts.observer import Observer, ObserverSpec
from hpo_core.contracts.reader import ReaderSpec
from hpo_core.contracts.strategy import Capability, StrategySpec
from hpo_core.model.errors import (
    BrokenPlugin,
    DuplicatePlugin,
    PluginError,
    UnknownPlugin,
    listed,
    nearest,
)
from hpo_core.registry.discovery import Found, Identity, scan
from hpo_core.registry.unknown import unknown

_log = logging.getLogger("hpo_core")

Spec = TypeVar("Spec", StrategySpec, BackendSpec, WorkSpec, ObserverSpec, ReaderSpec, ExchangeSpec)


class Resolved(msgspec.Struct, Generic[Spec], frozen=True):
    """A spec with the plugin that provides it."""

    spec: Spec
    plugin: Identity


def strategy(name: str) -> Resolved[StrategySpec]:
    """Find a strategy by its config string, such as ``"optuna"`` or ``"optuna:cmaes"``.

    Raises:
        UnknownPlugin: If there is none. The message has the installed names, the nearest match, and
            what to install.
        DuplicatePlugin: If two distributions provide a plugin with this name.
        BrokenPlugin: If the plugin cannot be imported, supports only other versions of the
            contracts, or has invalid hooks.
    """
    return _resolve("strategy", name, strategies_of)


def backend(name: str) -> Resolved[BackendSpec]:
    """Find a backend by its config string; see `strategy`."""
    return _resolve("backend", name, backends_of)


def exchange(name: str) -> Resolved[ExchangeSpec]:
    """Find an exchange by the name of its plugin; see `strategy`."""
    return _resolve("exchange", name, exchanges_of)


def work(name: str) -> Resolved[WorkSpec]:
    """Find a kind of work by its config string; see `strategy`."""
    return _resolve("work", name, works_of)


def reader(name: str) -> Resolved[ReaderSpec]:
    """Find a metrics reader by its config string; see `strategy`."""
    return _resolve("reader", name, readers_of)


def observer(name: str) -> Resolved[ObserverSpec] | None:
    """Find an observer by its config string; see `strategy`.

    Returns:
        The observer's spec; None if the plugin provides observers by the hook ``hpo_observers``,
        which has no options.
    """
    head = name.partition(":")[0]
    plugin = one("observer", head).identity
    with _printing_nothing(plugin):
        manager = load("observer", head)
    if manager.hook.hpo_observer_specs.get_hookimpls():
        return _resolve("observer", name, observer_specs_of)
    if not has_observers(manager):
        raise UnknownPlugin(f"the plugin {head!r} provides no observers")
    if name != head:
        raise UnknownPlugin(f"the plugin {head!r} has no variants; write {head!r}")
    return None


def hooked_observers(name: str, config: Mapping[str, Any]) -> list[Observer]:
    """Return the observers that a plugin's hook ``hpo_observers`` returns for a study.

    Raises:
        PluginError: As in `strategy`.
    """
    plugin = one("observer", name).identity
    with _printing_nothing(plugin), guarded(f"the plugin {name!r} failed in hpo_observers"):
        groups = load("observer", name).hook.hpo_observers(config=config)
        return [observer for group in groups for observer in group]


# -- loading -----------------------------------------------------------------------------


def load(kind: str, name: str) -> pluggy.PluginManager:
    """Load the plugin with a name into its own plugin manager.

    Args:
        kind: The kind of plugin, for messages.
        name: The plugin's name, without a variant.

    Raises:
        PluginError: As in `strategy`.
    """
    plugin, entry, _ = one(kind, name)
    assert entry is not None
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    with guarded(f"the plugin {plugin} fails to import"):
        try:
            manager.register(entry.load(), name)
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            hooks = [hook for hook in vars(hookspecs) if hook.startswith("hpo_")]
            raise BrokenPlugin(
                f"the plugin {plugin} violates the contract of the hooks: "
                f"{' '.join(str(error).split())}; the hooks are {', '.join(hooks)}"
            ) from error
    return manager


def one(kind: str, name: str) -> Found:
    """Return the only installed plugin for a config string, if its metadata is valid.

    Raises:
        PluginError: As in `strategy`.
    """
    head = name.partition(":")[0]
    matches = [found for found in scan() if found.identity.name == head]
    if not matches:
        raise UnknownPlugin(unknown(kind, name), head)
    return only(matches)


def only(matches: Sequence[Found]) -> Found:
    """Return the only plugin with a name, if its metadata is valid.

    Raises:
        PluginError: As in `strategy`.
    """
    found = matches[0]
    if len(matches) > 1:
        both = " and ".join(f"{by.distribution} {by.version}" for by, _, _ in matches)
        raise DuplicatePlugin(
            f"two installed distributions provide a plugin {found.identity.name!r}: {both}; "
            "uninstall one of them"
        )
    if found.fault:
        raise BrokenPlugin(found.fault)
    return found


def strategies_of(manager: pluggy.PluginManager, name: str) -> list[StrategySpec]:
    """Return the specs of the strategies of a loaded plugin."""
    return _specs(manager.hook.hpo_strategies, StrategySpec, name)


def backends_of(manager: pluggy.PluginManager, name: str) -> list[BackendSpec]:
    """Return the specs of the backends of a loaded plugin."""
    return _specs(manager.hook.hpo_backends, BackendSpec, name)


def observer_specs_of(manager: pluggy.PluginManager, name: str) -> list[ObserverSpec]:
    """Return the specs of the observers of a loaded plugin."""
    return _specs(manager.hook.hpo_observer_specs, ObserverSpec, name)


def works_of(manager: pluggy.PluginManager, name: str) -> list[WorkSpec]:
    """Return the specs of the kinds of work of a loaded plugin."""
    return _specs(manager.hook.hpo_works, WorkSpec, name)


def readers_of(manager: pluggy.PluginManager, name: str) -> list[ReaderSpec]:
    """Return the specs of the readers of a loaded plugin."""
    return _specs(manager.hook.hpo_readers, ReaderSpec, name)


def exchanges_of(manager: pluggy.PluginManager, name: str) -> list[ExchangeSpec]:
    """Return the specs of the exchanges of a loaded plugin."""
    return _specs(manager.hook.hpo_exchanges, ExchangeSpec, name)


def has_observers(manager: pluggy.PluginManager) -> bool:
    """Return whether a loaded plugin provides observers."""
    return bool(manager.hook.hpo_observers.get_hookimpls())


def _resolve(
    kind: str, name: str, specs_of: Callable[[pluggy.PluginManager, str], list[Spec]]
) -> Resolved[Spec]:
    head, _, variant = name.partition(":")
    plugin = one(kind, name).identity
    with _printing_nothing(plugin):
        specs = specs_of(load(kind, head), head)
    if not specs:
        raise UnknownPlugin(f"the plugin {head!r} ({plugin.distribution}) provides no {kind}")
    if name == head:
        return Resolved(specs[0], plugin)
    for spec in specs:
        if spec.name == name:
            return Resolved(spec, plugin)
    variants = [spec.name.partition(":")[2] for spec in specs if ":" in spec.name]
    raise UnknownPlugin(
        f"the {kind} {head!r} has no variant {variant!r}{nearest(variant, variants)}; "
        f"its variants: {listed(variants)}"
    )


@contextmanager
def _printing_nothing(plugin: Identity) -> Iterator[None]:
    """Redirect the output of a plugin while it is loaded from standard output to the log.

    Standard output is reserved for the command, which may write JSON to it.
    """
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    try:
        with redirect_stdout(written):
            yield
    finally:
        written.seek(0)
        if printed := written.read().strip():
            _log.warning("the plugin %s printed while it was loaded: %s", plugin, printed)


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Convert any exception of a plugin, even `SystemExit`, to `BrokenPlugin`.

    Args:
        what: The start of the message: which plugin failed, and where.
    """
    try:
        yield
    except (KeyboardInterrupt, PluginError):
        raise
    except BaseException as error:
        raise BrokenPlugin(f"{what}: {type(error).__name__}: {error}") from error


def _specs(hook: Any, kind: type[Spec], name: str) -> list[Spec]:
    with guarded(f"the plugin {name!r} failed in {hook.name}"):
        found = [spec for group in hook() for spec in group]
    for spec in found:
        if not isinstance(spec, kind):
            raise BrokenPlugin(
                f"the plugin {name!r} returned {spec!r} from {hook.name}, not a {kind.__name__}"
            )
        if wrong := _misfit(spec):
            raise BrokenPlugin(f"the plugin {name!r} provides a {kind.__name__} whose {wrong}")
        if spec.name.partition(":")[0] != name:
            raise BrokenPlugin(
                f"the plugin {name!r} provides a {kind.__name__} named {spec.name!r}; "
                f"its name must be {name!r} or begin with '{name}:'"
            )
    names = [spec.name for spec in found]
    if len(set(names)) < len(names):
        raise DuplicatePlugin(
            f"the plugin {name!r} provides two specs with the same name: {listed(names)}"
        )
    return found


def _misfit(
    spec: StrategySpec | BackendSpec | WorkSpec | ObserverSpec | ReaderSpec | ExchangeSpec,
) -> str:
    """Return the fault of a spec's field types, or ``""``."""
    if not isinstance(spec.name, str) or not isinstance(spec.summary, str):
        return f"name and summary must be texts, got {spec.name!r} and {spec.summary!r}"
    if isinstance(spec, ExchangeSpec):
        if not (callable(spec.write) and callable(spec.read)):
            return f"write and read must be functions, got {spec.write!r} and {spec.read!r}"
        return ""
    if not isinstance(spec.options, type) or not issubclass(spec.options, msgspec.Struct):
        return f"options must be a msgspec.Struct class, got {spec.options!r}"
    if not isinstance(spec, WorkSpec) and not callable(spec.build):
        return f"build must be a function, got {spec.build!r}"
    given: object = getattr(spec, "capabilities", frozenset())
    if not isinstance(given, frozenset) or not all(isinstance(can, Capability) for can in given):
        return f"capabilities must be a frozenset of hpo_core.plugin.Capability, got {given!r}"
    return ""
