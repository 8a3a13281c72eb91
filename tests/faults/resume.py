"""An interrupted study equals an uninterrupted one, trial by trial, with every installed strategy.

    python tests/faults/resume.py --kills 5

With one worker and a job without noise, each strategy runs a study without interruption, and the
same study with a controller that is killed (SIGKILL) at random times and resumed. Their trials must
be equal: configurations, states, losses. A replay of both must give what is stored.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from studies import KINDS, Study, installed, table

TRIALS = "SELECT id, configuration, state, losses FROM trial ORDER BY id"


def compared(
    folder: Path, strategy: str, kind: str, jobs: int, kills: int, chance: random.Random
) -> tuple[int, list[str]]:
    """Run a study alone and another one with kills; return how many there were, and the faults."""
    seed = chance.randrange(2**31)
    options: dict[str, Any] = {"jobs": jobs, "workers": 1, "seed": seed, "pace": "0.00"}
    alone = Study(folder / "alone", strategy, kind, **options)
    began = time.monotonic()
    ended = alone.hpo("run", "study.toml", "--json")
    length = time.monotonic() - began
    if ended.returncode:
        return 0, [f"it does not run: {ended.stderr.strip()}"]
    killed = Study(folder / "killed", strategy, kind, **options)
    count = sum(killed.run_killed(chance.uniform(0.1, 0.1 + length / 2)) for _ in range(kills))
    ended = killed.hpo("run", "study.toml", "--json")
    faults = [] if ended.returncode == 0 else [f"resumed: {ended.stderr.strip()}"]
    pairs = zip(alone.rows(TRIALS), killed.rows(TRIALS), strict=False)
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    if differing:
        faults.append(f"alone {differing[0][0]}, interrupted {differing[0][1]}")
    lengths = [len(study.rows(TRIALS)) for study in (alone, killed)]
    if lengths[0] != lengths[1]:
        faults.append(f"alone {lengths[0]} trials, interrupted {lengths[1]}")
    for study in (alone, killed):
        replayed = study.hpo("replay", "s")
        if replayed.returncode:
            faults.append(f"hpo replay: {replayed.stdout}{replayed.stderr}")
    return count, [f"seed {seed}: {fault}" for fault in faults]


def main() -> int:
    """Compare, and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=5, help="of each study (5)")
    parser.add_argument("--seed", type=int, help="of the instants; drawn if not given")
    parser.add_argument("--jobs", type=int, default=40, help="of each study (40)")
    parser.add_argument("--strategies", help="their names, comma-separated; all if not given")
    parser.add_argument("--leave", default="", help="strategies to leave out, comma-separated")
    parser.add_argument("--kinds", default=",".join(KINDS), help="of jobs: command,function")
    given = parser.parse_args()
    names = given.strategies.split(",") if given.strategies else installed()
    names = [name for name in names if name not in given.leave.split(",")]
    seed = random.randrange(2**31) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    rows, faults = [], []
    for strategy in names:
        for kind in given.kinds.split(","):
            chance = random.Random(f"{seed} {strategy} {kind}")
            with tempfile.TemporaryDirectory(prefix="hpo-resume-") as folder:
                kills, wrong = compared(
                    Path(folder), strategy, kind, given.jobs, given.kills, chance
                )
            rows.append([strategy, kind, kills, "differs" if wrong else "equal"])
            faults += [f"{strategy}, {kind}s: {fault}" for fault in wrong]
            print(*rows[-1], flush=True)
    print(table(["strategy", "jobs are", "kills", "interrupted and alone"], rows))
    print(f"{len(faults)} faults", *faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
