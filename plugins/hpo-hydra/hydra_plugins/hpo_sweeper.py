"""The sweeper ``hpo``, as Hydra finds it; imports nothing of hpo-core until a sweep begins."""

from __future__ import annotations

from typing import Any

from hpo_hydra.conf import HpoSweeperConf
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.errors import CompactHydraException
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class HpoSweeper(Sweeper):
    """Sweeps by a study of hpo-core.

    Args:
        **settings: The fields of `HpoSweeperConf`.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.config: DictConfig | None = None
        self.launcher: Launcher | None = None
        self.hydra_context: HydraContext | None = None

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep the configuration, and make the launcher."""
        self.config = config
        self.hydra_context = hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Run or resume the sweep.

        Args:
            arguments: The overrides on the command line.

        Returns:
            What the jobs of this run have returned, by batch.

        Raises:
            CompactHydraException: If it cannot be run, or fails.
        """
        from hpo_hydra.sweep import Sweep

        from hpo_core import HpoError

        assert self.config is not None
        assert self.hydra_context is not None
        assert self.launcher is not None
        try:
            sweep = Sweep(self.config, self.hydra_context, self.launcher, self.settings)
            return sweep.run(arguments)
        except HpoError as error:
            raise CompactHydraException(str(error)) from error


ConfigStore.instance().store(
    group="hydra/sweeper", name="hpo", node=HpoSweeperConf, provider="hpo-hydra"
)
