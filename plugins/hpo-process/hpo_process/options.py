"""The options of ``process``."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec


class ProcessOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the process is begun, and for how long it is waited for.

    Attributes:
        command: The program and its arguments, as a list; found in the working directory, or on
            the path.
        options: The process's own options, passed on to it as they are.
        time_limit: Seconds that an answer may take.
    """

    command: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    options: dict[str, Any] = {}
    time_limit: Annotated[float, msgspec.Meta(gt=0)] = 60.0
