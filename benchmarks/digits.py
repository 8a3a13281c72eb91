"""Several strategies on examples/digits, with 5 seeds each and equal budgets: `make bench-digits`.

Every figure is a median over the seeds: the best accuracy in `hpo top`, the trained epochs, and the
numbers of started and stopped trials. ``python benchmarks/digits.py jobs`` uses a budget of jobs,
``compute_time`` one of compute time, in which early stopping can run more trials. A table takes
about ten minutes, so `run.py` does not include them.
"""

from __future__ import annotations

import importlib
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
MEDIAN = {"name": "median", "n_warmup_steps": 4}

BUDGETS: dict[str, dict[str, Any]] = {
    "jobs": {"budget": {"jobs": 32}},
    "compute_time": {"budget": {"compute_time": "2m"}},
}
FIDELITY = {"min_iterations": 1, "max_iterations": 27}
STRATEGIES: dict[str, dict[str, tuple[str, dict[str, Any], dict[str, int]]]] = {
    "jobs": {
        "random": ("random", {}, {}),
        "optuna:tpe": ("optuna:tpe", {}, {}),
        "optuna:tpe, median pruner": ("optuna:tpe", {"pruner": MEDIAN}, {}),
    },
    "compute_time": {
        "random": ("random", {}, FIDELITY),
        "asha over random": ("asha", {}, FIDELITY),
        "asha over optuna:tpe": ("asha", {"searcher": "optuna:tpe"}, FIDELITY),
        "asha, stopping, over random": ("asha", {"type": "stopping"}, FIDELITY),
        "bohb": ("bohb", {}, FIDELITY),
    },
}


def study_file(folder: Path, table: str, title: str) -> Path:
    """Write the example's study with another strategy and budget, and return its file."""
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    study = toml.loads(STUDY.read_text())
    name, options, fidelity = STRATEGIES[table][title]
    study |= {"strategy": {"name": name, "options": options}, **BUDGETS[table]}
    study["job"] |= {"directory": str(STUDY.parent), **fidelity}
    file = folder / "study.json"
    file.write_text(json.dumps(study))
    return file


def run(folder: Path, table: str, title: str, seed: int) -> dict[str, float]:
    """Run one study; return its best value, and what it has done."""
    folder.mkdir()
    store = ("--store", str(folder / "hpo.db"))
    said("run", str(study_file(folder, table, title)), "--seed", str(seed), *store, "--quiet")
    shown = json.loads(said("show", "digits", *store, "--json"))
    top = json.loads(said("top", "digits", "-k", "1", *store, "--json"))
    return {
        "best": top[0]["values"]["validation/accuracy"] if top else 0.0,  # none is completed
        "epochs": shown["usage"]["iterations"],
        "trials": shown["trials"],
        "stopped": shown["stopped"],
    }


def said(*arguments: str) -> str:
    """Return what a command of hpo prints."""
    return subprocess.run([HPO, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def main(tables: list[str]) -> None:
    """Print a table for each of the budgets that are named, or of all."""
    for table in tables or BUDGETS:
        print(f"\n{BUDGETS[table]['budget']}, medians of {len(SEEDS)} seeds")
        print(f"{'strategy':<30}{'accuracy':>10}{'(least, most)':>20}{'epochs':>9}{'trials':>9}")
        for title in STRATEGIES[table]:
            with tempfile.TemporaryDirectory() as folder:
                runs = [run(Path(folder) / str(seed), table, title, seed) for seed in SEEDS]
            best = [each["best"] for each in runs]
            spread = f"({min(best):.4f}, {max(best):.4f})"
            print(
                f"{title:<30}{statistics.median(best):>10.4f}{spread:>20}"
                + "".join(
                    f"{statistics.median(each[column] for each in runs):>9.0f}"
                    for column in ("epochs", "trials")
                )
                + f"   ({statistics.median(each['stopped'] for each in runs):.0f} stopped)",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
