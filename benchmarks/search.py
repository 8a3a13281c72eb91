"""Random search inline with a trivial function, 3 parameters and a store on disk; also in Optuna.

Lower bound: plain sqlite3 in WAL mode, with an insert and an update in one transaction per trial.
"""

from __future__ import annotations

import logging
import sqlite3
import tempfile
import time
import warnings
from pathlib import Path

from common import config, run, say, trivial


def hpo_core(folder: Path, jobs: int) -> float:
    """Return jobs per second of hpo-core."""
    return jobs / run(config(jobs), folder / "hpo.db")


def bare_sqlite(folder: Path, trials: int) -> float:
    """Return trials per second of sqlite3 alone: the floor of any store in SQLite."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE trial (id INTEGER PRIMARY KEY, parameters, state, value)")
    began = time.perf_counter()
    for trial in range(trials):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT INTO trial VALUES (?, ?, 'running', NULL)", (trial, '{"x":0.5,"depth":3}')
        )
        connection.execute(
            "UPDATE trial SET state = 'completed', value = 0.5 WHERE id = ?", (trial,)
        )
        connection.execute("COMMIT")
    return trials / (time.perf_counter() - began)


def optuna(storage: object, trials: int) -> float:
    """Return trials per second of Optuna's random sampler on one of its storages."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.RandomSampler(seed=1)
    study = optuna.create_study(sampler=sampler, storage=storage)  # type: ignore[arg-type]

    def objective(trial: optuna.Trial) -> float:
        return trivial(
            {
                "x": trial.suggest_float("x", 0.0, 1.0),
                "depth": trial.suggest_int("depth", 1, 8),
                "kind": trial.suggest_categorical("kind", ("tree", "forest", None)),
            }
        )

    began = time.perf_counter()
    study.optimize(objective, n_trials=trials)
    return trials / (time.perf_counter() - began)


def main() -> None:
    """Print all of them, and the ratios."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = hpo_core(folder, 20_000)
        floor = bare_sqlite(folder, 20_000)
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        journal = optuna(JournalStorage(JournalFileBackend(str(folder / "journal.log"))), 1_000)
        rdb = optuna(f"sqlite:///{folder}/optuna.db", 300)
        memory = optuna(None, 2_000)
    say("hpo-core, random, inline, SQLite on disk", f"{ours:,.0f} jobs/s", ">= 5,000")
    say("bare sqlite3, insert + update, a commit a trial", f"{floor:,.0f} trials/s", "the floor")
    say("Optuna, random, SQLite on disk", f"{rdb:,.0f} trials/s", "66 when the target was set")
    say("Optuna, random, journal on disk", f"{journal:,.0f} trials/s", "480 then")
    say("Optuna, random, in memory", f"{memory:,.0f} trials/s")
    say("hpo-core / Optuna with SQLite", f"{ours / rdb:,.1f}", ">= 75.8 (5,000 / 66)")
    say("hpo-core / Optuna with its journal", f"{ours / journal:,.1f}", ">= 10.4 (5,000 / 480)")
    say("hpo-core / bare sqlite3", f"{ours / floor:.2f}")


if __name__ == "__main__":
    main()
