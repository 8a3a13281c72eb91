"""Resume studies long after their jobs have ended, and continue stopped controllers.

    python tests/faults/late.py --rounds 3

Each job reports for about a second, and has limits of a few seconds. Its controller is killed
(SIGKILL) at a random time, and the study is resumed when all limits of its jobs have passed; or the
controller is stopped (SIGSTOP) for that long, and continued. The time of an event counts, not the
time at which it is noticed: each job must be completed with all its reports, and the compute time
must be that of the jobs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from studies import Study, chosen, table

ITERATIONS = 8
LIMIT = 4.0
"""Seconds that a job may take, which is four times what it takes, and may be silent."""

STUDY = """
name = "s"
seed = {seed}
workers = 3
strategy = {strategy}
objective = {{ metric = "loss", direction = "minimize" }}
budget = {{ jobs = {jobs} }}

[job]
{work}
max_iterations = {iterations}
time_limit = {limit}
silence_limit = {limit}

[parameters.n]
type = "int"
low = 0
high = 99
"""

JOB = """
import os, time
from pathlib import Path
from hpo_core import report

def train(configuration, job):
    began = time.monotonic()
    at = Path(job.checkpoint_dir, "at")
    first = int(at.read_text()) + 1 if at.exists() else 1
    for iteration in range(first, job.iterations + 1):
        time.sleep(0.1)
        report(iteration, loss=1.0 / iteration)
        at.with_suffix(".new").write_text(str(iteration))
        at.with_suffix(".new").replace(at)
    ran = time.monotonic() - began
    truth = os.open(os.environ["TRUTH"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(truth, f"{job.id} {ran}\\n".encode())
    os.close(truth)

if __name__ == "__main__":
    from types import SimpleNamespace
    train(None, SimpleNamespace(
        id=os.environ["HPO_JOB_ID"],
        iterations=int(os.environ["HPO_ITERATIONS"]),
        checkpoint_dir=os.environ["HPO_CHECKPOINT_DIR"],
    ))
"""

WORK = {
    "function": 'function = "patient:train"',
    "command": 'command = ["{python}", "patient.py", "{n}"]',
}


class Late:
    """One study, and what was done to its controllers.

    Args:
        study: The study.
        dice: Draws when.
    """

    def __init__(self, study: Study, dice: random.Random) -> None:
        self._study = study
        self._dice = dice
        self.kills = self.stops = 0

    def run(self, rounds: int) -> None:
        """Run the study to its end, with as many late resumptions and stops."""
        for _ in range(rounds):
            if not (self._killed() if self._dice.random() < 0.7 else self._stopped()):
                return
        finished = self._study.hpo("run", "study.toml", "--json")
        assert finished.returncode in (0, 1), finished.stderr

    def _killed(self) -> bool:
        """Kill a controller, and wait until its jobs are gone and their limits are past."""
        if not self._study.run_killed(self._dice.uniform(0.5, 3.0)):
            return False
        self.kills += 1
        self._sleep()
        assert not self._study.processes(), "a supervisor lives that has no jobs"
        return True

    def _stopped(self) -> bool:
        """Stop a controller until all limits are past; return whether its study goes on."""
        controller = self._study.start()
        with contextlib.suppress(subprocess.TimeoutExpired):
            controller.wait(self._dice.uniform(0.5, 3.0))
        if controller.poll() is None:
            controller.send_signal(signal.SIGSTOP)
            self.stops += 1
            self._sleep()
            controller.send_signal(signal.SIGCONT)
        _, said = controller.communicate()
        assert controller.returncode in (0, 1), said
        return False

    def _sleep(self) -> None:
        time.sleep(LIMIT + self._dice.uniform(1.0, 3.0))


def faults_of(study: Study, strategy: str) -> list[str]:
    """Return what is wrong with a study that was resumed late, and run to its end."""
    states = dict(study.rows("SELECT state, count(*) FROM job GROUP BY state"))
    allowed = {"completed", "lost"} | ({"paused", "stopped"} if strategy == "asha" else set())
    faults = [
        f"{count} jobs are {state}" for state, count in states.items() if state not in allowed
    ]
    if not study.truth.exists():
        return [*faults, "no job has run to its end"]
    truth = dict(line.split() for line in study.truth.read_text().splitlines())
    lost = {job for (job,) in study.rows("SELECT trial||'.'||attempt FROM job WHERE state='lost'")}
    if had_ended := lost & truth.keys():
        faults.append(f"had ended, and were lost: {sorted(had_ended)}")
    completed = study.rows(
        "SELECT trial, max(target) FROM job GROUP BY trial HAVING sum(state != 'completed') = 0"
    )
    for trial, target in completed:
        heard = study.rows(f"SELECT iteration FROM log WHERE kind='running' AND trial={trial}")
        if [iteration for (iteration,) in heard] != list(range(1, target + 1)):
            faults.append(f"trial {trial} was to be heard of {target} times: {heard}")
    used = _shown(study)["usage"]["compute_time"]
    ran = sum(map(float, truth.values()))
    if not ran <= used <= ran + LIMIT / 4 * len(truth) + LIMIT * len(lost):
        faults.append(f"the compute time is {used:.1f} s, and the jobs ran for {ran:.1f} s")
    if (replayed := study.hpo("replay", "s")).returncode != 0:
        faults.append(f"hpo replay: {replayed.stdout}{replayed.stderr}")
    return faults


def _shown(study: Study) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(study.hpo("show", "s", "--json").stdout)
    return shown


def main() -> int:
    """Print a table; return 1 if something was not counted as it happened."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=4, help="of each strategy and kind (4)")
    parser.add_argument("--rounds", type=int, default=3, help="maximum number for each study (3)")
    parser.add_argument("--jobs", type=int, default=15, help="of each study (15)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strategies", default="random,asha,process")
    parser.add_argument("--kinds", default=",".join(WORK), help="of jobs: function,command")
    given = parser.parse_args()
    rows, faults = [], []
    with tempfile.TemporaryDirectory(prefix="hpo-late-") as name:
        for kind in given.kinds.split(","):
            for strategy in given.strategies.split(","):
                kills = stops = 0
                known = len(faults)
                for number in range(given.studies):
                    dice = random.Random(f"{given.seed} {kind} {strategy} {number}")
                    folder = Path(name, f"{kind}-{strategy}-{number}")
                    study = Study(folder, strategy, kind, jobs=given.jobs, workers=3, seed=1)
                    (folder / "patient.py").write_text(JOB)
                    (folder / "study.toml").write_text(
                        STUDY.format(
                            seed=dice.randrange(2**31),
                            strategy=chosen(strategy),
                            jobs=given.jobs,
                            work=WORK[kind],
                            iterations=ITERATIONS,
                            limit=LIMIT,
                        )
                    )
                    late = Late(study, dice)
                    late.run(given.rounds)
                    kills, stops = kills + late.kills, stops + late.stops
                    faults += [
                        f"{strategy}, {kind}s, study {number}: {fault}"
                        for fault in faults_of(study, strategy)
                    ]
                rows.append([strategy, kind, kills, stops, len(faults) - known])
                print(*rows[-1], flush=True)
    print(table(["strategy", "jobs are", "kills", "stops", "faults"], rows))
    print(*faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
