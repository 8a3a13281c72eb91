"""Looks at every installed plugin, in another process with a time limit.

Listing what is installed has to load all of it, and a stranger's plugin may raise, print, hang or
crash the interpreter when it is imported. In another process that harms nobody.
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
"""Seconds that a plugin may take to be loaded in a listing."""

_AT_ONCE = 2
_CHILD = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from hpo_core.registry import inventory; inventory.main()"
)


class Announced(msgspec.Struct, frozen=True):
    """What a plugin says of a strategy or backend that it provides; see `StrategySpec`."""

    name: str
    summary: str
    capabilities: frozenset[Capability] = frozenset()
    works: frozenset[str] = frozenset()


class Described(msgspec.Struct, frozen=True):
    """What ``hpo plugins`` shows of one plugin; a failure instead of specs if it is broken.

    Attributes:
        plugin: Which it is.
        strategies: What it provides, the default first.
        backends: Likewise.
        works: Likewise, kinds of work.
        observers: Likewise, those that it announces by a spec.
        readers: Likewise.
        exchanges: Likewise.
        has_observers: Whether it provides observers.
        failure: Why it can't be used, or can't be listed.
        printed: What it prints while it is loaded, which it should not.
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
    """Say of every installed plugin what it provides or why it fails; nothing is imported here.

    One process loads them all. If it crashes or hangs, each is loaded again in its own process,
    which tells the plugin that does so from the others.

    Args:
        patience: Seconds that either process may take to load plugins.
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
    from concurrent.futures import ThreadPoolExecutor  # slow to import, and rarely needed

    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        return list(pool.map(lambda plugin: _described_alone(plugin, patience), plugins))
    finally:
        pool.shutdown(cancel_futures=True)


def _described_alone(plugin: Identity, patience: float) -> Described:
    described = _described_by_child([plugin.name], patience)
    return Described(plugin, failure=described) if isinstance(described, str) else described[0]


def _described_by_child(names: Sequence[str], patience: float) -> list[Described] | str:
    """Return what a process says of plugins that it loads; or why it says nothing."""
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


# -- in the child ---------------------------------------------------------------------------


def main() -> None:
    """Load the plugins that the command line names; write what they provide on standard output."""
    with os.fdopen(os.dup(1), "wb") as answer:
        described = [_look_quietly(name) for name in sys.argv[1].split("\n")]
        answer.write(msgspec.json.encode(described))
    os._exit(0)  # not waiting for threads that a plugin may have started


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
                Announced(spec.name, spec.summary, works=spec.works)
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
