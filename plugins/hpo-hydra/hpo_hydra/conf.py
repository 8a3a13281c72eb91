"""The configuration of the sweeper; Hydra imports it at every start of an application."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class HpoSweeperConf:
    """The configuration ``hydra.sweeper`` of ``hydra/sweeper=hpo``.

    Attributes:
        strategy: A config string, such as ``optuna:tpe``.
        options: The strategy's options.
        params: The space: sweeps by key, as on the command line, which is above them.
        direction: ``minimize`` or ``maximize``; a list for several objectives.
        metric: The name of the metric, or of each; None for ``value``, or ``value_0``, ``value_1``.
        n_trials: Number of trials; None for all of a finite space, or 20.
        n_jobs: Number of jobs that the launcher gets at once.
        budget: Further limits, such as ``wall_time``.
        seed: Random seed; None to draw one, which is stored.
        store: The file that keeps the study; None to keep it in memory.
        name: The study's name; None for the application's.
        max_iterations: Maximum number of iterations of a trial, for strategies that stop early.
        iterations: The key of the application that gets the number of iterations.
        checkpoint_dir: The key of the application that gets the trial's folder for checkpoints.
        max_failures_at_start: The sweep fails if this number of trials fails before any succeeds.
        tags: Labels of the study.
    """

    _target_: str = "hydra_plugins.hpo_sweeper.HpoSweeper"
    strategy: str = "random"
    options: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    direction: Any = "minimize"
    metric: Any = None
    n_trials: int | None = None
    n_jobs: int = 1
    budget: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    store: str | None = "hpo.db"
    name: str | None = None
    max_iterations: int | None = None
    iterations: str | None = None
    checkpoint_dir: str | None = None
    max_failures_at_start: int | None = None
    tags: list[str] = field(default_factory=list)
