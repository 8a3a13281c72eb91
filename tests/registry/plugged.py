"""What tests of the registry share: plugins as real distributions on the path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from hpo_core import Budget, Configuration, Int, Objective, SearchSpace, StudyConfig, registry
from hpo_core.plugin import (
    BaseStrategy,
    Exhausted,
    JobSettings,
    PluginChoice,
    Start,
)

GOOD = """
    import msgspec
    from hpo_core.plugin import (
        BaseStrategy,
        Capability,
        Configuration,
        Exhausted,
        Start,
        StrategySpec,
    )
    from hpo_core.plugin import hookimpl

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        first: int = 1
        mode: str = "up"

    class Counting(BaseStrategy):
        def __init__(self, problem, options):
            self._next = options.first

        def ask(self, trial_id, /):
            if self._next > 3:
                return Exhausted()
            self._next += 1
            return Start(Configuration(x=self._next - 1))

    @hookimpl
    def hpo_strategies():
        plain = StrategySpec(
            name="NAME", summary="Counts", build=Counting, options=Options,
            capabilities=frozenset({Capability.INTEGERS}),
        )
        return [plain, StrategySpec(name="NAME:down", summary="Counts down", build=Counting)]
"""

SPEC = """
    from hpo_core.plugin import StrategySpec, hookimpl

    @hookimpl
    def hpo_strategies():
        return RETURNED
"""


class Publish(Protocol):
    """Installs a plugin of this name and source, and returns its module's name."""

    def __call__(
        self,
        plugin: str,
        source: str,
        *,
        distribution: str = "",
        version: str = "1.0",
        entries: str = "",
    ) -> str: ...


def described(name: str) -> registry.Described:
    """Return what ``hpo plugins`` says of one plugin."""
    (found,) = [found for found in registry.describe() if found.plugin.name == name]
    return found


def study(strategy: str, options: Mapping[str, Any] | None = None, **changes: Any) -> StudyConfig:
    """Return a study that a test's strategy is to run, in this process."""
    fields: dict[str, Any] = {
        "name": "plugged",
        "seed": 7,
        "strategy": PluginChoice(strategy, dict(options or {})),
        "objectives": (Objective("loss", "minimize"),),
        "budget": Budget(jobs=10),
        "job": JobSettings(function="math:sqrt"),
        "space": SearchSpace((Int("x", 1, 3),)),
        "backend": PluginChoice("inline"),
    }
    return StudyConfig(**{**fields, **changes})


class Mine(BaseStrategy):
    def ask(self, trial_id: int, /) -> Start | Exhausted:
        return Start(Configuration(x=trial_id)) if trial_id < 4 else Exhausted()


class Given(BaseStrategy):
    """A strategy given as an instance."""

    def ask(self, trial_id: int, /) -> Exhausted:
        return Exhausted()


def half(values: Mapping[str, Any]) -> float:
    return float(values["x"]) / 2
