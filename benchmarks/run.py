"""All benchmarks, one after another, each in its own process: `make bench`.

Every figure is a ratio within one run, relative to another tool or a lower bound, since machines
differ and vary. To run only some of them: ``python benchmarks/run.py search startup``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ALL = (
    "search",
    "optuna_plugin",
    "asha",
    "growth",
    "resume",
    "workers",
    "workers_start",
    "utilisation",
    "reports",
    "startup",
)


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; return how many failed to run."""
    failed = 0
    for name in names or ALL:
        print(f"\n== {name}", flush=True)
        script = Path(__file__).with_name(f"{name}.py")
        failed += subprocess.run([sys.executable, str(script)], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
