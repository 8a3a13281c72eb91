"""Each callback in a training of the real framework, which a study stops or not.

Run in the environment of `make integration-frameworks`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

os.environ |= {"KERAS_BACKEND": "torch", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}

import numpy as np
import pytest

import hpo_core as hpo
from hpo_core.plugin import BaseStrategy, Decision, Report, Start, Status

ITERATIONS = 6

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 4)).astype("float32")
y = (X[:, 0] > 0).astype("float32")


def lightning(folder: str) -> None:
    import torch
    from hpo_frameworks.lightning import ReportCallback
    from lightning.pytorch import LightningModule, Trainer
    from torch.utils.data import DataLoader, TensorDataset

    class Model(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)

        def loss(self, batch: Any) -> Any:
            return torch.nn.functional.mse_loss(self.layer(batch[0])[:, 0], batch[1])

        def training_step(self, batch: Any, _: int) -> Any:
            return self.loss(batch)

        def validation_step(self, batch: Any, _: int) -> None:
            self.log("loss", self.loss(batch))

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    data = DataLoader(TensorDataset(torch.tensor(X), torch.tensor(y)), batch_size=40)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=ITERATIONS,
        callbacks=[ReportCallback()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        default_root_dir=folder,
    )
    trainer.fit(Model(), data, data)


def lightning_without_validation(folder: str) -> None:
    import torch
    from hpo_frameworks.lightning import ReportCallback
    from lightning.pytorch import LightningModule, Trainer
    from torch.utils.data import DataLoader, TensorDataset

    class Model(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)

        def training_step(self, batch: Any, _: int) -> Any:
            loss = torch.nn.functional.mse_loss(self.layer(batch[0])[:, 0], batch[1])
            self.log("loss", loss, on_epoch=True)
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    data = DataLoader(TensorDataset(torch.tensor(X), torch.tensor(y)), batch_size=40)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=ITERATIONS,
        callbacks=[ReportCallback()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        default_root_dir=folder,
    )
    trainer.fit(Model(), data)


def transformers(folder: str) -> None:
    import torch
    from hpo_frameworks.transformers import ReportCallback
    from transformers import PretrainedConfig, PreTrainedModel, Trainer, TrainingArguments

    class Model(PreTrainedModel):
        def __init__(self) -> None:
            super().__init__(PretrainedConfig())
            self.layer = torch.nn.Linear(4, 1)
            self.post_init()

        def forward(self, x: Any, labels: Any) -> Any:
            found = self.layer(x)[:, 0]
            return {"loss": torch.nn.functional.mse_loss(found, labels), "logits": found}

    rows = [
        {"x": torch.tensor(row), "labels": torch.tensor(label)}
        for row, label in zip(X, y, strict=True)
    ]
    arguments = TrainingArguments(
        output_dir=folder,
        num_train_epochs=ITERATIONS,
        eval_strategy="epoch",
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        per_device_train_batch_size=40,
    )
    Trainer(
        Model(), arguments, train_dataset=rows, eval_dataset=rows, callbacks=[ReportCallback()]
    ).train()


def keras(folder: str) -> None:
    import keras
    from hpo_frameworks.keras import ReportCallback

    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, y, epochs=ITERATIONS, verbose=0, callbacks=[ReportCallback()])


def xgboost(folder: str) -> None:
    import xgboost
    from hpo_frameworks.xgboost import ReportCallback

    data = xgboost.DMatrix(X, y)
    parameters = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1}
    xgboost.train(
        parameters,
        data,
        ITERATIONS,
        evals=[(data, "validation")],
        callbacks=[ReportCallback()],
        verbose_eval=False,
    )


def lightgbm(folder: str) -> None:
    import lightgbm
    from hpo_frameworks.lightgbm import ReportCallback

    data = lightgbm.Dataset(X, y)
    lightgbm.train(
        {"objective": "binary", "verbose": -1, "num_threads": 1},
        data,
        ITERATIONS,
        valid_sets=[data],
        valid_names=["validation"],
        callbacks=[ReportCallback()],
    )


def catboost(folder: str) -> None:
    from catboost import CatBoostClassifier
    from hpo_frameworks.catboost import ReportCallback

    model = CatBoostClassifier(
        iterations=ITERATIONS, depth=2, thread_count=1, verbose=False, train_dir=folder
    )
    model.fit(X, y, eval_set=(X, y), callbacks=[ReportCallback()])


TRAININGS: dict[str, tuple[Callable[[str], None], str]] = {
    "lightning": (lightning, "loss"),
    "lightning_without_validation": (lightning_without_validation, "loss"),
    "transformers": (transformers, "eval_loss"),
    "keras": (keras, "loss"),
    "xgboost": (xgboost, "validation/logloss"),
    "lightgbm": (lightgbm, "validation/binary_logloss"),
    "catboost": (catboost, "validation/Logloss"),
}


class StopsAt(BaseStrategy):
    """Suggests one configuration, and stops its job at an iteration."""

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def ask(self, trial_id: int, /) -> Any:
        return Start(hpo.Configuration({"x": 1}))

    def tell(self, report: Report, /) -> Decision:
        running = report.status is Status.RUNNING
        return (
            Decision.STOP if running and report.iteration == self.iteration else Decision.CONTINUE
        )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("framework", TRAININGS)
@pytest.mark.parametrize("stop", [2, ITERATIONS + 1])
def test_a_training_reports_each_iteration_and_ends_when_it_should(
    framework: str, stop: int, tmp_path: Path
) -> None:
    train, metric = TRAININGS[framework]
    ended = []

    def function(configuration: Mapping[str, Any]) -> None:
        train(str(tmp_path))
        ended.append(framework)  # the training ends by the framework's own means

    study = hpo.Study(
        function=function,
        parameters=[hpo.Int("x", 1, 1)],
        objective=metric,
        direction="minimize",
        budget={"trials": 1},
        strategy=StopsAt(stop),
        backend="inline",
        max_failures_at_start=1,
    )
    study.run(progress=False)
    points = study.curve(1)
    last = min(stop, ITERATIONS)
    assert [point.iteration for point in points] == list(range(1, last + 1))
    assert all(metric in point.metrics for point in points)
    assert study.trials[0].state.value == ("stopped" if stop < ITERATIONS else "completed")
    assert ended == [framework]
