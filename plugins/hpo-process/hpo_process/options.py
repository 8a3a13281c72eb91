"""The options of ``process``."""

from __future__ import annotations

import os
from typing import Annotated, Any

import msgspec


class ProcessOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the process is begun, and for how long it is waited for.

    Attributes:
        command: The program and its arguments, as a list; found in `directory`, or on the path.
        options: The process's own options, passed on to it as they are.
        time_limit: Seconds that an answer may take.
        directory: The folder in which it runs, and which relative paths are relative to; the
            current one when the study begins. It is stored as an absolute path.
    """

    command: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    options: dict[str, Any] = {}
    time_limit: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    directory: str = msgspec.field(default_factory=os.getcwd)

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "directory", os.path.abspath(self.directory))
