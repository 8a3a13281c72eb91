"""What users are told once, and again once it has passed and comes back."""

from __future__ import annotations

import logging

_log = logging.getLogger("hpo_core")


class WarnOnce:
    """Logs warnings, each once."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def warn(self, about: str, message: str, *values: object) -> None:
        """Log a warning, unless there was one about this."""
        if about not in self._said:
            self._said.add(about)
            _log.warning(message, *values)

    def forget(self, about: str) -> None:
        """Warn of this once more, should it happen again."""
        self._said.discard(about)
