"""PyTorch Lightning: ``Trainer(callbacks=[ReportCallback()])``."""

from __future__ import annotations

from typing import Any

try:
    from lightning.pytorch.callbacks import Callback
except ImportError:  # the distribution under its older name
    from pytorch_lightning.callbacks import Callback

from hpo_frameworks.reporting import should_stop


class ReportCallback(Callback):  # type: ignore[misc]  # carries no types here
    """Reports the logged metrics after each validation, or after each epoch without one.

    The iteration is the epoch. Names are those given to ``self.log``.
    """

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        if not trainer.sanity_checking and trainer.state.fn == "fit":
            self._report(trainer)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        if not trainer.enable_validation:
            self._report(trainer)

    def _report(self, trainer: Any) -> None:
        stop = trainer.is_global_zero and should_stop(
            trainer.current_epoch + 1, trainer.callback_metrics
        )
        trainer.should_stop = trainer.strategy.broadcast(stop) or trainer.should_stop
