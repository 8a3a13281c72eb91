"""Strategies that keep every promise: one with a random stream, and one with many fidelities."""

from __future__ import annotations

import random
from typing import Any

from hpo_core.plugin import (
    Asked,
    BaseStrategy,
    Capability,
    Configuration,
    Decision,
    Exhausted,
    Parameter,
    Problem,
    Report,
    Resume,
    Start,
    Status,
    Value,
    Wait,
)

ALL_SPACES = frozenset(
    {
        Capability.CONDITIONAL,
        Capability.FORBIDDEN,
        Capability.INTEGERS,
        Capability.CATEGORICALS,
        Capability.MULTI_OBJECTIVE,
        Capability.CONSTRAINTS,
    }
)


class Stream(BaseStrategy):
    """Draws from a stream of random numbers, half of the time near the best; saves its state."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.space = problem.space
        self.random = self.generator()
        self.best: tuple[float, Configuration] | None = None
        self.configurations: dict[int, Configuration] = {}

    def generator(self) -> random.Random:
        return random.Random(self.problem.seed)

    def draw(self) -> Configuration:
        while True:
            near = dict(self.best[1]) if self.best and self.random.random() < 0.5 else {}

            def choose(axis: Parameter, near: dict[str, Value] = near) -> Any:
                u = self.random.random()
                drawn = axis.values_from(u)
                return {
                    name: near.get(name, drawn[name]) if u < 0.7 else drawn[name] for name in drawn
                }

            configuration = self.space.build(choose)
            if not self.space.is_forbidden(configuration):
                return configuration

    def ask(self, trial_id: int, /) -> Any:
        self.configurations[trial_id] = configuration = self.draw()
        return Start(configuration)

    def adopt(self, trial_id: int, suggestion: Start | Resume, /) -> None:
        self.draw()
        assert suggestion.configuration is not None
        self.configurations[trial_id] = suggestion.configuration

    def tell(self, report: Report, /) -> Any:
        known = self.configurations.get(report.trial_id)
        if known is not None and report.losses is not None and report.is_final:
            loss = sum(report.losses)
            if self.best is None or loss < self.best[0]:
                self.best = (loss, known)
        return Decision.CONTINUE

    def save_state(self) -> Any:
        version, words, gauss = self.random.getstate()
        return {"version": version, "words": list(words), "gauss": gauss}

    def restore(self, history: Any, saved: Any, /) -> None:
        """Restore the trials from the history, and the stream from the saved state."""
        if saved is None:
            super().restore(history, None)
            return
        for event in history[: saved.events]:
            if isinstance(event, Asked):
                self.configurations[event.trial_id] = event.suggestion.configuration
            else:
                self.tell(event.report)
        state = saved.state
        self.random.setstate((state["version"], tuple(state["words"]), state["gauss"]))
        super().restore(history[saved.events :], None)


class StreamInAnySpace(Stream):
    """The same, which declares every capability of spaces."""

    capabilities = ALL_SPACES | {Capability.STRUCTURED, Capability.RANGES, Capability.LINEAR}


class Halving(BaseStrategy):
    """Starts trials with 3 iterations, and resumes the better half of those that end there.

    It stops a job at once that does badly, waits while a promotion may still come, and is
    exhausted after 12 trials.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.random = random.Random(problem.seed)
        self.first = max(problem.min_iterations, 3)
        self.last = problem.max_iterations or 9
        self.started: set[int] = set()
        self.waiting: dict[int, float] = {}
        self.promoted: set[int] = set()
        self.running: set[int] = set()
        self.trials = 12

    def no_more_trials(self) -> None:
        self.trials = 0

    def draw(self) -> Configuration:
        drawn = self.problem.space.draw(self.random.random)
        while self.problem.space.is_forbidden(drawn):
            drawn = self.problem.space.draw(self.random.random)
        return drawn

    def candidate(self) -> int | None:
        ready = [trial for trial in self.waiting if trial not in self.promoted]
        enough = len(self.waiting) >= 2 * (len(self.promoted) + 1)
        return (
            min(ready, key=lambda trial: (self.waiting[trial], trial)) if ready and enough else None
        )

    def ask(self, trial_id: int, /) -> Any:
        trial = self.candidate()
        if trial is not None:
            answer: Start | Resume = Resume(trial, iterations=self.last)
        elif len(self.started) < self.trials:
            answer = Start(self.draw(), iterations=self.first, notes={"rung": 0})
        else:
            return Wait() if self.running else Exhausted()
        self.note(trial_id, answer)
        return answer

    def adopt(self, trial_id: int, suggestion: Start | Resume, /) -> None:
        if isinstance(suggestion, Start):
            self.draw()
        self.note(trial_id, suggestion)

    def note(self, trial_id: int, suggestion: Start | Resume) -> None:
        if isinstance(suggestion, Start):
            self.started.add(trial_id)
            self.running.add(trial_id)
        else:
            self.promoted.add(suggestion.trial_id)
            self.running.add(suggestion.trial_id)

    def tell(self, report: Report, /) -> Any:
        trial = report.trial_id
        if not report.is_final:
            bad = (
                report.losses is not None and report.losses[0] > 1.1 and (report.iteration or 0) > 1
            )
            return Decision.STOP if bad else Decision.CONTINUE
        if trial not in self.running:
            return Decision.CONTINUE
        self.running.discard(trial)
        if report.status is Status.COMPLETED and trial not in self.promoted and report.losses:
            self.waiting[trial] = report.losses[0]
            return Decision.PAUSE
        return Decision.CONTINUE
