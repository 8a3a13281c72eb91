"""Kill controllers with SIGKILL at random times, resume their studies, and count faults.

    python tests/faults/kill.py --kills 200

Each study has 60 jobs on 4 workers. Its controller is killed at random times: at its start, in its
first turns, in the middle, at its end, and while it recovers from an earlier kill. Then the study
is run to its end. `faults_of` checks what must hold; any fault is printed, and the exit status is
1.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studies import KINDS, Study, installed, table

WANTED = ("random", "grid", "optuna:tpe", "bohb", "asha")
WORKERS = 4


class Killed:
    """What was counted over all studies of one strategy and kind of job."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []


def instants(chance: random.Random, length: float) -> list[tuple[str, float]]:
    """Draw when the controllers of one study are killed, in seconds from their start."""
    start, middle = min(0.4, length / 3), length
    drawn = {
        "start-up": chance.uniform(0.0, start),
        "first turns": start + chance.uniform(0.0, 0.3),
        "middle": chance.uniform(start, middle),
        "end": length - chance.uniform(0.0, 0.4),
    }
    phase = chance.choice(list(drawn))
    chosen = [(phase, max(drawn[phase], 0.0))]
    while chance.random() < 0.4:  # the recovery is hit as well
        chosen.append(("recovery", chance.uniform(0.2, 0.8)))
    return chosen


def carry_on(study: Study, killed: Killed, before: set[tuple[Any, ...]]) -> None:
    """Run a study to its end, and see that all is well."""
    finished = study.hpo("run", "study.toml", "--json")
    killed.counts["runs to the end"] += 1
    if finished.returncode != 0:
        killed.faults.append(f"exit status {finished.returncode}: {finished.stderr.strip()}")
    killed.faults += faults_of(study, before)
    killed.counts["lost"] += study.rows("SELECT count(*) FROM job WHERE state = 'lost'")[0][0]


def faults_of(study: Study, before: set[tuple[Any, ...]]) -> list[str]:
    """Return what is wrong with a study that was killed, perhaps often, and run to its end.

    Args:
        study: The study.
        before: The jobs that had ended when its controllers were killed.
    """
    faults = []
    if gone := before - study.ended_jobs():
        faults.append(f"jobs that had ended are not as they were: {sorted(gone)}")
    ended = study.rows("SELECT count(*) FROM job WHERE state != 'lost'")[0][0]
    if ended != study.jobs:
        faults.append(f"{ended} jobs ran, and the budget is {study.jobs}")
    done = study.done()
    if twice := [trial for trial, times in done.items() if times > 1]:
        faults.append(f"ran to completion more than once: (trial, iterations) {twice}")
    completed = study.rows("SELECT trial, target FROM job WHERE state = 'completed'")
    if undone := set(completed) - set(done):
        faults.append(f"stored as completed, and never ran to their end: {sorted(undone)}")
    if len(completed) != len(set(completed)):
        faults.append("a trial is stored as completed more than once")
    faults += _reports(study)
    lost = study.rows("SELECT trial || '.' || attempt FROM job WHERE state = 'lost'")
    if begun := {job_id for (job_id,) in lost} & study.begun():
        faults.append(f"had begun, and were lost: {sorted(begun)}")
    if left := study.processes():
        faults.append(f"processes are left: {left}")
    if (said := study.rows("PRAGMA integrity_check")) != [("ok",)]:
        faults.append(f"integrity_check: {said}")
    replayed = study.hpo("replay", "s")
    if replayed.returncode != 0:
        faults.append(f"hpo replay: {replayed.stdout}{replayed.stderr}")
    return faults


def _reports(study: Study) -> Iterator[str]:
    """Yield a fault for each trial that was never lost, and not heard once of each iteration."""
    targets = dict(
        study.rows(
            "SELECT trial, max(target) FROM job GROUP BY trial HAVING sum(state != 'completed') = 0"
        )
    )
    heard: dict[int, list[int]] = {trial: [] for trial in targets}
    for trial, iteration in study.rows("SELECT trial, iteration FROM log WHERE kind = 'running'"):
        if trial in heard:
            heard[trial].append(iteration)
    for trial, target in targets.items():
        if heard[trial] != list(range(1, target + 1)):
            yield f"trial {trial} was to be heard of {target} times: {heard[trial]}"


def run(
    folder: Path, strategy: str, kind: str, kills: int, jobs: int, chance: random.Random
) -> Killed:
    """Kill controllers of one strategy's studies a number of times."""
    killed = Killed()
    number = 0
    length = 0.0
    while killed.counts["kills"] < kills:
        seed = chance.randrange(2**31)
        study = Study(folder / str(number), strategy, kind, jobs=jobs, workers=WORKERS, seed=seed)
        if not length:  # one that is left alone says how long it takes
            began = time.monotonic()
            carry_on(study, killed, set())
            length = time.monotonic() - began
        else:
            before: set[tuple[Any, ...]] = set()
            said = []
            for phase, after in instants(chance, length):
                if not study.run_killed(after):
                    killed.counts["too late"] += 1
                    break
                killed.counts["kills"] += 1
                killed.counts[phase] += 1
                said.append(f"{phase} at {after:.3f} s")
                before |= study.ended_jobs()
            known = len(killed.faults)
            carry_on(study, killed, before)
            killed.faults[known:] = [
                f"{study.folder}, seed {seed}, killed in the {', '.join(said)}: {fault}"
                for fault in killed.faults[known:]
            ]
        number += 1
    return killed


COLUMNS = (
    "kills", "start-up", "first turns", "middle", "end", "recovery", "too late", "runs to the end",
    "lost",
)  # fmt: skip


def main() -> int:
    """Kill, and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200, help="how many in all (200)")
    parser.add_argument("--seed", type=int, help="of the instants; drawn if not given")
    parser.add_argument("--jobs", type=int, default=60, help="of each study (60)")
    parser.add_argument("--strategies", help="their names, comma-separated")
    parser.add_argument("--kinds", default=",".join(KINDS), help="of jobs: command,function")
    given = parser.parse_args()
    names = installed()
    strategies = (
        given.strategies.split(",") if given.strategies else [n for n in WANTED if n in names]
    )
    seed = random.randrange(2**31) if given.seed is None else given.seed
    print(f"seed {seed}; strategies: {', '.join(strategies)}", flush=True)
    pairs = [(strategy, kind) for strategy in strategies for kind in given.kinds.split(",")]
    rows, faults = [], []
    with tempfile.TemporaryDirectory(prefix="hpo-kill-") as folder:
        for number, (strategy, kind) in enumerate(pairs):
            kills = given.kills * (number + 1) // len(pairs) - given.kills * number // len(pairs)
            chance = random.Random(f"{seed} {strategy} {kind}")
            killed = run(Path(folder, f"{number}"), strategy, kind, kills, given.jobs, chance)
            rows.append(
                [strategy, kind, *(killed.counts[name] for name in COLUMNS), len(killed.faults)]
            )
            faults += killed.faults
            print(
                f"{strategy}, {kind}s: {killed.counts['kills']} kills, {len(killed.faults)} faults",
                flush=True,
            )
    print(table(["strategy", "jobs are", *COLUMNS, "faults"], rows))
    print(*faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
