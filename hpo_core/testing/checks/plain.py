"""Find values that only look like plain JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator


def not_plain(value: object, path: str = "") -> Iterator[str]:
    """Yield the reasons why a value would change when written to and read from JSON."""
    where = f" at {path}" if path else ""
    if type(value) is dict:
        for key, entry in value.items():
            if type(key) is not str:
                yield f"the key {key!r}{where} is not a string"
            yield from not_plain(entry, f"{path}.{key}" if path else str(key))
    elif type(value) is list:
        for index, entry in enumerate(value):
            yield from not_plain(entry, f"{path}[{index}]")
    elif type(value) is float and not math.isfinite(value):
        yield f"{value!r}{where} is not finite"
    elif value is not None and type(value) not in (str, int, float, bool):
        yield f"{value!r}{where} is of type {type(value).__name__}"
