"""Tell two spirals apart with a small network, and resume from a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from hpo_core import JobInfo, report

BATCH = 50


def spirals(points: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return points on two spirals, and to which one each belongs."""
    generator = torch.Generator().manual_seed(seed)
    angle = torch.rand(points, generator=generator) * 6 + 1
    side = torch.randint(2, (points,), generator=generator)
    turn = angle + side * torch.pi
    place = torch.stack([turn.cos(), turn.sin()], 1) * angle[:, None] / 7
    return place + 0.02 * torch.randn(points, 2, generator=generator), side


def train(configuration: Mapping[str, Any], job: JobInfo) -> None:
    """Train to the epoch that the study wants, from the last one that was saved."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    width = configuration["width"]
    model = nn.Sequential(
        nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2)
    )
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=configuration["lr"], weight_decay=configuration["decay"]
    )
    file = Path(job.checkpoint_dir) / "checkpoint.pt"
    epoch, accuracy = 0, 0.0
    if file.exists():
        state = torch.load(file)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        epoch, accuracy = state["epoch"], state["accuracy"]
        report(epoch, accuracy=accuracy)  # this report may have been lost with its controller
    x_train, y_train = spirals(1000, seed=1)
    x_valid, y_valid = spirals(500, seed=2)
    while epoch < (job.iterations or 9):
        for batch in torch.randperm(len(x_train)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x_train[batch]), y_train[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            accuracy = (model(x_valid).argmax(1) == y_valid).float().mean().item()
        epoch += 1
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": epoch,
            "accuracy": accuracy,
        }
        torch.save(state, file.with_suffix(".new"))
        os.replace(file.with_suffix(".new"), file)  # a job that is killed leaves a whole file
        report(epoch, accuracy=accuracy)
