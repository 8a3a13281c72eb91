"""What strategies cost: processor time of asking and telling, and of resuming by a replay.

    python benchmarks/libraries.py 100 cma nevergrad:ngopt rustuna:tpe optuna:tpe
    python benchmarks/libraries.py 300 nevergrad:scrhammersley budget=300

Options of a strategy follow its name, each value as JSON or else as a string. For each strategy:
the mean time of an ask and a tell over a number of trials of four parameters, and the time to
restore all of them. Run it in the environment that has the libraries. What one strategy leaves in
memory can slow down the next one, so measure figures to publish with one strategy a call.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from typing import Any

from hpo_core import Categorical, Configuration, Float, Int, Objective, SearchSpace
from hpo_core.plugin import (
    Asked,
    Problem,
    Report,
    SavedState,
    Start,
    Status,
    StrategyChoice,
    Told,
    build_strategy,
)

SPACE = SearchSpace(
    (
        Float("rate", 1e-5, 1e-1, log=True),
        Float("momentum", 0.0, 1.0),
        Int("units", 8, 512),
        Categorical("kind", ("a", "b", "c")),
    )
)
PROBLEM = Problem(space=SPACE, objectives=(Objective("loss", "minimize"),), seed=7)


def loss(values: Configuration) -> float:
    """Return the loss of a configuration."""
    rate, momentum, units = values["rate"], values["momentum"], values["units"]
    assert isinstance(rate, float)
    assert isinstance(momentum, float)
    assert isinstance(units, int)
    offset = {"a": 0.0, "b": 0.1, "c": 0.3}[str(values["kind"])]
    return (rate - 1e-3) ** 2 * 1e4 + (momentum - 0.6) ** 2 + abs(units - 100) / 512 + offset


def measured(choice: StrategyChoice, trials: int) -> tuple[float, float, float]:
    """Return the milliseconds of an ask and tell, the seconds of a replay, and the best loss."""
    strategy = build_strategy(choice, PROBLEM).strategy
    history: list[Asked | Told] = []
    saved = None
    best = float("inf")
    began = time.process_time()
    for trial_id in range(1, trials + 1):
        answer = strategy.ask(trial_id)
        assert isinstance(answer, Start)
        history.append(Asked(trial_id, answer))
        value = loss(answer.configuration)
        best = min(best, value)
        report = Report(
            trial_id=trial_id, job_id=f"{trial_id}.1", losses=(value,), status=Status.COMPLETED
        )
        history.append(Told(report, strategy.tell(report)))
        state = strategy.save_state()
        saved = None if state is None else SavedState(state, len(history))
    spent = time.process_time() - began
    again = build_strategy(choice, PROBLEM).strategy
    began = time.process_time()
    again.restore(history, saved)
    return 1000.0 * spent / trials, time.process_time() - began, best


def choices(words: list[str]) -> list[StrategyChoice]:
    """Return the strategies of the command line, each with the options after its name."""
    found: list[tuple[str, dict[str, Any]]] = []
    for word in words:
        key, is_option, text = word.partition("=")
        if not is_option:
            found.append((word, {}))
        elif not found:
            raise SystemExit(f"{word} follows no strategy; give its name first")
        else:
            found[-1][1][key] = _value(text)
    return [StrategyChoice(name, options) for name, options in found]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    count = int(sys.argv[1])
    print("| strategy | ask and tell | resuming | best loss |\n|---|---|---|---|", flush=True)
    for each in choices(sys.argv[2:]):
        ask, replay, least = measured(each, count)
        print(f"| `{each.name}` | {ask:.2f} ms | {replay:.2f} s | {least:.4f} |", flush=True)
