"""The options of the observer and of the reader."""

from __future__ import annotations

import msgspec


class ObserverOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of the observer ``tensorboard``.

    Attributes:
        directory: The folder for event files, relative to the working directory of the jobs. Trial
            7 of the study ``digits`` has the folder ``digits/trial-7`` in it.
    """

    directory: str = "runs"


class ReaderOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of the reader ``tensorboard``.

    Attributes:
        directory: The folder to which the job writes event files, also in folders below; relative
            to its working directory. It may contain the placeholders of ``job.metrics_file``. A
            part ``*`` stands for any one folder.
        metrics: The tag of each metric whose name is not its tag.
        iteration: The tag whose value is the iteration; None for the step of the events.
    """

    directory: str = "{checkpoint_dir}"
    metrics: dict[str, str] = {}
    iteration: str | None = None
