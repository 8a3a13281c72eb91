"""Fuzz hpo-core: files, options, stores, reports and answers of a process.

    python tests/faults/fuzz.py [--cases 20000] [--seed N] [AREA ...]

Each case calls the command line in this process (in the area `processes`: in a new one), or the
parser of a job's lines. A case fails if there is a traceback, a hang, an invalid exit status, one
that contradicts the output, or a control character on the terminal. hypothesis generates the cases,
and shows the smallest one that fails.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

import fuzz_protocol
import fuzz_stores
import fuzz_target
from fuzz_calls import STATUSES, Said, call, call_a_process
from fuzz_data import STUDY, WORDS, anything, as_json, changed, leaves, torn

from hpo_core.backends.local import journal_schema
from hpo_core.backends.local.messages import Malformed, parse_message, parse_report
from hpo_core.backends.supervisor.lines import Lines
from hpo_core.study_file import _toml

TABLE = _toml(STUDY)


# -- the areas --------------------------------------------------------------------------------


files = (
    torn(STUDY).map(lambda data: ("study.toml", data))
    | torn(as_json(TABLE)).map(lambda data: ("study.json", data))
    | changed(TABLE).map(lambda tree: ("study.json", as_json(tree).encode()))
    | anything.map(lambda tree: ("study.json", as_json(tree).encode()))
)


def try_a_file(case: tuple[str, bytes], run: Callable[..., Said] = call) -> None:
    """A file: a valid one torn or changed, or anything."""
    name, data = case
    Path(name).write_bytes(data)
    with _without_a_store():
        run("run", name, "--quiet")


words = st.sampled_from(WORDS) | st.text(st.characters(exclude_characters="\0"), max_size=12)
_values = words | leaves.map(as_json) | anything.map(as_json)
_keys = st.sampled_from(["points", "command", "time_limit", "options", "n_startup_trials"]) | words
_good = st.sampled_from(
    [("--jobs", "3"), ("--seed", "5"), ("--strategy", "grid"), ("-o", "points=2"), ("--name", "a")]
)
_known = st.sampled_from(["random", "grid", "process", "grid", "random", "inline", "local"])
options = st.lists(
    _good
    | st.tuples(st.just("-o"), st.builds("{}={}".format, _keys, _values) | words)
    | st.tuples(st.sampled_from(["--jobs", "--workers", "--seed", "--name"]), words)
    | st.tuples(st.sampled_from(["--strategy", "--backend"]), _known | words),
    min_size=1,
    max_size=3,
).map(lambda pairs: [word for pair in pairs for word in pair])


def try_options(case: list[str], run: Callable[..., Said] = call) -> None:
    """Options above a valid file."""
    Path("study.toml").write_text(STUDY)
    with _without_a_store():
        run("run", "study.toml", "--quiet", *case)


LOOKS = (
    ("studies",), ("studies", "--json"), ("show", "s"), ("show", "s", "--json"), ("top", "s"),
    ("top", "s", "--json"), ("jobs", "s"), ("jobs", "s", "--json"), ("log", "s", "1"),
    ("log", "s", "2.1", "--json"), ("export", "s"), ("export", "s", "--format", "json"),
    ("stop", "s"),
)  # fmt: skip
MOVES = (
    ("resume", "s", "--quiet"), ("resume", "s"), ("extend", "s", "--jobs", "+1", "--json"),
    ("enqueue", "s", "lr=0.01", "model=linear", "scaler=none", "width=16", "height=16", "fixed=1"),
    ("run", "study.toml", "--quiet"),
)  # fmt: skip

arguments = st.one_of(
    st.tuples(
        st.sampled_from(["show", "top", "jobs", "resume", "stop", "export"]), st.just("s") | words
    ),
    st.tuples(
        st.just("log"), st.just("s"), words | st.from_regex(r"-?\d{1,25}(\.\d*)?", fullmatch=True)
    ),
    st.tuples(st.just("top"), st.just("s"), st.just("-k"), words),
    st.tuples(st.just("enqueue"), st.just("s"), words, st.builds("{}={}".format, words, words)),
    st.tuples(
        st.just("extend"),
        st.just("s"),
        st.sampled_from(["--jobs", "--trials", "--iterations", "--wall-time", "--compute-time"]),
        words | st.sampled_from(["+1", "+-1", "+1h", "1e400", "+" + "9" * 30, "9" * 5000, "-5"]),
    ),
    st.tuples(st.just("export"), st.just("s"), st.just("--format"), words),
    st.lists(words, min_size=1, max_size=3).map(tuple),
)


def try_arguments(case: tuple[str, ...], run: Callable[..., Said] = call) -> None:
    """Arguments of the other commands, above a valid store."""
    shutil.copy("whole.db", "hpo.db")
    with _without_a_store(after=True):
        run(*case)


changes = st.tuples(st.sampled_from([*LOOKS, *MOVES, *MOVES]), fuzz_stores.changes)


def try_a_store(
    case: tuple[tuple[str, ...], list[fuzz_stores.Cell]], run: Callable[..., Said] = call
) -> None:
    """A store: a valid one in which cells are changed."""
    command, changed_cells = case
    Path("study.toml").write_text(STUDY)
    shutil.copy("whole.db", "hpo.db")
    with contextlib.closing(sqlite3.connect("hpo.db")) as connection, connection:
        for cell in changed_cells:
            fuzz_stores.change(connection, cell)
    with _without_a_store(after=True):
        run(*command)


_metric = st.just("loss") | st.sampled_from(WORDS) | st.text(max_size=8)
lines = (
    st.binary(max_size=80)
    | changed({"iteration": 3, "loss": 0.5, "x": 1}).map(lambda tree: as_json(tree).encode())
    | changed(["report", 3, {"loss": 0.5}]).map(lambda tree: as_json(tree).encode())
    | changed(["finished", "failed", "why", {"x": 1}]).map(lambda tree: as_json(tree).encode())
    | torn('{"iteration": 3, "loss": 0.5}')
)


def try_lines(case: bytes, run: object = None) -> None:
    """A line that a job sends: it is a report, a worker's message, or malformed."""
    cutter = Lines()
    for line in [*cutter.feed(case), cutter.rest()]:
        with contextlib.suppress(ValueError):
            journal_schema.read(line)
        for parse in (parse_report, parse_message):
            try:
                said = parse(line)
            except Malformed as error:
                str(error).encode()
                continue
            iteration, metrics = said if isinstance(said, tuple) else (None, {})
            assert iteration is None or 0 <= iteration < 2**53
            assert all(type(value) is float for value in metrics.values())
            "".join(metrics).encode()


reports = st.tuples(
    st.lists(
        st.tuples(
            st.none() | st.integers(0, 2**53 - 1),
            st.dictionaries(_metric, st.floats() | st.integers(), max_size=3),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(LOOKS),
)


def try_reports(
    case: tuple[list[tuple[int | None, dict[str, float]]], tuple[str, ...]],
    run: Callable[..., Said] = call,
) -> None:
    """Reports of a function, and how they are shown."""
    Path("study.toml").write_text(STUDY)
    with _without_a_store():
        fuzz_target.SAYS[:] = [
            (iteration, {name: value for name, value in metrics.items() if name != "iteration"})
            for iteration, metrics in case[0]
        ]
        run("run", "study.toml", "--quiet")
        run(*case[1])


def try_answers(case: tuple[int, str, bytes], run: Callable[..., Said] = call) -> None:
    """Answers of a process that is a strategy: right ones, but for one kind of message, later."""
    fuzz_protocol.write(*case)
    Path("study.toml").write_text(STUDY)
    with _without_a_store():
        run("run", "study.toml", "--quiet", "--strategy", "process",
            "-o", 'command=["sh", "answer.sh"]', "-o", "time_limit=5")  # fmt: skip


processes = (
    st.tuples(st.just(try_a_file), files)
    | st.tuples(st.just(try_options), options)
    | st.tuples(st.just(try_a_store), changes)
)


def try_in_a_process(case: tuple[Callable[..., None], Any], run: object = None) -> None:
    """One of the above, in its own process."""
    attempt, drawn = case
    attempt(drawn, call_a_process)


AREAS: dict[str, tuple[Callable[..., None], st.SearchStrategy[Any], float]] = {
    "files": (try_a_file, files, 0.25),
    "options": (try_options, options, 0.12),
    "arguments": (try_arguments, arguments, 0.08),
    "stores": (try_a_store, changes, 0.25),
    "lines": (try_lines, lines, 0.15),
    "reports": (try_reports, reports, 0.05),
    "protocol": (try_answers, fuzz_protocol.answers, 0.09),
    "processes": (try_in_a_process, processes, 0.01),
}
"""Each area: what is tried, what is drawn, and its share of the cases."""


# -- running ----------------------------------------------------------------------------------


@contextlib.contextmanager
def _without_a_store(*, after: bool = False) -> Iterator[None]:
    """Remove the store before and after, or only after."""

    def remove() -> None:
        for name in ("hpo.db", "hpo.db-wal", "hpo.db-shm"):
            Path(name).unlink(missing_ok=True)
        shutil.rmtree("hpo.files", ignore_errors=True)

    if not after:
        remove()
    try:
        yield
    finally:
        remove()


@contextlib.contextmanager
def field() -> Iterator[None]:
    """Work in a folder with a study of which four jobs are done, and one is enqueued."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="hpo-fuzz-") as folder:
        os.chdir(folder)
        sys.path.insert(0, folder)
        try:
            shutil.copy(Path(__file__).parent / "fuzz_target.py", folder)
            Path("study.toml").write_text(STUDY)
            said = call("run", "study.toml", "--quiet")
            assert said.status == 130, said
            assert call(*next(move for move in MOVES if move[0] == "enqueue")).status == 0
            with contextlib.closing(sqlite3.connect("hpo.db")) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copy("hpo.db", "whole.db")
            yield
        finally:
            sys.path.remove(folder)
            os.chdir(here)


def fuzz(area: str, cases: int, seed: int) -> collections.Counter[str]:
    """Try a number of cases of an area, and count the outcomes.

    Raises:
        Failed: With the smallest case that fails.
    """
    attempt, drawn, _ = AREAS[area]
    counts: collections.Counter[str] = collections.Counter()

    def count(*arguments: str) -> Said:
        said = (call_a_process if area == "processes" else call)(*arguments)
        counts[f"status {said.status}"] += 1
        return said

    @seeded(seed)
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(drawn)
    def run(case: Any) -> None:
        counts["cases"] += 1
        if area == "processes":
            case[0](case[1], count)
        else:
            attempt(case, count)

    run()
    return counts


def show(error: BaseException) -> None:
    """Print each thing that was found, with its smallest case."""
    for one in getattr(error, "exceptions", [error]):
        frames = traceback.extract_tb(one.__traceback__)
        ours = [
            f"{Path(f.filename).name}:{f.lineno}" for f in frames if "hypothesis" not in f.filename
        ]
        print(f"- {type(one).__name__}: {one} ({' < '.join(reversed(ours[-6:]))})")
        print(*getattr(one, "__notes__", []), sep="\n")


def main() -> int:
    """Fuzz, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("areas", nargs="*", metavar="AREA", help=", ".join(AREAS))
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    given_ = parser.parse_args()
    status, total = 0, 0
    print("| area | cases | exit 0 | 1 | 2 | 130 | s |\n|---|---|---|---|---|---|---|")
    with field():
        for area in given_.areas or AREAS:
            share = AREAS[area][2] if not given_.areas else 1 / len(given_.areas)
            began = time.monotonic()
            try:
                counts = fuzz(area, round(given_.cases * share), given_.seed)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
                print(f"FAILED: {area}")
                show(error)
                status = 1
                continue
            total += counts["cases"]
            by_status = " | ".join(str(counts[f"status {code}"]) for code in STATUSES)
            seconds = time.monotonic() - began
            print(f"| {area} | {counts['cases']} | {by_status} | {seconds:.0f} |", flush=True)
    print(f"{total} cases")
    return status


if __name__ == "__main__":
    sys.exit(main())
