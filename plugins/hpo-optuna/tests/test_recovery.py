"""Recovery is exact at any point, from JSON and in another process."""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import sys
import textwrap
from typing import Any

import msgspec
import optuna
import pytest
from hpo_optuna.options import GP, NSGA2, NSGA3, QMC, TPE, BruteForce, CmaEs, Options, Random
from hpo_optuna.plugin import build
from hpo_optuna.pruners import Asha, Hyperband, Median
from hpo_optuna.strategy import OptunaStrategy

from hpo_core.plugin import (
    Asked,
    Categorical,
    Configuration,
    Decision,
    Exhausted,
    Float,
    History,
    Int,
    Objective,
    Problem,
    Report,
    SavedState,
    SearchSpace,
    Start,
    Status,
    Strategy,
    StrategyError,
    Told,
)

SPACE = SearchSpace(
    (
        Categorical("model", ("linear", "tree", "net")),
        Int("depth", 1, 9, step=2, when={"model": "tree"}),
        Float("x", 0, 1),
        Float("dropout", 0, 0.9, step=0.1, when={"model": "net"}),
        Float("lr", 1e-4, 1e-1, log=True),
        Int("units", 1, 64, log=True),
    ),
    ({"model": "tree", "depth": (1, 3)},),
)
FINITE = SearchSpace((Int("a", 0, 5), Float("b", 0, 0.5, step=0.1)), ({"a": 3, "b": 0.3},))
NUMBERS = SearchSpace((Float("x", 0, 1), Float("y", 0, 1, step=0.1), Int("n", 1, 9)))

VARIANTS: dict[str, tuple[Options, SearchSpace]] = {
    "tpe": (TPE(n_startup_trials=4), SPACE),
    "tpe, grouped": (TPE(n_startup_trials=4, group=True), SPACE),
    "tpe, median": (TPE(n_startup_trials=4, pruner=Median(n_startup_trials=2)), SPACE),
    "tpe, hyperband": (TPE(n_startup_trials=4, pruner=Hyperband(max_resource=4)), SPACE),
    "tpe, fixed": (TPE(n_startup_trials=4, fixed={"model": "net", "units": 4}), SPACE),
    "random, asha": (Random(pruner=Asha(reduction_factor=2)), SPACE),
    "nsga2": (NSGA2(population_size=5), SPACE),
    "nsga3": (NSGA3(population_size=5), SPACE),
    "qmc": (QMC(), SPACE),
    "qmc, scrambled": (QMC(scramble=True), NUMBERS),
    "bruteforce": (BruteForce(), FINITE),
    "cmaes": (CmaEs(popsize=4), SPACE),
    "cmaes, separable": (CmaEs(popsize=4, use_separable_cma=True), NUMBERS),
    "cmaes, with margin": (CmaEs(popsize=4, with_margin=True), NUMBERS),
    "cmaes, adaptive": (CmaEs(popsize=4, lr_adapt=True), NUMBERS),
}


def needs(variant: str) -> None:
    if variant.startswith("cmaes"):
        pytest.importorskip("cmaes")


def made(options: Options, space: SearchSpace) -> OptunaStrategy:
    objectives = (Objective("loss", "minimize"),)
    return build(Problem(space=space, objectives=objectives, seed=11), options)


class Run:
    """A search with up to three pending trials, shuffled tells and failures, all recorded."""

    def __init__(self, strategy: Strategy, space: SearchSpace, *, adopts: bool = True) -> None:
        self.strategy = strategy
        self.space = space
        self.adopts = adopts
        self.history: list[Asked | Told] = []
        self.states: list[SavedState] = []
        self.running: list[int] = []
        self.configurations: dict[int, Configuration] = {}
        self.shuffled = random.Random(5)

    def go(self, trials: int) -> Run:
        for _ in range(trials):
            while len(self.running) >= self.shuffled.randint(1, 3):
                self.end(self.running.pop(self.shuffled.randrange(len(self.running))))
            if not self.begin(len(self.configurations) + 1):
                break
        return self

    def begin(self, trial_id: int) -> bool:
        is_adopted = self.adopts and trial_id % 9 == 5
        if is_adopted:
            suggestion = Start(self.space.defaults())
            self.strategy.adopt(trial_id, suggestion)
        else:
            answer = self.strategy.ask(trial_id)
            if isinstance(answer, Exhausted):
                return False
            assert isinstance(answer, Start)
            suggestion = answer
        self.configurations[trial_id] = suggestion.configuration
        self.running.append(trial_id)
        self.history.append(Asked(trial_id, suggestion, adopted=is_adopted))
        state = self.strategy.save_state()
        if state is not None:
            self.states.append(SavedState(state, len(self.history)))
        return True

    def end(self, trial_id: int) -> None:
        values = self.configurations[trial_id].values()
        loss = sum(len(v) if isinstance(v, str) else float(v or 0) for v in values) % 7
        status = Status.FAILED if trial_id % 10 == 7 else Status.COMPLETED
        for step in range(1, 5):
            now = loss + 1 / step
            decision = self.tell(trial_id, step, now, Status.RUNNING)
            if decision is Decision.STOP:
                status = Status.STOPPED
                break
        self.tell(trial_id, step, None if status is Status.FAILED else now, status)

    def tell(self, trial_id: int, step: int, loss: float | None, status: Status) -> Decision:
        report = Report(
            trial_id=trial_id,
            job_id=f"{trial_id}.1",
            iteration=step,
            losses=None if loss is None else (loss,),
            status=status,
            metrics={} if loss is None else {"loss": loss},
        )
        decision = self.strategy.tell(report)
        self.history.append(Told(report, decision))
        return decision

    def saved_by(self, events: int) -> SavedState | None:
        return max(
            (each for each in self.states if each.events <= events),
            key=lambda each: each.events,
            default=None,
        )


def stored(event: Asked | Told) -> Asked | Told:
    """Return an event as it comes back from a store: as JSON, its keys in any order."""
    kind = type(event)
    back = json.loads(msgspec.json.encode(event), object_pairs_hook=lambda kept: dict(kept[::-1]))
    if isinstance(event, Told):
        return msgspec.convert(back, kind)
    start = back["suggestion"]
    return Asked(
        back["trial_id"],
        Start(Configuration(start["configuration"]), notes=start["notes"]),
        back["adopted"],
    )


def stored_state(saved: SavedState | None) -> SavedState | None:
    return None if saved is None else SavedState(json.loads(json.dumps(saved.state)), saved.events)


def assert_continues(strategy: Strategy, run: Run, cut: int) -> None:
    """Assert that a strategy gives the same answers as a run after event `cut`."""
    for event in run.history[cut:]:
        match event:
            case Told(report, decision):
                assert strategy.tell(report) is decision
            case Asked(trial_id, suggestion, adopted=True):
                strategy.adopt(trial_id, suggestion)
            case Asked(trial_id, suggestion):
                assert strategy.ask(trial_id) == suggestion


def recovered(
    options: Options, space: SearchSpace, history: History, saved: SavedState | None
) -> OptunaStrategy:
    strategy = made(options, space)
    strategy.restore([stored(event) for event in history], stored_state(saved))
    return strategy


@pytest.mark.parametrize("variant", VARIANTS)
def test_recovery_is_exact_at_many_points(variant: str) -> None:
    needs(variant)
    options, space = VARIANTS[variant]
    run = Run(made(options, space), space).go(45)
    assert len(run.configurations) > 30
    for cut in range(1, len(run.history), len(run.history) // 7):
        saved = run.saved_by(cut)
        assert saved is not None
        assert_continues(recovered(options, space, run.history[:cut], saved), run, cut)


@pytest.mark.parametrize("variant", VARIANTS)
def test_recovery_from_an_older_state_is_exact(variant: str) -> None:
    needs(variant)
    options, space = VARIANTS[variant]
    run = Run(made(options, space), space).go(30)
    cut = 2 * len(run.history) // 3
    older = run.saved_by(cut // 2)
    assert_continues(recovered(options, space, run.history[:cut], older), run, cut)


@pytest.mark.parametrize("objectives", [1, 2])
def test_recovery_of_a_gaussian_process_is_exact(objectives: int) -> None:
    pytest.importorskip("torch")
    options = GP(n_startup_trials=3)
    problem = Problem(
        space=NUMBERS,
        objectives=tuple(Objective(f"m{n}", "minimize") for n in range(objectives)),
        seed=3,
    )
    strategy = build(problem, options)
    history: list[Asked | Told] = []
    states: list[SavedState] = []
    asked: list[Any] = []
    for trial_id in range(1, 8):
        answer = strategy.ask(trial_id)
        assert isinstance(answer, Start)
        asked.append(answer)
        history.append(Asked(trial_id, answer))
        states.append(SavedState(strategy.save_state(), len(history)))
        if trial_id > 1:  # one stays pending
            x = answer.configuration["x"]
            report = Report(
                trial_id=trial_id - 1,
                job_id="j",
                losses=(x, 1 - x)[:objectives],
                status=Status.COMPLETED,
            )
            history.append(Told(report, strategy.tell(report)))
    for place in (4,):
        state = states[place]
        again = build(problem, options)
        again.restore([stored(event) for event in history[: state.events]], stored_state(state))
        for event in history[state.events :]:
            if isinstance(event, Told):
                again.tell(event.report)
            else:
                assert again.ask(event.trial_id) == event.suggestion


@pytest.mark.parametrize("variant", ["tpe, grouped", "nsga2", "cmaes"])
def test_recovery_in_a_process_with_another_hash_seed_is_exact(variant: str, tmp_path: Any) -> None:
    needs(variant)
    options, space = VARIANTS[variant]
    run = Run(made(options, space), space, adopts=False).go(40)
    cut = len(run.history) // 2
    saved = run.saved_by(cut)
    assert saved is not None
    kept = {
        "history": [json.loads(msgspec.json.encode(event)) for event in run.history[:cut]],
        "told": [isinstance(event, Told) for event in run.history[:cut]],
        "state": saved.state,
        "events": saved.events,
    }
    (tmp_path / "kept.json").write_text(json.dumps(kept))
    program = f"""
        import json, sys, msgspec
        from hpo_core import *
        from hpo_core.plugin import (
            Asked,
            Configuration,
            Objective,
            Problem,
            SavedState,
            Start,
            Told,
        )
        from hpo_core import Categorical, Float, Int, SearchSpace
        from hpo_optuna.options import *
        from hpo_optuna.plugin import build
        kept = json.load(open(sys.argv[1]))
        def event(each, is_told):
            if is_told:
                return msgspec.convert(each, Told)
            start = each["suggestion"]
            return Asked(each["trial_id"],
                         Start(Configuration(start["configuration"]), notes=start["notes"]))
        problem = Problem(space={space!r}, objectives=(Objective("loss", "minimize"),), seed=11)
        strategy = build(problem, {options!r})
        history = [event(*each) for each in zip(kept["history"], kept["told"])]
        strategy.restore(history, SavedState(kept["state"], kept["events"]))
        nexts = [dict(strategy.ask(1000 + n).configuration) for n in range(3)]
        print(json.dumps([nexts, strategy.save_state()]))
    """
    printed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "kept.json")],
        env={**os.environ, "PYTHONHASHSEED": "4321"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    here = recovered(options, space, run.history[:cut], saved)
    nexts = [here.ask(1000 + n) for n in range(3)]
    configurations = [dict(each.configuration) for each in nexts if isinstance(each, Start)]
    assert json.loads(printed) == [configurations, here.save_state()]


def test_a_version_of_optuna_that_is_not_known_is_recovered_by_asking_all_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(optuna, "__version__", "5.99.0")
    options, space = VARIANTS["tpe"]
    run = Run(made(options, space), space).go(30)
    assert run.states == []
    assert_continues(recovered(options, space, run.history[:50], None), run, 50)


def test_what_comes_out_otherwise_when_asked_again_is_an_error() -> None:
    options, space = VARIANTS["tpe"]
    run = Run(made(options, space), space).go(3)
    other = Asked(1, Start(space.defaults()))
    with pytest.raises(StrategyError, match="now suggests"):
        made(options, space).restore([other, *run.history[1:]], None)


def test_another_version_of_optuna_continues_from_the_state_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    options, space = VARIANTS["tpe"]
    run = Run(made(options, space), space).go(10)
    saved = run.saved_by(len(run.history))
    assert saved is not None
    with caplog.at_level(logging.WARNING, "hpo_optuna"):
        recovered(
            options,
            space,
            run.history,
            SavedState({**saved.state, "optuna": "5.0.99"}, saved.events),
        )
    assert "Optuna was 5.0.99 when this study was saved" in caplog.text


def test_the_state_does_not_grow_with_the_trials() -> None:
    options, space = VARIANTS["tpe, grouped"]
    run = Run(made(options, space), space, adopts=False).go(45)
    sizes = [len(json.dumps(each.state)) for each in run.states]
    assert max(sizes) < 1.05 * sizes[5]
    assert max(sizes) < 10_000
