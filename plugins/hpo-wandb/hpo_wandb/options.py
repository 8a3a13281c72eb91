"""The options of the observer."""

from __future__ import annotations

from typing import Literal

import msgspec


class WandbOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of the observer ``wandb``.

    The API key is no option, since options are stored: wandb reads it from ``WANDB_API_KEY`` or
    from where ``wandb login`` has put it.

    Attributes:
        project: The project. None for the variable ``WANDB_PROJECT``, or else ``hpo-core``.
        entity: The user or team. None for the variable ``WANDB_ENTITY``, or else the user's own.
        group: The group of the study's runs; None for the study's name.
        mode: Whether runs are sent (``online``) or kept in files for ``wandb sync`` (``offline``).
            None for the variable ``WANDB_MODE``, or else ``online``.
        directory: The folder of the files, relative to the working directory of the jobs.
    """

    project: str | None = None
    entity: str | None = None
    group: str | None = None
    mode: Literal["online", "offline"] | None = None
    directory: str = "."
