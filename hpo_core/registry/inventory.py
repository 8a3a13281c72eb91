"""List every installed plugin, loaded in other processes with a time limit.

Listing the installed plugins requires loading all of them, and a third-party plugin may raise,
print, hang or crash the interpreter on import. A separate process contains that.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence

import msgspec

from hpo_core.contracts.strategy import Capability
from hpo_core.model.errors import PluginError
from hpo_core.registry.discovery import Identity, scan
from hpo_core.registry.lookup import (
    backends_of,
    exchanges_of,
    has_observers,
    load,
    observer_specs_of,
    one,
    only,
    readers_of,
    strategies_of,
    works_of,
)

PATIENCE = 5.0
"""Maximum time in seconds to load a plugin for the listing."""

_AT_ONCE = 2
_CHILD = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from hpo_core.registry import inventory; inventory.main()"
)


class Announced(msgspec.Struct, frozen=True):
    """The description of a strategy or backend in a listing; see `StrategySpec`."""

    name: str
    summary: str
    capabilities: frozenset[Capability] = frozenset()
    works: frozenset[str] = frozenset()
    live_functions: bool = False


class Described(msgspec.Struct, frozen=True):
    """The entry of a plugin in ``hpo plugins``, with a failure instead of specs if it is broken.

    Attributes:
        plugin: The identity of the plugin.
        strategies: Its strategies, the default first.
        backends: Its backends, likewise.
        works: Its kinds of work, likewise.
        observers: Its observers with a spec, likewise.
        readers: Its readers, likewise.
        exchanges: Its exchanges, likewise.
        has_observers: Whether it provides observers.
        failure: Why it cannot be used or listed.
        printed: Its output while it was loaded, which should be empty.
    """

    plugin: Identity
    strategies: tuple[Announced, ...] = ()
    backends: tuple[Announced, ...] = ()
    works: tuple[Announced, ...] = ()
    observers: tuple[Announced, ...] = ()
    readers: tuple[Announced, ...] = ()
    exchanges: tuple[Announced, ...] = ()
    has_observers: bool = False
    failure: str | None = None
    printed: str = ""


def describe(patience: float = PATIENCE) -> list[Described]:
    """Describe every installed plugin, or why it fails, without importing it in this process.

    One process loads them all. If it crashes or hangs, each is loaded again in its own process,
    which tells the plugin that does so from the others.

    Args:
        patience: Maximum time in seconds of each of these processes.
    """
    everything = scan()
    loadable: dict[str, Identity] = {}
    failed: dict[Identity, Described] = {}
    for found in everything:
        namesakes = [other for other in everything if other.identity.name == found.identity.name]
        try:
            only(namesakes)
        except PluginError as error:
            failure = found.fault or str(error)
            failed[found.identity] = Described(found.identity, failure=failure)
        else:
            loadable[found.identity.name] = found.identity
    described = _described_by_child(list(loadable), patience) if loadable else []
    if isinstance(described, str):
        described = _each_alone(list(loadable.values()), patience)
    by_name = {one.plugin.name: one for one in described}
    return [failed.get(each.identity) or by_name[each.identity.name] for each in everything]


def strategies_that(can: Callable[[Announced], bool]) -> list[str]:
    """Return the names of all installed strategies for which `can` is true."""
    return [spec.name for found in describe() for spec in found.strategies if can(spec)]


def backends_that(can: Callable[[Announced], bool]) -> list[str]:
    """Return the names of all installed backends for which `can` is true."""
    return [spec.name for found in describe() for spec in found.backends if can(spec)]


def _each_alone(plugins: Sequence[Identity], patience: float) -> list[Described]:
    from concurrent.futures import ThreadPoolExecutor  # slow to import and rarely needed

    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        return list(pool.map(lambda plugin: _described_alone(plugin, patience), plugins))
    finally:
        pool.shutdown(cancel_futures=True)


def _described_alone(plugin: Identity, patience: float) -> Described:
    described = _described_by_child([plugin.name], patience)
    return Described(plugin, failure=described) if isinstance(described, str) else described[0]


def _described_by_child(names: Sequence[str], patience: float) -> list[Described] | str:
    """Return the descriptions from a process that loads plugins, or why there are none."""
    import signal
    import subprocess

    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, "\n".join(names), *map(str, sys.path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as child:
        try:
            answer, errors = child.communicate(timeout=patience)
        except BaseException as error:
            os.killpg(child.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return f"takes longer than {patience:g} s to import"
    try:
        return msgspec.json.decode(answer, type=list[Described])
    except msgspec.DecodeError:
        status, last = child.returncode, errors.decode(errors="replace").strip().splitlines()[-1:]
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return ": ".join([f"ends the interpreter that imports it ({how})", *last])


# -- the child process ---------------------------------------------------------------------------


def main() -> None:
    """Load the plugins named on the command line; write their descriptions to standard output."""
    with os.fdopen(os.dup(1), "wb") as answer:
        described = [_look_quietly(name) for name in sys.argv[1].split("\n")]
        answer.write(msgspec.json.encode(described))
    os._exit(0)  # without waiting for threads that a plugin may have started


def _look_quietly(name: str) -> Described:
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 1)
        described = _look(name)
        sys.stdout.flush()
        printed.seek(0)
        text = printed.read().decode(errors="replace").strip()
    return msgspec.structs.replace(described, printed=text)


def _look(name: str) -> Described:
    plugin = one("plugin", name).identity
    try:
        manager = load("plugin", name)
        return Described(
            plugin,
            strategies=tuple(
                Announced(spec.name, spec.summary, spec.capabilities)
                for spec in strategies_of(manager, name)
            ),
            backends=tuple(
                Announced(
                    spec.name, spec.summary, works=spec.works, live_functions=spec.live_functions
                )
                for spec in backends_of(manager, name)
            ),
            works=tuple(Announced(spec.name, spec.summary) for spec in works_of(manager, name)),
            observers=(
                observers := tuple(
                    Announced(spec.name, spec.summary) for spec in observer_specs_of(manager, name)
                )
            ),
            readers=tuple(Announced(spec.name, spec.summary) for spec in readers_of(manager, name)),
            exchanges=tuple(
                Announced(spec.name, spec.summary) for spec in exchanges_of(manager, name)
            ),
            has_observers=bool(observers) or has_observers(manager),
        )
    except PluginError as error:
        return Described(plugin, failure=str(error))
