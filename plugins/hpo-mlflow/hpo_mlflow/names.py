"""Names and values as MLflow accepts them."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable

_log = logging.getLogger("hpo_core")

_REFUSED = re.compile(r"[^\w.\-/ :]")
"""The characters that no name of a metric, parameter or tag has."""

_LONGEST = 250
"""Maximum length of a name."""

LONGEST_TAG = 5000
"""Maximum length of a tag's value, on every server."""

LONGEST_PARAMETER = 500
"""Maximum length of a parameter's value, on every server."""


class Names:
    """Converts names, and logs once for each name that changes."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """Return the name with ``_`` in place of characters that MLflow refuses."""
        if name not in self._known:
            self._known[name] = found = _REFUSED.sub("_", name)[:_LONGEST]
            if found != name:
                _log.warning("MLflow does not accept the name %r; it is logged as %r", name, found)
        return self._known[name]


def text(value: object) -> str:
    """Return a parameter's value as text: a string as it is, all others as in JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def cut(text: str, longest: int) -> str:
    """Return a text of at most this length; a longer one ends with ``…``."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def labels(tags: Iterable[str]) -> dict[str, str]:
    """Return the labels of a study or job as tags: ``team=vision`` has the value ``vision``, and a
    label without ``=`` the value ``true``.
    """
    pairs = (tag.partition("=") for tag in tags)
    return {name: value if sign else "true" for name, sign, value in pairs if name}
