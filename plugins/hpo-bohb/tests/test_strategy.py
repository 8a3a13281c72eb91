"""Brackets, promotions, failures, late reports, and suppressed side effects of hpbandster."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hpo_bohb.options import Bandit, BOHBOptions, HyperBandOptions, RandomOptions
from hpo_bohb.plugin import build

from hpo_core import Budget, Categorical, Float, Int, Objective, SearchSpace, optimize
from hpo_core.plugin import (
    Asked,
    Capability,
    Decision,
    Exhausted,
    Problem,
    Report,
    Resume,
    Start,
    Status,
    Told,
    Wait,
)
from hpo_core.testing.simulator import Simulator

LOSS = Objective("loss", "minimize")
PLANE = SearchSpace((Float("x", 0, 1), Float("y", 1e-4, 1e-1, log=True)))
FAST = BOHBOptions(num_samples=8)


def study(options: Bandit, space: SearchSpace = PLANE, **more: Any) -> Simulator:
    given = {"objectives": (LOSS,), "seed": 7, "max_iterations": 9, "workers": 1}
    problem = Problem(space=space, **{**given, **more})
    return Simulator(build(problem, options), problem)


def ids(run: Simulator) -> list[tuple[list[int], float]]:
    return [(each.notes["config_id"], each.notes["budget"]) for each in run.suggestions]


def starts(run: Simulator) -> list[Start]:
    return [each for each in run.suggestions if isinstance(each, Start)]


def resumes(run: Simulator) -> list[Resume]:
    return [each for each in run.suggestions if isinstance(each, Resume)]


def paused(run: Simulator) -> list[int]:
    return [
        event.report.trial_id
        for event in run.history
        if isinstance(event, Told) and event.decision is Decision.PAUSE
    ]


# -- brackets -------------------------------------------------------------------------------


def test_brackets_are_those_of_hyperband_one_after_the_other_with_one_worker() -> None:
    run = study(HyperBandOptions(n_iterations=4), max_iterations=9).run(1_000)

    assert Counter((number, budget) for (number, _, _), budget in ids(run)) == {
        (0, 1.0): 9,
        (0, 3.0): 3,
        (0, 9.0): 1,
        (1, 3.0): 3,
        (1, 9.0): 1,
        (2, 9.0): 3,
        (3, 1.0): 9,
        (3, 3.0): 3,
        (3, 9.0): 1,
    }
    assert [number for (number, _, _), _ in ids(run)] == sorted(
        number for (number, _, _), _ in ids(run)
    )
    assert isinstance(run.answers[-1][0], Exhausted)


def test_the_best_of_a_rung_are_promoted() -> None:
    run = study(HyperBandOptions(n_iterations=1)).run(9)
    losses = {
        event.report.trial_id: event.report.losses[0]
        for event in run.history
        if isinstance(event, Told) and event.report.is_final and event.report.losses
    }

    promoted = [run.ask() for _ in range(3)]

    assert all(isinstance(each, Resume) and each.iterations == 3 for each in promoted)
    best = sorted(losses, key=lambda trial: losses[trial])[:3]
    assert {each.trial_id for each in promoted if isinstance(each, Resume)} == set(best)


def test_four_workers_never_wait_a_bracket_is_begun_while_rungs_do() -> None:
    run = study(FAST, workers=4).run(120)

    assert not any(isinstance(answer, Wait) for answer, _ in run.answers)
    numbers = [number for (number, _, _), _ in ids(run)]
    assert numbers != sorted(numbers)  # brackets overlap
    for number in range(max(numbers) - 1):  # and all that were left behind were resumed
        assert Counter(numbers)[number] == (13, 4, 3)[number % 3]


def test_the_last_bracket_waits_for_its_rungs_and_then_there_is_nothing_more() -> None:
    run = study(HyperBandOptions(n_iterations=1), workers=4)
    for _ in range(9):
        run.ask()

    assert isinstance(run.ask(), Wait)
    for job in run.running[:8]:
        run.finish(job)
    assert isinstance(run.ask(), Wait)
    run.finish(run.running[0])
    assert [type(run.ask()) for _ in range(4)] == [Resume, Resume, Resume, Wait]
    for job in list(run.running):
        run.finish(job)
    assert isinstance(run.ask(), Resume)
    assert isinstance(run.ask(), Exhausted)  # what runs is on the last rung
    run.finish(run.running[0])
    assert isinstance(run.ask(), Exhausted)


# -- promotions -----------------------------------------------------------------------------


def test_a_promotion_resumes_its_trial_which_was_kept_open() -> None:
    run = study(HyperBandOptions(n_iterations=2)).run(1_000)

    assert {each.trial_id for each in resumes(run)} <= set(paused(run))
    assert not run.bad_resumes
    for each in resumes(run):
        first = starts(run)[each.trial_id - 1]
        assert each.notes["config_id"] == first.notes["config_id"]
        assert each.configuration is None


def test_a_trial_on_the_last_rung_is_not_kept_open() -> None:
    run = study(HyperBandOptions(n_iterations=3)).run(1_000)

    for event in run.history:
        if isinstance(event, Told) and event.report.is_final:
            is_last = event.report.iteration == 9
            assert (event.decision is Decision.CONTINUE) == is_last


def test_without_resuming_a_promotion_is_a_new_trial_of_the_same_configuration() -> None:
    again = study(HyperBandOptions(n_iterations=2, resume=False))
    again.run(1_000)
    kept = study(HyperBandOptions(n_iterations=2)).run(1_000)

    assert not resumes(again)
    assert not paused(again)
    assert ids(again) == ids(kept)
    promoted = [each for each in starts(again) if "promoted_from" in each.notes]
    assert [each.iterations for each in promoted] == [each.iterations for each in resumes(kept)]
    for each in promoted:
        assert each.configuration == starts(again)[each.notes["promoted_from"] - 1].configuration


def test_what_can_resume_says_so() -> None:
    def can(options: Bandit) -> bool:
        problem = Problem(space=PLANE, objectives=(LOSS,), seed=1, max_iterations=9)
        capabilities = build(problem, options).capabilities  # type: ignore[attr-defined]  # has it
        return Capability.RESUMING in capabilities

    assert all(map(can, (BOHBOptions(), HyperBandOptions())))
    assert not any(
        map(can, (BOHBOptions(resume=False), HyperBandOptions(resume=False), RandomOptions()))
    )


def test_random_search_trains_everything_to_the_end() -> None:
    run = study(RandomOptions()).run(20)

    assert {each.iterations for each in starts(run)} == {9}
    assert len({repr(each.configuration) for each in starts(run)}) == 20
    assert not paused(run)


# -- the model ------------------------------------------------------------------------------


def bowl(configuration: Any) -> float:
    return (configuration["x"] - 0.7) ** 2 + (np.log10(configuration["y"]) + 2) ** 2


class Watched:
    """A strategy whose suggestions are kept."""

    def __init__(self, options: Bandit, seed: int) -> None:
        problem = Problem(space=PLANE, objectives=(LOSS,), seed=seed, max_iterations=9)
        self._strategy = build(problem, options)
        self.starts: list[Start] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._strategy, name)

    def ask(self, trial_id: int, /) -> Any:
        answer = self._strategy.ask(trial_id)
        if isinstance(answer, Start):
            self.starts.append(answer)
        return answer


def test_most_picks_of_a_real_search_are_the_models_and_better_than_random_ones() -> None:
    strategy = Watched(BOHBOptions(), seed=3)

    optimize(
        bowl,
        PLANE,
        objective=LOSS,
        budget=Budget(jobs=100),
        strategy=strategy,  # type: ignore[arg-type]  # it has all the methods
        backend="inline",
        max_iterations=9,
    )

    modelled = [bowl(each.configuration) for each in strategy.starts if each.notes["model_based"]]
    random = [bowl(each.configuration) for each in strategy.starts if not each.notes["model_based"]]
    assert len(modelled) > len(strategy.starts) / 3
    assert np.median(modelled) < np.median(random)


def test_failed_pick_of_the_model_gives_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    space = SearchSpace(
        (Categorical("a", tuple("pqr")), Categorical("b", tuple("stu")), Float("x", 0, 1)),
        ({"a": ("q", "r"), "b": ("s", "u")},),
    )

    run = study(BOHBOptions(num_samples=2, random_fraction=0.0), space, max_iterations=1).run(80)

    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert "it is a forbidden combination" in said[0]
    assert "replaces it with a random one" in said[0]
    assert any(each.notes["model_based"] for each in starts(run))
    assert not any(space.is_forbidden(each.configuration) for each in starts(run))


def test_no_warning_without_a_failure_whatever_the_warning_filters(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    usual = study(FAST).run(60)
    with warnings.catch_warnings(record=True) as warned, np.errstate(all="raise"):
        warnings.simplefilter("error")
        strict = study(FAST).run(60)

    assert strict.suggestions == usual.suggestions
    assert any(each.notes["model_based"] for each in starts(strict))
    assert warned == []
    assert caplog.records == []
    assert tuple(capfd.readouterr()) == ("", "")


def test_ctrl_c_during_a_pick_is_not_swallowed() -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    run = study(BOHBOptions(num_samples=10**9, random_fraction=0.0), max_iterations=1)
    before = signal.signal(signal.SIGALRM, interrupt)
    state = np.random.get_state()[1].tobytes()  # type: ignore[union-attr]  # the old generator's
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(KeyboardInterrupt):
            run.run(1_000)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert np.random.get_state()[1].tobytes() == state  # type: ignore[union-attr]  # likewise


def test_a_search_opens_no_socket_starts_no_thread_and_reads_no_pickle() -> None:
    program = """
import sys, threading
heard = []
sys.addaudithook(
    lambda event, _: heard.append(event)
    if event.split(".")[0] in ("socket", "pickle", "subprocess") else None
)
from hpo_bohb.options import BOHBOptions
from hpo_bohb.plugin import build
from hpo_core.plugin import Float, Objective, Problem, SearchSpace
from hpo_core.testing.simulator import Simulator
problem = Problem(
    space=SearchSpace((Float("x", 0, 1),)),
    objectives=(Objective("loss", "minimize"),),
    seed=1,
    max_iterations=9,
)
run = Simulator(build(problem, BOHBOptions(num_samples=2)), problem).run(40)
print(len(run.suggestions), heard, threading.active_count())
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("40 [] 1\n", "")


# -- failures, and what comes late ----------------------------------------------------------


@pytest.mark.parametrize("status", [Status.FAILED, Status.TIMED_OUT, Status.STOPPED])
def test_a_bracket_in_which_all_fail_is_survived(status: Status) -> None:
    run = study(FAST, workers=3).run(13 + 4 + 3, status)

    # Nothing can be promoted, so that the places of the next rungs are filled with new ones.
    assert not resumes(run)
    assert Counter((number, rung) for (number, rung, _), _ in ids(run) if number == 0) == {
        (0, 0): 9,
        (0, 1): 3,
        (0, 2): 1,
    }
    assert run.run(30).suggestions[-1].notes["config_id"][0] > 2


def test_a_failed_trial_is_not_promoted() -> None:
    run = study(HyperBandOptions(n_iterations=1))
    for place in range(9):
        run.ask()
        if place % 2:
            run.end(run.running[0], Status.FAILED)
        else:
            run.finish(run.running[0])

    promoted = [run.ask() for _ in range(3)]

    assert {each.trial_id for each in promoted if isinstance(each, Resume)} < {1, 3, 5, 7, 9}
    assert len(resumes(run)) == 3


def test_a_job_that_completes_without_a_loss_has_failed() -> None:
    run = study(HyperBandOptions())
    run.ask()
    report = Report(trial_id=1, job_id="1.1", iteration=1, status=Status.COMPLETED)
    assert run.tell(report) is Decision.CONTINUE


def test_intermediate_reports_change_nothing() -> None:
    def suggestions(*, are_many: bool) -> list[Any]:
        run = study(FAST, workers=2)
        for _ in range(80):
            while len(run.running) < 2:
                run.ask()
            for job in run.running if are_many else ():
                better = Report(trial_id=job.trial_id, job_id=job.id, iteration=1, losses=(-9.0,))
                assert run.tell(better) is Decision.CONTINUE
            run.finish(run.running[0])
        return run.suggestions

    quiet = suggestions(are_many=False)
    assert any(each.notes["model_based"] for each in quiet)
    assert suggestions(are_many=True) == quiet


def test_the_end_of_an_earlier_job_told_again_does_not_end_the_one_that_runs() -> None:
    run = study(HyperBandOptions(n_iterations=1)).run(9)
    resumed = run.ask()
    assert isinstance(resumed, Resume)
    trial_id = resumed.trial_id
    earlier = next(
        event.report
        for event in run.history
        if isinstance(event, Told) and event.report.trial_id == trial_id and event.report.is_final
    )

    assert run.tell(earlier) is Decision.CONTINUE
    assert [type(run.ask()) for _ in range(3)] == [Resume, Resume, Wait]
    for job in list(run.running):
        run.finish(job)
    assert isinstance(run.ask(), Resume)


# -- configurations from elsewhere ----------------------------------------------------------


def test_a_users_own_configuration_stays_outside_of_the_brackets() -> None:
    plain = study(HyperBandOptions(n_iterations=2)).run(1_000)
    run = study(HyperBandOptions(n_iterations=2))
    for _ in range(4):
        run.ask()
        run.finish(run.running[0])
    run.adopt(Start(PLANE.configuration({"x": 0.5, "y": 0.01})))
    run.finish(run.running[0])
    run.run(1_000)

    assert ids(run) == ids(plain)
    assert [each.configuration for each in starts(run)] == [
        each.configuration for each in starts(plain)
    ]


def test_the_model_learns_from_a_users_own_configurations() -> None:
    run = study(BOHBOptions(num_samples=8, random_fraction=0.0))
    for x in range(8):
        run.adopt(Start(PLANE.configuration({"x": x / 8, "y": 0.01})))
        run.finish(run.running[0])

    run.ask()

    assert run.suggestions[-1].notes["model_based"]


# -- the last trial -------------------------------------------------------------------------


def full(run: Simulator) -> Sequence[Any]:
    """Say that there are no more trials, go on to the end, and return what was answered."""
    before = len(run.answers)
    run._strategy.no_more_trials()  # type: ignore[attr-defined]  # the simulator has no such move
    run.run(1_000)
    return [answer for answer, _ in run.answers[before:]]


def test_after_the_last_trial_full_rungs_are_still_promoted() -> None:
    run = study(HyperBandOptions(), workers=2)
    for _ in range(9):
        run.ask()
    answers = full(run)

    kinds = [type(answer) for answer in answers]
    assert set(kinds[:-1]) <= {Resume, Wait, Exhausted}
    assert kinds.count(Resume) == 4
    assert kinds[-1] is Exhausted


def test_after_the_last_trial_a_rung_with_places_left_stays_where_it_is() -> None:
    run = study(HyperBandOptions()).run(7)

    assert [type(answer) for answer in full(run)] == [Exhausted]


def test_after_the_last_trial_places_of_failed_ones_stay_empty() -> None:
    run = study(HyperBandOptions())
    for place in range(9):
        run.ask()
        if place < 7:
            run.end(run.running[0], Status.FAILED)
        else:
            run.finish(run.running[0])

    answers = full(run)

    assert [type(answer) for answer in answers] == [Resume, Resume, Exhausted]


def test_after_the_last_trial_nothing_is_trained_again() -> None:
    run = study(HyperBandOptions(resume=False)).run(9)

    assert [type(answer) for answer in full(run)] == [Exhausted]


def test_a_study_of_twelve_trials_promotes_within_its_budget() -> None:
    result = optimize(
        bowl,
        PLANE,
        objective=LOSS,
        budget=Budget(trials=12),
        strategy="bohb:hyperband",
        backend="inline",
        max_iterations=9,
        seed=3,
    )

    assert len(result.trials) == 12
    assert result.usage.jobs == (9 + 3 + 1) + (3 + 1)
    assert [trial.state.value for trial in result.trials].count("completed") == 2


# -- seeds ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 2**32 - 1, 2**32 + 5, 2**63 - 1])
def test_any_seed_will_do(seed: int) -> None:
    run = study(FAST, seed=seed).run(3)
    assert len(run.suggestions) == 3


def test_of_a_large_seed_the_last_32_bits_count() -> None:
    one, other = (study(FAST, seed=seed).run(20) for seed in (5, 2**32 + 5))
    assert one.suggestions == other.suggestions
    assert len([event for event in one.history if isinstance(event, Asked)]) == 20


def test_integers_and_choices_keep_their_types() -> None:
    space = SearchSpace((Int("n", 0, 3), Categorical("c", (1, 1.0, True, None, "1"))))
    run = study(FAST, space).run(60)
    for each in starts(run):
        assert not space.wrong(each.configuration)
        assert type(each.configuration["n"]) is int
