"""Run the same strategy in another process, folder, environment and time.

Run as a module, this file is that process: it reads a request from standard input, and prints the
suggestions on the last line of its output.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hpo_core import registry
from hpo_core.contracts.strategy import Problem, Strategy
from hpo_core.testing.cases import Case
from hpo_core.testing.clock import shift
from hpo_core.testing.subject import Broken, Installed, Source


class Place(msgspec.Struct, frozen=True):
    """The differences between another process and this one.

    Attributes:
        name: A name for messages.
        later: Number of seconds by which its clock is ahead.
        variables: Additional or changed environment variables.
    """

    name: str
    later: int
    variables: Mapping[str, str]


PLACES = (
    Place(
        "one",
        400 * 86_400 + 5 * 3_600 + 17 * 60 + 13,
        {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TZ": "Asia/Tokyo"},
    ),
    Place(
        "two",
        33 * 86_400 + 11 * 3_600 + 30 * 60 + 38,
        {"PYTHONHASHSEED": "2", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Etc/GMT+9"},
    ),
)
"""The other environments in which a strategy is run."""

KEPT = ("PATH", "SYSTEMROOT", "VIRTUAL_ENV", "JAVA_HOME", "R_HOME", "TMPDIR", "TEMP", "TMP")
KEPT_FAMILIES = ("PYTHON", "LD_", "DYLD_", "CONDA", "CUDA", "ROCM", "OMP_", "MKL_", "OPENBLAS")
"""Variables that programs need to run, or to run at the same speed."""

FILES = ("config.json", "data.csv", "history.json", "hpo.db", "seed.txt", "study.toml")
"""Files in the folder of the other process."""


class Request(msgspec.Struct):
    """A request to the other process."""

    origin: Installed | Source
    path: list[str]
    cases: list[Case]
    jobs: int
    later: int


def suggestions(strategy: Strategy, case: Case, jobs: int) -> list[Any]:
    """Simulate a case and some more jobs, and return the suggestions as plain data."""
    run = case.simulate(strategy).run(jobs)
    plain: list[Any] = msgspec.to_builtins(run.suggestions)
    return plain


def suggestions_elsewhere(
    origin: Installed | Source, cases: Sequence[Case], jobs: int, place: Place
) -> list[list[Any]]:
    """Return the suggestions for each case, made in another process.

    Raises:
        Broken: If that process fails.
    """
    path = [os.path.abspath(each) for each in sys.path]
    request = Request(origin, path, [*cases], jobs, place.later)
    with tempfile.TemporaryDirectory(prefix=f"hpo-{place.name}-") as folder:
        for name in FILES:
            Path(folder, name).write_text("{}\n")
        finished = subprocess.run(
            [sys.executable, "-m", "hpo_core.testing.elsewhere"],
            input=msgspec.json.encode(request),
            capture_output=True,
            cwd=folder,
            env=_environment(place, folder, path),
        )
    if finished.returncode:
        error = finished.stderr.decode(errors="replace").strip().splitlines()
        said = error[-1] if error else f"exit status {finished.returncode}"
        raise Broken(f"it does not run in a new process: {said}")
    found: list[list[Any]] = json.loads(finished.stdout.splitlines()[-1])
    return found


def _environment(place: Place, folder: str, path: Sequence[str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or name.startswith(KEPT_FAMILIES)
    }
    return {
        **kept,
        "HOME": folder,
        "USER": place.name,
        "LOGNAME": place.name,
        "HOSTNAME": place.name,
        "PYTHONPATH": os.pathsep.join(path),
        **place.variables,
    }


def maker(origin: Installed | Source) -> Callable[[Problem], Strategy]:
    """Find a strategy by its origin, and return the function that builds it."""
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
    shift(request.later)  # before the strategy's module imports its names
    make = maker(request.origin)
    found = [suggestions(make(case.problem), case, request.jobs) for case in request.cases]
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main()
