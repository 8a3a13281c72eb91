"""List every installed plugin, loaded in other processes with a time limit.

Listing the installed plugins requires loading all of them, and a third-party plugin may raise,
print, hang or crash the interpreter on import. A separate process contains that.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

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

_READY = b"ready"  # what the child process writes before it loads the first plugin
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
    resources: frozenset[str] = frozenset()
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

    One process loads them all. If it crashes or hangs, the plugin that it was loading is loaded
    again alone, to be sure that it is the cause, and another process loads the others.

    Args:
        patience: Maximum time in seconds to load one plugin.
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
    described = _described_elsewhere(list(loadable.values()), patience)
    by_name = {one.plugin.name: one for one in described}
    return [failed.get(each.identity) or by_name[each.identity.name] for each in everything]


def strategies_that(can: Callable[[Announced], bool]) -> list[str]:
    """Return the names of all installed strategies for which `can` is true."""
    return [spec.name for found in describe() for spec in found.strategies if can(spec)]


def backends_that(can: Callable[[Announced], bool]) -> list[str]:
    """Return the names of all installed backends for which `can` is true."""
    return [spec.name for found in describe() for spec in found.backends if can(spec)]


def _described_elsewhere(plugins: Sequence[Identity], patience: float) -> list[Described]:
    """Describe plugins, without importing them in this process."""
    described: list[Described] = []
    while left := plugins[len(described) :]:
        found, _ = _described_by_child(left, patience)
        described += found
        if len(found) == len(left):
            break
        suspect = _described_alone(left[len(found)], patience)
        if suspect.failure is None:  # a plugin loaded before it is the cause
            return [_described_alone(plugin, patience) for plugin in plugins]
        described.append(suspect)
    return described


def _described_alone(plugin: Identity, patience: float) -> Described:
    found, failure = _described_by_child([plugin], patience)
    return found[0] if found else Described(plugin, failure=failure)


def _described_by_child(
    plugins: Sequence[Identity], patience: float
) -> tuple[list[Described], str | None]:
    """Return the descriptions from a process that loads plugins, and why it ended early, if so."""
    import signal
    import subprocess

    names = "\n".join(plugin.name for plugin in plugins)
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, "-c", _CHILD, names, *map(str, sys.path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        ) as child,
    ):
        assert child.stdout is not None
        found: list[Described] = []
        try:
            for line in _lines(child.stdout.fileno(), patience):
                found.append(msgspec.json.decode(line, type=Described))
                if len(found) == len(plugins):
                    return found, None
            status = child.wait()
        except TimeoutError:
            return found, f"takes longer than {patience:g} s to import"
        except msgspec.DecodeError:
            return found, "writes to file descriptors that it has not opened"
        finally:  # also at Ctrl-C
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        errors.seek(0)
        last = errors.read().decode(errors="replace").strip().splitlines()[-1:]
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    return found, ": ".join([f"ends the interpreter that imports it ({how})", *last])


def _lines(pipe: int, patience: float) -> Iterator[bytes]:
    """Yield the lines of a child process after the one that says that it is ready.

    Raises:
        TimeoutError: If the next line takes longer than `patience` seconds.
    """
    import select

    is_ready, text = False, b""
    poller = select.poll()
    poller.register(pipe)
    deadline = math.inf
    while True:
        left = None if deadline == math.inf else max(deadline - time.monotonic(), 0.0) * 1000
        if not poller.poll(left):
            raise TimeoutError
        if not (piece := os.read(pipe, 65536)):
            return
        *lines, text = (text + piece).split(b"\n")
        for line in lines:
            deadline = time.monotonic() + patience
            if is_ready:
                yield line
            is_ready = is_ready or line == _READY


# -- the child process ---------------------------------------------------------------------------


def main() -> None:
    """Load the plugins named on the command line; write their descriptions to standard output."""
    with os.fdopen(os.dup(1), "wb", buffering=0) as answer:
        answer.write(_READY + b"\n")
        for name in sys.argv[1].split("\n"):
            answer.write(msgspec.json.encode(_look_quietly(name)) + b"\n")
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
                    spec.name,
                    spec.summary,
                    works=spec.works,
                    resources=spec.resources,
                    live_functions=spec.live_functions,
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
