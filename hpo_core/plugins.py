"""The registry: from a config string to the spec of a strategy or backend.

Each plugin is loaded alone, when its name is asked for, into a plugin manager of its own, so
that a broken plugin harms nobody who does not use it. Plugins are found by entry points of the
group ``hpo_core``; the entry's name is the plugin's name and the head of the config string.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import msgspec
import pluggy

from hpo_core.contracts import hookspecs
from hpo_core.contracts.backend import BackendSpec
from hpo_core.contracts.observer import Observer
from hpo_core.contracts.strategy import Capability, StrategySpec
from hpo_core.model.checked import read
from hpo_core.model.errors import (
    BrokenPlugin,
    DuplicatePlugin,
    Fault,
    InvalidInput,
    PluginError,
    UnknownPlugin,
    listed,
    nearest,
)

Spec = TypeVar("Spec", StrategySpec, BackendSpec)

_DISTRIBUTIONS = {
    "grid": "hpo-grid-search",
    "random": "hpo-random-search",
    "optuna": "hpo-optuna",
    "bohb": "hpo-bohb",
    "asha": "hpo-asha",
    "dask": "hpo-dask",
    "ray": "hpo-ray",
}
"""Where the plugins of this project are to be had."""


class Identity(msgspec.Struct, frozen=True):
    """Which plugin it is, as a study keeps it.

    Attributes:
        name: The entry point's name.
        distribution: The installed distribution that brings it.
        version: That distribution's version.
    """

    name: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution} {self.version})"


class Resolved(msgspec.Struct, Generic[Spec], frozen=True):
    """A spec with the plugin that brings it."""

    spec: Spec
    plugin: Identity


class Described(msgspec.Struct, frozen=True):
    """What ``hpo plugins`` shows of one plugin; a failure instead of specs if it is broken."""

    plugin: Identity
    strategies: tuple[StrategySpec, ...] = ()
    backends: tuple[BackendSpec, ...] = ()
    has_observers: bool = False
    failure: str | None = None


def installed() -> list[Identity]:
    """Return every installed plugin, from metadata alone: nothing is imported."""
    found: dict[tuple[str, str], Identity] = {}
    for distribution in importlib.metadata.distributions():
        for entry in distribution.entry_points:
            if entry.group == hookspecs.PROJECT:
                name = distribution.metadata["Name"]
                identity = Identity(entry.name, name, distribution.version)
                found.setdefault((entry.name, name), identity)  # the first on the path counts
    return [found[key] for key in sorted(found)]


def strategy(name: str) -> Resolved[StrategySpec]:
    """Find a strategy by its config string, such as ``"optuna"`` or ``"optuna:cmaes"``.

    Raises:
        UnknownPlugin: With what is installed, the nearest match, and what to install.
        DuplicatePlugin: If two distributions bring a plugin of that name.
        BrokenPlugin: If the plugin fails to import, or its hooks are not as they should be.
    """
    return _resolve("strategy", name, _strategies)


def backend(name: str) -> Resolved[BackendSpec]:
    """Find a backend by its config string; see `strategy`."""
    return _resolve("backend", name, _backends)


def observers(names: Iterable[str], config: Mapping[str, Any]) -> list[Observer]:
    """Return the observers that the named plugins bring for one study.

    Raises:
        PluginError: As in `strategy`.
    """
    found: list[Observer] = []
    for name in names:
        manager = _load("observer", name)[0]
        if not manager.hook.hpo_observers.get_hookimpls():
            raise UnknownPlugin(f"the plugin {name!r} brings no observers")
        with _guarded(f"the plugin {name!r} failed in hpo_observers"):
            for group in manager.hook.hpo_observers(config=config):
                found += group
    return found


def options(
    resolved: Resolved[Any], given: Mapping[str, Any], path: str
) -> tuple[Any, list[Fault]]:
    """Read a plugin's options into its own struct.

    Returns:
        The options and no faults; or None and every fault, under `path`.
    """
    return read(resolved.spec.options, given, path)


def describe() -> list[Described]:
    """Load every installed plugin, each on its own, and say what it brings or why it fails."""
    return [_described(identity) for identity in installed()]


def strategies_that(can: Callable[[StrategySpec], bool]) -> list[str]:
    """Return the names of all installed strategies for which `can` is true."""
    return [spec.name for found in describe() for spec in found.strategies if can(spec)]


# -- one plugin -----------------------------------------------------------------------------


def _described(identity: Identity) -> Described:
    try:
        manager, _ = _load("plugin", identity.name)
        return Described(
            identity,
            strategies=tuple(_strategies(manager, identity.name)),
            backends=tuple(_backends(manager, identity.name)),
            has_observers=bool(manager.hook.hpo_observers.get_hookimpls()),
        )
    except PluginError as error:
        return Described(identity, failure=str(error))


def _resolve(
    kind: str, name: str, specs_of: Callable[[pluggy.PluginManager, str], list[Spec]]
) -> Resolved[Spec]:
    head, _, variant = name.partition(":")
    manager, identity = _load(kind, head)
    specs = specs_of(manager, head)
    if not specs:
        raise UnknownPlugin(f"the plugin {head!r} ({identity.distribution}) brings no {kind}")
    if name == head:
        return Resolved(specs[0], identity)
    for spec in specs:
        if spec.name == name:
            return Resolved(spec, identity)
    variants = [spec.name.partition(":")[2] for spec in specs if ":" in spec.name]
    raise UnknownPlugin(
        f"the {kind} {head!r} has no variant {variant!r}{nearest(variant, variants)}; "
        f"its variants: {listed(variants)}"
    )


def _load(kind: str, name: str) -> tuple[pluggy.PluginManager, Identity]:
    everything = installed()
    matches = [identity for identity in everything if identity.name == name]
    if not matches:
        raise UnknownPlugin(_unknown(kind, name, everything))
    if len(matches) > 1:
        both = " and ".join(f"{match.distribution} {match.version}" for match in matches)
        raise DuplicatePlugin(
            f"two installed distributions bring a plugin {name!r}: {both}; uninstall one of them"
        )
    identity = matches[0]
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    with _guarded(f"the plugin {identity} fails to import"):
        try:
            manager.load_setuptools_entrypoints(hookspecs.PROJECT, name=name)
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            hooks = [hook for hook in vars(hookspecs) if hook.startswith("hpo_")]
            raise BrokenPlugin(
                f"the plugin {identity} breaks the hooks' contract: "
                f"{' '.join(str(error).split())}; the hooks are {', '.join(hooks)}"
            ) from error
    return manager, identity


@contextmanager
def _guarded(what: str) -> Iterator[None]:
    """Turn whatever a plugin's code raises, even `SystemExit`, into `BrokenPlugin`.

    Args:
        what: The beginning of the message: which plugin failed, and in what.
    """
    try:
        yield
    except (KeyboardInterrupt, PluginError):
        raise
    except BaseException as error:
        raise BrokenPlugin(f"{what}: {type(error).__name__}: {error}") from error


def _unknown(kind: str, name: str, everything: list[Identity]) -> str:
    names = list(dict.fromkeys(identity.name for identity in everything))
    here = f"installed plugins: {listed(names)}"
    if not name:
        return f"the {kind} has no name; {here}"
    said = f"no {kind} {name!r} is installed; {here}"
    if name in _DISTRIBUTIONS:
        return f"{said}; try: pip install {_DISTRIBUTIONS[name]}"
    if guess := nearest(name, names):
        return f"{said}{guess}"
    if guess := nearest(name, _DISTRIBUTIONS):
        missing = [_DISTRIBUTIONS[known] for known in _DISTRIBUTIONS if repr(known) in guess]
        return f"{said}{guess} try: pip install {missing[0]}"
    return f"{said}; pip install the package that brings it (by custom it is named hpo-NAME)"


def _strategies(manager: pluggy.PluginManager, name: str) -> list[StrategySpec]:
    return _specs(manager.hook.hpo_strategies, StrategySpec, name)


def _backends(manager: pluggy.PluginManager, name: str) -> list[BackendSpec]:
    return _specs(manager.hook.hpo_backends, BackendSpec, name)


def _specs(hook: Any, kind: type[Spec], name: str) -> list[Spec]:
    with _guarded(f"the plugin {name!r} failed in {hook.name}"):
        found = [spec for group in hook() for spec in group]
    for spec in found:
        if not isinstance(spec, kind):
            raise BrokenPlugin(
                f"the plugin {name!r} returned {spec!r} from {hook.name}, not a {kind.__name__}"
            )
        if wrong := _misfit(spec):
            raise BrokenPlugin(f"the plugin {name!r} brings a {kind.__name__} whose {wrong}")
        if spec.name.partition(":")[0] != name:
            raise BrokenPlugin(
                f"the plugin {name!r} brings a {kind.__name__} named {spec.name!r}; "
                f"its name must be {name!r} or begin with '{name}:'"
            )
    names = [spec.name for spec in found]
    if len(set(names)) < len(names):
        raise DuplicatePlugin(f"the plugin {name!r} brings two specs of one name: {listed(names)}")
    return found


def _misfit(spec: StrategySpec | BackendSpec) -> str:
    """Return what is wrong with the types of a spec's fields, or ``""``."""
    if not isinstance(spec.name, str) or not isinstance(spec.summary, str):
        return f"name and summary must be texts, got {spec.name!r} and {spec.summary!r}"
    if not isinstance(spec.options, type) or not issubclass(spec.options, msgspec.Struct):
        return f"options must be a msgspec.Struct class, got {spec.options!r}"
    if not callable(spec.build):
        return f"build must be a function, got {spec.build!r}"
    given: object = getattr(spec, "capabilities", frozenset())
    if not isinstance(given, frozenset) or not all(isinstance(can, Capability) for can in given):
        return f"capabilities must be a frozenset of hpo_core.Capability, got {given!r}"
    return ""


def require(faults: Iterable[Fault]) -> None:
    """Raise `InvalidInput` if there are faults."""
    collected = list(faults)
    if collected:
        raise InvalidInput(collected)
