"""The options of ``process``."""

from __future__ import annotations

import os
from typing import Annotated, Any

import msgspec


class ProcessOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the process is started, and how long to wait for it.

    Attributes:
        command: The program and its arguments, as a list; found in `directory`, or on the path.
        options: Options of the process, passed to it unchanged.
        time_limit: Maximum time in seconds for an answer.
        directory: Working directory, to which relative paths refer; the current directory at the
            start of the study. Stored as an absolute path.
    """

    command: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    options: dict[str, Any] = {}
    time_limit: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    directory: str = msgspec.field(default_factory=os.getcwd)

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "directory", os.path.abspath(self.directory))
