"""A plugin as authors wrote it for hpo-core 0.1, when every public name was in `hpo_core` itself.

Do not change it: the old names work until at least 2028.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

import msgspec

from hpo_core import (
    BaseStrategy,
    Capability,
    Configuration,
    Decision,
    Fault,
    InvalidInput,
    Parameter,
    ParameterSet,
    Problem,
    Report,
    Start,
    Status,
    Strategy,
    StrategySpec,
    Value,
    hookimpl,
)


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    step: float = 0.1


class Walk(BaseStrategy):
    def __init__(self, problem: Problem, options: Options) -> None:
        if not 0 < options.step <= 1:
            raise InvalidInput([Fault("step", f"must be above 0 and up to 1, got {options.step}")])
        self._space = problem.space
        self._seed = problem.seed
        self._tried: dict[int, Configuration] = {}

    def ask(self, trial_id: int, /) -> Start:
        stream = random.Random(f"{self._seed} {trial_id}")

        def choose(axis: Parameter) -> Value | dict[str, Value]:
            if isinstance(axis, ParameterSet):
                return axis.at_all(int(stream.random() * axis.size))
            return axis.quantile(stream.random())

        self._tried[trial_id] = self._space.build(choose)
        return Start(self._tried[trial_id])

    def tell(self, report: Report, /) -> Decision:
        if report.status is not Status.RUNNING:
            self._tried.pop(report.trial_id, None)
        return Decision.CONTINUE


CAPABILITIES = frozenset(
    {
        Capability.CONDITIONAL,
        Capability.INTEGERS,
        Capability.CATEGORICALS,
        Capability.MULTI_OBJECTIVE,
        Capability.CONSTRAINTS,
    }
)


def build(problem: Problem, options: Options) -> Strategy:
    return Walk(problem, options)


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    return [
        StrategySpec(
            name="flat",
            summary="A walk, written for the flat names",
            build=build,
            options=Options,
            capabilities=CAPABILITIES,
        )
    ]
