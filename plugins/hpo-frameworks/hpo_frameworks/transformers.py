"""transformers: ``Trainer(…, callbacks=[ReportCallback()])``."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from hpo_frameworks.reporting import should_stop


class ReportCallback(TrainerCallback):  # type: ignore[misc]  # carries no types here
    """Reports the metrics of each evaluation, such as ``eval_loss``.

    The iteration is the epoch with ``eval_strategy="epoch"``, else the optimizer step.
    """

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any, **_: Any) -> None:
        by_epoch = getattr(args.eval_strategy, "value", args.eval_strategy) == "epoch"
        iteration = round(state.epoch or 0) if by_epoch else state.global_step
        if state.is_world_process_zero and should_stop(iteration, metrics):
            control.should_training_stop = True
