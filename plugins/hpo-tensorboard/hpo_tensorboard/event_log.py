"""A file of events that grows.

The file is open only while something is written, so a study of many trials needs few descriptors.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary

from hpo_tensorboard.records import record


class EventLog:
    """Writes the events of one session to a new file.

    Args:
        folder: The folder, which is created.
        time: The time of the session in seconds since the epoch; it orders the files of a folder.
    """

    def __init__(self, folder: str, time: float) -> None:
        os.makedirs(folder, exist_ok=True)
        name = f"events.out.tfevents.{int(time):010d}.{socket.gethostname()}.{os.getpid()}.hpo"
        self._path = os.path.join(folder, name)
        if not os.path.exists(self._path):
            self._add(Event(wall_time=time, file_version="brain.Event:2"))

    def scalars(self, values: Mapping[str, float], step: int, time: float) -> None:
        """Write scalars of a step."""
        summary = Summary(
            value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        )
        self.summary(summary, time, step)

    def summary(self, summary: Any, time: float, step: int = 0) -> None:
        """Write a summary."""
        self._add(Event(wall_time=time, step=step, summary=summary))

    def _add(self, event: Any) -> None:
        with open(self._path, "ab") as file:
            file.write(record(event.SerializeToString()))
