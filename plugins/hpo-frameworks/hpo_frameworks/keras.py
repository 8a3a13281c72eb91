"""Keras: ``model.fit(…, callbacks=[ReportCallback()])``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras.callbacks import Callback

from hpo_frameworks.reporting import should_stop


class ReportCallback(Callback):  # type: ignore[misc]  # carries no types here
    """Reports the metrics of each epoch, such as ``loss`` and ``val_loss``."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if should_stop(epoch + 1, logs or {}):
            self.model.stop_training = True
