"""AskTell: the calls of a library, and the work done for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hpo_core.plugin import (
    Asked,
    AskTell,
    Categorical,
    Configuration,
    Exhausted,
    Float,
    Int,
    NoOptions,
    Objective,
    ParameterSet,
    Problem,
    Report,
    SavedState,
    SearchSpace,
    Start,
    Status,
    Told,
    Wait,
    drawing_from,
    generator_to_json,
    set_generator,
)
from hpo_core.testing import StrategyContract


class Near(AskTell):
    """Draws from numpy's global stream near the best point; saves its state."""

    def setup(self, dimensions: int, seed: int) -> None:
        self.dimensions = dimensions
        self.generator = np.random.RandomState(seed)
        self.best: tuple[float, list[float]] | None = None

    def suggest(self) -> Any:
        drawn = np.random.random(self.dimensions)
        if self.best is not None and self.generator.uniform() < 0.5:
            drawn = np.clip(self.best[1] + 0.1 * (drawn - 0.5), 0, 1)
        return drawn

    def learn(self, candidate: Any, loss: float) -> None:
        if self.best is None or loss < self.best[0]:
            self.best = loss, [float(each) for each in candidate]

    foreign = learn


class Saving(Near):
    def save(self) -> Any:
        best = self.best and list(self.best)
        return {"best": best, "generator": generator_to_json(self.generator)}

    def load(self, state: Any) -> None:
        self.best = state["best"] and tuple(state["best"])
        set_generator(self.generator, state["generator"])


class TestAStrategyThatSavesItsState(StrategyContract):
    capabilities = AskTell.capabilities
    options = NoOptions
    examples = 3
    long_runs = (60,)

    def make_strategy(self, problem: Problem) -> Saving:
        return Saving(problem)


class Scripted(AskTell):
    """Suggests given points of one coordinate, and notes all that it hears."""

    def setup(self, dimensions: int, seed: int) -> None:
        self.points: list[float | None] = list(self.options)
        self.heard: list[tuple[Any, ...]] = []

    def suggest(self) -> Any:
        return self.points.pop(0) if self.points and self.points[0] is not None else None

    def point(self, candidate: float) -> list[float]:
        return [candidate]

    def learn(self, candidate: float, loss: float) -> None:
        self.heard.append((candidate, loss))

    def foreign(self, point: list[float], loss: float) -> None:
        self.heard.append(("foreign", point[0], loss))


class Repeating(Scripted):
    repeats = True


INTEGERS = SearchSpace((Int("n", 0, 9),))


def scripted(
    *points: float | None, space: SearchSpace = INTEGERS, kind: type[Scripted] = Scripted
) -> Scripted:
    problem = Problem(space=space, objectives=(Objective("loss", "minimize"),), seed=2**40 + 3)
    return kind(problem, points)


def end(strategy: AskTell, trial_id: int, loss: float | None) -> None:
    status = Status.FAILED if loss is None else Status.COMPLETED
    losses = None if loss is None else (loss,)
    strategy.tell(Report(trial_id=trial_id, job_id=f"{trial_id}.1", losses=losses, status=status))


def start(**values: Any) -> Start:
    return Start(Configuration(values))


def test_each_candidate_is_told_the_loss_of_its_trial_once() -> None:
    strategy = scripted(0.05, 0.15)
    assert [strategy.ask(1), strategy.ask(2)] == [start(n=0), start(n=1)]
    end(strategy, 2, 0.5)
    end(strategy, 1, 0.7)
    end(strategy, 1, 0.9)  # a repetition
    assert strategy.heard == [(0.15, 0.5), (0.05, 0.7)]


def test_a_failed_candidate_has_the_worst_loss_once_there_is_one() -> None:
    strategy = scripted(0.05, 0.15, 0.25, 0.35)
    for trial_id in range(1, 5):
        strategy.ask(trial_id)
    end(strategy, 1, None)
    assert strategy.heard == []
    end(strategy, 2, 0.5)
    end(strategy, 3, 0.2)
    end(strategy, 4, None)
    assert strategy.heard == [(0.15, 0.5), (0.05, 0.5), (0.25, 0.2), (0.35, 0.5)]


def test_a_forbidden_candidate_is_never_run_and_has_the_worst_loss() -> None:
    space = SearchSpace((Int("n", 0, 9),), forbidden=({"n": (2, 3)},))
    strategy = scripted(0.05, 0.25, 0.35, 0.45, space=space)
    strategy.ask(1)
    end(strategy, 1, 0.5)
    assert strategy.ask(2) == start(n=4)
    assert strategy.heard == [(0.05, 0.5), (0.25, 0.5), (0.35, 0.5)]


def test_a_configuration_that_was_tried_is_not_run_again_and_its_loss_is_told_at_once() -> None:
    strategy = scripted(0.05, 0.09, 0.15)
    strategy.ask(1)
    end(strategy, 1, 0.5)
    assert strategy.ask(2) == start(n=1)
    assert strategy.heard == [(0.05, 0.5), (0.09, 0.5)]


def test_a_candidate_whose_configuration_runs_is_told_with_it() -> None:
    strategy = scripted(0.05, 0.09, 0.15)
    strategy.ask(1)
    strategy.ask(2)
    assert strategy.heard == []
    end(strategy, 1, 0.5)
    assert strategy.heard == [(0.05, 0.5), (0.09, 0.5)]


def test_configurations_are_run_again_where_the_strategy_says_so() -> None:
    strategy = scripted(0.05, 0.09, kind=Repeating)
    assert strategy.ask(1) == strategy.ask(2) == start(n=0)


def test_one_is_another_value_than_true() -> None:
    space = SearchSpace((Categorical("c", (1, True, 1.0)),))
    strategy = scripted(0.1, 0.5, 0.9, space=space)
    answers = [strategy.ask(trial_id) for trial_id in (1, 2, 3, 4)]
    found = [one.configuration["c"] for one in answers if isinstance(one, Start)]
    assert [type(value) for value in found] == [int, bool, float]
    assert isinstance(answers[-1], Exhausted)


def test_in_place_of_an_adopted_point_the_librarys_is_held_for_the_next_ask() -> None:
    strategy = scripted(0.05, 0.15)
    strategy.adopt(1, start(n=7))
    assert strategy.ask(2) == start(n=0)
    end(strategy, 1, 0.5)
    end(strategy, 2, 0.25)
    assert strategy.heard == [("foreign", 0.75, 0.5), (0.05, 0.25)]


def test_a_held_point_that_was_adopted_meanwhile_is_not_run_again() -> None:
    strategy = scripted(0.05, 0.15)
    strategy.adopt(1, start(n=7))
    strategy.adopt(2, start(n=0))  # what is held: the library's own
    assert strategy.ask(3) == start(n=1)
    end(strategy, 2, 0.5)
    assert strategy.heard == [(0.05, 0.5)]


def test_library_that_needs_results_first_makes_hpo_core_wait() -> None:
    strategy = scripted(0.05, None)
    strategy.ask(1)
    assert strategy.ask(2) == Wait()
    strategy.points = [0.15]
    assert strategy.ask(2) == start(n=1)


def test_a_random_configuration_is_run_where_nothing_runs_and_the_library_waits() -> None:
    one, other = scripted(None), scripted(None)
    assert isinstance(one.ask(1), Start)
    assert one.ask(2) == Wait()
    end(one, 1, None)
    other.ask(1)
    end(other, 1, None)
    assert one.ask(2) == other.ask(2) != Wait()


def test_a_space_is_searched_to_its_end_and_then_exhausted() -> None:
    strategy = scripted(*[0.05] * 300)
    found = set()
    for trial_id in range(1, 11):
        answer = strategy.ask(trial_id)
        assert isinstance(answer, Start)
        found.add(answer.configuration["n"])
        end(strategy, trial_id, 1.0)
    assert found == set(range(10))
    assert strategy.ask(11) == Exhausted()


def test_library_gets_a_derived_seed_for_any_study_seed() -> None:
    seeds: list[int] = []

    class Noting(Scripted):
        def setup(self, dimensions: int, seed: int) -> None:
            super().setup(dimensions, seed)
            seeds.append(seed)

    for seed in (0, 1, 2**32, 2**63 - 1):
        Noting(Problem(space=INTEGERS, objectives=(Objective("l", "minimize"),), seed=seed), ())
    assert len(set(seeds)) == 4
    assert all(0 < seed < 2**31 for seed in seeds)


def test_a_saved_state_takes_the_place_of_asking_and_telling_again() -> None:
    problem = Problem(
        space=SearchSpace(
            (Float("x", 0.0, 1.0), ParameterSet("s", ({"p": 1}, {"p": 2})), Int("n", 0, 3))
        ),
        objectives=(Objective("loss", "minimize"),),
        seed=4,
    )
    strategy = Saving(problem)
    history: list[Asked | Told] = []
    for trial_id in range(1, 20):
        if trial_id == 7:
            suggestion = start(x=0.5, p=2, n=0)
            strategy.adopt(trial_id, suggestion)
        else:
            answer = strategy.ask(trial_id)
            assert isinstance(answer, Start)
            suggestion = answer
        history.append(Asked(trial_id, suggestion, trial_id == 7))
        if trial_id % 3:
            losses = (float(suggestion.configuration["n"]),)  # type: ignore[arg-type]  # an int
            report = Report(trial_id=trial_id, job_id="1.1", losses=losses, status=Status.COMPLETED)
            history.append(Told(report, strategy.tell(report)))
    saved = SavedState(strategy.save_state(), len(history))

    class Resumed(Saving):
        def suggest(self) -> Any:
            assert self.problem.seed == 4
            Resumed.asked += 1
            return super().suggest()

        asked = 0

    resumed = Resumed(problem)
    resumed.restore(history, saved)
    assert Resumed.asked == 0
    assert [resumed.ask(n) for n in (20, 21)] == [strategy.ask(n) for n in (20, 21)]


def test_what_the_library_draws_from_global_streams_is_the_studys_own() -> None:
    problem = Problem(space=INTEGERS, objectives=(Objective("loss", "minimize"),), seed=4)
    first = Near(problem).ask(1)
    with drawing_from(np.random.RandomState(1)):
        assert Near(problem).ask(1) == first
        assert np.random.random() == np.random.RandomState(1).random()


def test_the_class_of_the_page_is_a_strategy_that_finds_the_best() -> None:
    page = (Path(__file__).parents[2] / "docs/write-a-strategy.md").read_text(encoding="utf-8")
    code = page.partition("```python-fragment\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(code, names)
    space = SearchSpace((Float("x", -1.0, 1.0), Float("y", 1e-4, 1.0, log=True)))
    problem = Problem(space=space, objectives=(Objective("loss", "minimize"),), seed=4)
    strategy, losses = names["CMAES"](problem), []
    strategy.adopt(1, Start(space.defaults()))
    end(strategy, 1, 1.0)
    for trial_id in range(2, 100):
        values = strategy.ask(trial_id).configuration
        losses.append((values["x"] - 0.3) ** 2 + (values["y"] - 0.01) ** 2)
        end(strategy, trial_id, losses[-1])
    assert min(losses) < 1e-3
