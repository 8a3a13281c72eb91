"""A study that a test drives by hand, and a searcher that records all its calls."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pytest
from hpo_asha.options import Options
from hpo_asha.plugin import build

from hpo_core.plugin import (
    Asked,
    BaseStrategy,
    Configuration,
    Decision,
    Exhausted,
    Float,
    Objective,
    Problem,
    Report,
    Resume,
    SavedState,
    SearchSpace,
    Start,
    Status,
    Told,
    Wait,
)

LOSS = Objective("loss", "minimize")
X = SearchSpace((Float("x", 0, 1),))


def made_problem(space: SearchSpace = X, **more: Any) -> Problem:
    given = {"min_iterations": 1, "max_iterations": 27, "seed": 7, "objectives": (LOSS,), **more}
    return Problem(space=space, **given)


class Study:
    """Asks and tells a strategy; a trial is known by its id, and each job by its trial."""

    def __init__(self, strategy: Any) -> None:
        self.strategy = strategy
        self.history: list[Asked | Told] = []
        self.states: list[SavedState] = []
        self.jobs: dict[int, int] = {}

    @classmethod
    def of(cls, options: Options, space: SearchSpace = X, **more: Any) -> Study:
        return cls(build(made_problem(space, **more), options))

    def ask(self) -> Start | Resume | Wait | Exhausted:
        new = len(self.jobs) + 1
        answer = self.strategy.ask(new)
        if isinstance(answer, Start | Resume):
            trial = new if isinstance(answer, Start) else answer.trial_id
            self.jobs[trial] = self.jobs.get(trial, 0) + 1
            self._asked(Asked(new, answer))
        return answer

    def adopt(self, configuration: dict[str, Any]) -> int:
        new = len(self.jobs) + 1
        start = Start(Configuration(configuration))
        self.strategy.adopt(new, start)
        self.jobs[new] = 1
        self._asked(Asked(new, start, adopted=True))
        return new

    def _asked(self, event: Asked) -> None:
        self.history.append(event)
        if (state := self.strategy.save_state()) is not None:
            self.states.append(SavedState(state, len(self.history)))

    def start(self) -> int:
        """Ask, expecting a new trial; return its id."""
        answer = self.ask()
        assert isinstance(answer, Start), answer
        return len(self.jobs)

    def report(self, trial: int, iteration: int | None, loss: float, **more: Any) -> Decision:
        return self._tell(trial, iteration, loss, Status.RUNNING, **more)

    def end(
        self,
        trial: int,
        loss: float | None = None,
        status: Status = Status.COMPLETED,
        iteration: int | None = None,
        **more: Any,
    ) -> Decision:
        return self._tell(trial, iteration, loss, status, **more)

    def _tell(
        self, trial: int, iteration: int | None, loss: float | None, status: Status, **more: Any
    ) -> Decision:
        is_known = loss is not None and math.isfinite(loss)
        given = {
            "job_id": f"{trial}.{self.jobs.get(trial, 1)}",
            "losses": (loss,) if is_known else None,
            "metrics": {} if loss is None else {"loss": loss},
            **more,
        }
        told = Report(trial_id=trial, iteration=iteration, status=status, **given)
        decision = self.strategy.tell(told)
        self.history.append(Told(told, decision))
        return decision

    def run_to_rung(self, losses: Iterable[float]) -> None:
        """Start a trial for each loss, and complete its job with it."""
        for loss in losses:
            self.end(self.start(), loss)


class Memory(BaseStrategy):
    """A searcher that suggests 0.01, 0.02, …, and remembers what it is told."""

    def __init__(self, *, last: int = 10_000, stops_at: float = math.inf) -> None:
        self.told: list[Report] = []
        self.asked = 0
        self.adopted: list[int] = []
        self.restored: Any = None
        self.closed = False
        self._last = last
        self._stops_at = stops_at

    def ask(self, trial_id: int, /) -> Start | Exhausted:
        if trial_id > self._last:
            return Exhausted()
        self.asked += 1
        return Start(Configuration(x=trial_id / 100), notes={"draw": trial_id})

    def adopt(self, trial_id: int, suggestion: Any, /) -> None:
        self.adopted.append(trial_id)

    def tell(self, report: Report, /) -> Decision:
        self.told.append(report)
        is_bad = report.losses is not None and report.losses[0] >= self._stops_at
        return Decision.STOP if is_bad and not report.is_final else Decision.CONTINUE

    def save_state(self) -> Any:
        return {"seen": self.asked + len(self.adopted) + len(self.told)}

    def restore(self, history: Any, saved: SavedState | None, /) -> None:
        self.restored = list(history), saved

    def close(self) -> None:
        self.closed = True

    @property
    def finals(self) -> list[tuple[int, str, int | None, float | None]]:
        """Trial, status, iteration and loss of every final report."""
        return [
            (each.trial_id, each.status.value, each.iteration, each.losses and each.losses[0])
            for each in self.told
            if each.is_final
        ]


@pytest.fixture
def study() -> type[Study]:
    return Study


@pytest.fixture
def memory() -> type[Memory]:
    return Memory


@pytest.fixture
def problem() -> Any:
    return made_problem
