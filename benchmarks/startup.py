"""Start-up time: imports, help, and the best of 10,000 jobs."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import config, run, say

HEAVY = ("pandas", "rich", "numpy")


def milliseconds(*command: str, times: int = 15, path: str = "") -> float:
    """Return the median time of a command, after one that is not counted."""
    spent = []
    environment = {**os.environ, "PYTHONPATH": path} if path else None
    for _ in range(times + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        spent.append((time.perf_counter() - began) * 1e3)
    return statistics.median(spent[1:])


def heavy_modules(statement: str) -> str:
    """Return which heavy modules a statement loads."""
    code = f"import sys; {statement}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[-1].strip() or "none"


def install_commands(folder: Path, count: int) -> None:
    """Put the metadata of distributions with a command each into a folder."""
    for number in range(count):
        information = folder / f"hpo_more_{number}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: hpo-more-{number}\nVersion: 1.0\nSummary: One more\n"
        )
        (information / "entry_points.txt").write_text(
            f"[hpo_core.commands]\nmore-{number} = hpo_more_{number}:command\n"
        )


def main() -> None:
    """Print the times."""
    hpo = shutil.which("hpo", path=str(Path(sys.executable).parent)) or "hpo"
    python = sys.executable
    bare = milliseconds(python, "-c", "pass")
    say("the interpreter alone", f"{bare:.0f} ms", "the floor")
    imported = milliseconds(python, "-c", "import hpo_core")
    say("import hpo_core, interpreter included", f"{imported:.0f} ms", "< 60 ms")
    named = milliseconds(python, "-c", "from hpo_core import optimize, Float")
    say("from hpo_core import optimize, Float", f"{named:.0f} ms")
    without = milliseconds(hpo, "--help")
    say("hpo --help", f"{without:.0f} ms", "< 100 ms")
    with tempfile.TemporaryDirectory() as folder:
        install_commands(Path(folder), 10)
        more = milliseconds(hpo, "--help", path=folder) - without
        say("ten more commands of plugins", f"{more:+.1f} ms", "at most +5 ms")
    say("heavy modules after import hpo_core", heavy_modules("import hpo_core"), "none")
    helped = "from hpo_core.cli.main import hpo; hpo.main(['--help'], standalone_mode=False)"
    say("heavy modules after hpo --help", heavy_modules(helped), "none")
    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "hpo.db"
        run(config(10_000), store)
        top = milliseconds(hpo, "top", "bench", "--store", str(store))
        say("hpo top on a store of 10,000 jobs", f"{top:.0f} ms", "< 300 ms")


if __name__ == "__main__":
    main()
