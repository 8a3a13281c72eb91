"""examples/digits by random search and by Optuna, 5 seeds each, with the same budget of jobs.

Every figure is a median over the seeds: the best accuracy, what the whole study has trained, and
how many trials were stopped early. It takes some ten minutes, so it is not among `run.py`'s.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

STUDY = Path(__file__).parents[1] / "examples" / "digits" / "study.toml"
HPO = Path(sys.executable).with_name("hpo")
SEEDS = range(1, 6)
STRATEGIES = {
    "random": ("random",),
    "optuna:tpe": ("optuna:tpe",),
    "optuna:tpe, median pruner": (
        "optuna:tpe",
        "-o",
        'pruner={"name": "median", "n_warmup_steps": 4}',
    ),
}


def run(folder: Path, strategy: tuple[str, ...], seed: int) -> dict[str, Any]:
    """Run one study; return its best value, the epochs trained, and the trials stopped."""
    name, *options = strategy
    store = str(folder / f"{abs(hash(strategy))}-{seed}.db")
    given = ["--strategy", name, *options, "--seed", str(seed), "--store", store]
    subprocess.run([HPO, "run", STUDY, *given, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    jobs = json.loads(said("jobs", "digits", "--store", store, "--json"))
    (best,) = json.loads(said("top", "digits", "-k", "1", "--store", store, "--json"))
    return {
        "best": best["values"]["validation/accuracy"],
        "epochs": sum(job["iteration"] or 0 for job in jobs),
        "stopped": sum(job["state"] == "stopped" for job in jobs),
    }


def said(*arguments: str) -> str:
    """Return what a command of hpo prints."""
    return subprocess.run([HPO, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    """Print a row for each strategy."""
    print(f"{'strategy':<28}{'accuracy':>10}{'(least, most)':>20}{'epochs':>9}{'stopped':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for title, strategy in STRATEGIES.items():
            runs = [run(Path(folder), strategy, seed) for seed in SEEDS]
            best = [each["best"] for each in runs]
            print(
                f"{title:<28}{statistics.median(best):>10.4f}"
                f"{f'({min(best):.4f}, {max(best):.4f})':>20}"
                f"{statistics.median(each['epochs'] for each in runs):>9.0f}"
                f"{statistics.median(each['stopped'] for each in runs):>9.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
