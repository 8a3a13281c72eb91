"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ax.api.client import Client
from ax.api.configs import RangeParameterConfig
from hpo_ax.options import Fast, Options, RandomSearch
from hpo_ax.plugin import build

from hpo_core.plugin import Asked, Report, Start, Status, Told
from hpo_core.testing import (
    SHORT_CHECKS,
    VALLEY,
    InstalledContract,
    other_defaults,
    valley,
    valley_points,
)


def ours(options: Options, trials: int) -> list[list[float]]:
    return valley_points(build(VALLEY, options), trials)


class TestRandom(InstalledContract):
    strategy = "ax:random"
    examples = 1
    long_runs = ()
    checks = SHORT_CHECKS


class TestFast(InstalledContract):
    """The Gaussian process, whose fits take seconds: the check that no other test stands for."""

    strategy = "ax"
    given = {"initialization_budget": 5}
    spaces = (VALLEY.space,)
    long_runs = ()
    checks = ("another_process_gives_the_same_suggestions",)


def test_restored_from_its_history_the_model_suggests_what_it_would_have_suggested() -> None:
    one, other = (build(VALLEY, Fast(initialization_budget=3)) for _ in range(2))
    history: list[Asked | Told] = []
    for trial_id in range(1, 6):
        answer = one.ask(trial_id)
        assert isinstance(answer, Start)
        history.append(Asked(trial_id, answer))
        report = Report(
            trial_id=trial_id,
            job_id=f"{trial_id}.1",
            losses=(float(trial_id % 3),),
            status=Status.COMPLETED,
        )
        history.append(Told(report, one.tell(report)))
    other.restore(history, None)
    assert other.ask(6) == one.ask(6)


@pytest.mark.parametrize(
    ("options", "trials"), [(Fast(), 10), (RandomSearch(), 20)], ids=["fast", "random"]
)
def test_suggestions_are_those_of_its_own_loop(options: Options, trials: int) -> None:
    native = Client(random_seed=7)
    native.configure_experiment(
        [RangeParameterConfig(name, (0.0, 1.0), parameter_type="float") for name in "xy"]
    )
    native.configure_optimization(objective="-loss")
    native.configure_generation_strategy(method=options.method, initialization_random_seed=7)
    found = []
    for _ in range(trials):
        [(index, values)] = native.get_next_trials(1).items()
        native.complete_trial(index, {"loss": valley(values["x"], values["y"])})
        found.append([values["x"], values["y"]])
    assert ours(options, trials) == found


QUIET = """
from hpo_ax.options import RandomSearch
from hpo_ax.plugin import build
from hpo_core.testing import VALLEY, valley_points
valley_points(build(VALLEY, RandomSearch()), 2)
"""


def test_ax_logs_no_trials_among_the_lines_of_a_run() -> None:
    done = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, check=True)
    assert "INFO" not in done.stdout + done.stderr


def test_the_defaults_are_those_of_the_library() -> None:
    for options in (Fast, RandomSearch):
        assert other_defaults(options, Client.configure_generation_strategy) == []
