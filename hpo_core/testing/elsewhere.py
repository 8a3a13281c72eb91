"""The same strategy in another process, where hashes of strings come out otherwise.

Run as a module it is that process: a request on standard input, the suggestions on its last line.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hpo_core import registry
from hpo_core.contracts.strategy import Problem, Strategy
from hpo_core.testing.simulator import Simulator
from hpo_core.testing.subject import Broken, Installed, Source

JOBS = 12
"""How many jobs of each problem are compared."""


class Request(msgspec.Struct):
    """What the other process is to do."""

    origin: Installed | Source
    path: list[str]
    problems: list[Problem]


def suggestions(strategy: Strategy, problem: Problem) -> list[Any]:
    """Run a short study, and return the suggestions as plain data."""
    run = Simulator(strategy, problem).run(JOBS)
    plain: list[Any] = msgspec.to_builtins(run.suggestions)
    return plain


def suggestions_elsewhere(
    origin: Installed | Source, problems: Sequence[Problem], hash_seed: int
) -> list[list[Any]]:
    """Return each problem's suggestions, as they come out in a new process.

    Raises:
        Broken: If that process fails.
    """
    request = Request(origin, sys.path, list(problems))
    finished = subprocess.run(
        [sys.executable, "-m", "hpo_core.testing.elsewhere"],
        input=msgspec.json.encode(request),
        capture_output=True,
        env={
            **os.environ,
            "PYTHONHASHSEED": str(hash_seed),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
    )
    if finished.returncode:
        error = finished.stderr.decode(errors="replace").strip().splitlines()
        raise Broken(f"it does not run in a new process: {error[-1] if error else 'no reason'}")
    found: list[list[Any]] = json.loads(finished.stdout.splitlines()[-1])
    return found


def maker(origin: Installed | Source) -> Callable[[Problem], Strategy]:
    """Find a strategy by its origin, and return what makes it."""
    if isinstance(origin, Installed):
        resolved = registry.strategy(origin.name)
        options, faults = registry.options(resolved, origin.options, "options")
        registry.require(faults)
        return lambda problem: resolved.spec.build(problem, options)
    spec = importlib.util.spec_from_file_location("hpo_strategy_elsewhere", origin.file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found: Any = functools.reduce(getattr, origin.name.split("."), module)
    make: Callable[[Problem], Strategy]
    make = found().make_strategy if hasattr(found, "make_strategy") else found
    return make


def main() -> None:
    """Answer the request on standard input."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    sys.path[:] = request.path
    make = maker(request.origin)
    found = [suggestions(make(problem), problem) for problem in request.problems]
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main()
