"""A configuration whose plugins are resolved and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from hpo_core import registry
from hpo_core.config import StudyConfig
from hpo_core.contracts.backend import BackendSpec
from hpo_core.contracts.strategy import Strategy, StrategySpec
from hpo_core.controller.strategy.capabilities import problem
from hpo_core.model.errors import StrategyError
from hpo_core.model.text import counted
from hpo_core.registry import Resolved


class Prepared(msgspec.Struct, frozen=True):
    """A configuration with its resolved and checked plugins.

    Attributes:
        config: The configuration, with the plugins' default options filled in.
        strategy: The strategy's spec, or the strategy itself if given as an instance.
        strategy_options: The options, of the type that the spec declares.
        backend: The backend's spec.
        backend_options: Its options, in the type that it declares.
        options_given: The strategy's options as they were given, without defaults.
    """

    config: StudyConfig
    strategy: Resolved[StrategySpec] | Strategy
    strategy_options: Any
    backend: Resolved[BackendSpec]
    backend_options: Any
    options_given: Mapping[str, Any] = {}

    @property
    def given(self) -> Strategy | None:
        """The strategy if it is given as an instance, else None."""
        return None if isinstance(self.strategy, Resolved) else self.strategy

    @property
    def announces(self) -> bool:
        """Whether the strategy declares its capabilities. If not, it is assumed to have all."""
        return self.given is None or hasattr(self.given, "capabilities")

    @property
    def may_suggest_ahead(self) -> bool:
        """Whether jobs may be suggested and submitted before a worker is free for them.

        Not if reports may change the suggestions, nor if the study may end while jobs wait, except
        by a budget that counts them.
        """
        config, strategy = self.config, self.strategy
        budget, job = config.budget, config.job
        is_counted = budget.iterations is budget.compute_time is budget.wall_time is None
        ends_at_failures = config.on_failure == "stop" or config.max_failures is not None
        return (
            isinstance(strategy, Resolved)
            and not strategy.spec.is_adaptive
            and self.backend.spec.queues
            and is_counted
            and not ends_at_failures
            and not job.is_read
            and job.checkpoints is None
        )

    def identities(self) -> dict[str, dict[str, Any]]:
        """Return the identities of the plugins as plain JSON for the store."""
        found = {"backend": self.backend.plugin}
        if isinstance(self.strategy, Resolved):
            found["strategy"] = self.strategy.plugin
            for place, identity in registry.parts(self.strategy_options):
                found[f"strategy.{place}"] = identity
        return {role: msgspec.to_builtins(identity) for role, identity in found.items()}

    def remarks(self) -> Iterator[str]:
        """Yield warnings about settings that work but are probably not intended."""
        workers, most = self.config.workers, self.backend.spec.most_workers
        if most is not None and workers > most:
            yield (
                f"workers is {workers}, but the backend {self.backend.spec.name!r} runs "
                f"{counted(most, 'job')} at a time: more workers make nothing faster, and the "
                f"strategy gets reports later; leave workers out, or choose another "
                f"backend, such as local"
            )

    def budget_remarks(self) -> Iterator[str]:
        """Yield warnings about a budget that ends before any trial is completed.

        Call it after the strategy has been built, which checks that the options suit the problem.

        Raises:
            StrategyError: If the plugin fails to count the jobs.
        """
        most, budget = self.config.job.max_iterations, self.config.budget
        if most is None:
            return
        end = f"before one trial has trained to max_iterations, {most}"
        if budget.iterations is not None and budget.iterations < most:
            yield (
                f"the budget of {counted(budget.iterations, 'iteration')} ends {end}: no trial is "
                "trained to its end; give budget.iterations more, or job.max_iterations less"
            )
        needed = self._jobs_to_complete()
        enqueued = len(self.config.enqueue)  # a budget for these alone is not for the strategy
        if budget.jobs is not None and enqueued < budget.jobs < needed:
            yield (
                f"the budget of {counted(budget.jobs, 'job')} ends {end}: the strategy "
                f"{self.config.strategy.name!r} trains a trial in several jobs, and takes {needed} "
                "or more until the first one is complete; give budget.jobs more, or "
                "job.max_iterations less"
            )

    def _jobs_to_complete(self) -> int:
        """Return the least number of jobs after which a first trial can be complete."""
        strategy, given = self.strategy, self.strategy_options
        if not isinstance(strategy, Resolved) or strategy.spec.jobs_to_complete is None:
            return 1
        try:
            return strategy.spec.jobs_to_complete(problem(self.config), given)
        except Exception as error:  # a plugin may raise any exception
            raise StrategyError(
                f"the strategy {strategy.spec.name!r} could not say how many jobs it takes to "
                f"complete a trial: {type(error).__name__}: {error}"
            ) from error

    def changed_since(self, stored: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Return a message for each plugin whose installed version differs from the stored one."""
        changes = []
        for role, now in self.identities().items():
            before = {"contract": 1, **stored.get(role, now)}  # versions without a number are 1
            if before != now:
                speaks = before["contract"] != now["contract"]
                was, is_now = (
                    f"{one['distribution']} {one['version']}"
                    + (f" (contract {one['contract']})" if speaks else "")
                    for one in (before, now)
                )
                words = role.replace(".", "'s ")
                changes.append(
                    f"the {words} {now['name']!r} was {was} when the study began, and is now "
                    f"{is_now}; its suggestions may differ"
                )
        return changes
