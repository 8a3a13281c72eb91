"""hpo-optuna compared with plain Optuna: ask + tell, and a complete search with a store on disk."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import optuna
from common import SPACE, config, run, say, trivial
from hpo_optuna.options import TPE, Options, Random
from hpo_optuna.plugin import build

from hpo_core.plugin import Objective, PluginChoice, Problem, Report, Start, Status

SEED = 1


def bare_values(trial: optuna.Trial) -> dict[str, float]:
    """Suggest the common space in Optuna's manner."""
    trial_values = {
        "x": trial.suggest_float("x", 0.0, 1.0),
        "depth": trial.suggest_int("depth", 1, 8),
    }
    trial.suggest_categorical("kind", ("tree", "forest", None))
    return trial_values


def bare(sampler: optuna.samplers.BaseSampler, trials: int) -> Callable[[], None]:
    """Return one ask and tell of Optuna's, after `trials` of them."""
    study = optuna.create_study(sampler=sampler)

    def once() -> None:
        trial = study.ask()
        study.tell(trial, trivial(bare_values(trial)))

    for _ in range(trials):
        once()
    return once


def ours(options: Options, trials: int) -> Callable[[], None]:
    """Return one ask and tell through hpo-optuna, its state saved too, after `trials` of them."""
    objectives = (Objective("loss", "minimize"),)
    strategy = build(Problem(space=SPACE, objectives=objectives, seed=SEED), options)
    asked = 0

    def once() -> None:
        nonlocal asked
        asked += 1
        answer = strategy.ask(asked)
        assert isinstance(answer, Start)
        strategy.save_state()
        loss = trivial(answer.configuration)  # type: ignore[arg-type]
        strategy.tell(Report(trial_id=asked, job_id="j", losses=(loss,), status=Status.COMPLETED))

    for _ in range(trials):
        once()
    return once


def in_turns(one: Callable[[], None], other: Callable[[], None], times: int) -> tuple[float, float]:
    """Return each one's seconds for a call, the two in turns, since a machine drifts."""
    spent = [0.0, 0.0]
    for _ in range(times):
        for place, call in enumerate((one, other)):
            began = time.perf_counter()
            call()
            spent[place] += time.perf_counter() - began
    return spent[0] / times, spent[1] / times


def through_the_store(folder: Path, trials: int) -> float:
    """Return the seconds of a search by TPE, with hpo-core's store."""
    study = config(trials)
    chosen = msgspec.structs.replace(study, strategy=PluginChoice("optuna:tpe"))
    return run(chosen, folder / "hpo.db")


def through_optunas(folder: Path, trials: int) -> float:
    """Return the seconds of the same search, with Optuna's SQLite."""
    sampler = optuna.samplers.TPESampler(seed=SEED)
    study = optuna.create_study(sampler=sampler, storage=f"sqlite:///{folder}/optuna.db")
    began = time.perf_counter()
    study.optimize(lambda trial: trivial(bare_values(trial)), n_trials=trials)
    return time.perf_counter() - began


def main() -> None:
    """Print the figures."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    theirs, mine = in_turns(
        bare(optuna.samplers.TPESampler(seed=SEED), 1_000), ours(TPE(), 1_000), 150
    )
    say("TPE at 1,000 trials, bare Optuna", f"{theirs * 1e3:.2f} ms")
    say("TPE at 1,000 trials, hpo-optuna / Optuna", f"{mine / theirs:.2f}", "<= 1.10")
    theirs, mine = in_turns(
        bare(optuna.samplers.RandomSampler(seed=SEED), 200), ours(Random(), 200), 1_000
    )
    say("random, bare Optuna", f"{theirs * 1e3:.3f} ms")
    say("random, hpo-optuna - Optuna", f"{(mine - theirs) * 1e3:.3f} ms", "<= 0.2 ms")
    with tempfile.TemporaryDirectory() as name:
        mine = through_the_store(Path(name), 300)
        theirs = through_optunas(Path(name), 300)
    say("300 trials by TPE, SQLite: Optuna / hpo-core", f"{theirs / mine:.1f}", ">= 3")


if __name__ == "__main__":
    main()
