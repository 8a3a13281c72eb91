"""The exceptions that hpo-core raises. `hpo_core.errors` is their public place.

Each message is one sentence that says what is wrong, where, and how to fix it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class HpoError(Exception):
    """Base class of all exceptions that hpo-core raises."""


class Fault(NamedTuple):
    """One fault of an input.

    Attributes:
        path: The place of the fault, as a dotted key such as ``parameters.lr.low``; empty for the
            input as a whole.
        message: What is wrong, and how to fix it.
    """

    path: str
    message: str

    def under(self, prefix: str) -> Fault:
        """Return the same fault with `prefix` prepended to its path."""
        separator = "." if prefix and self.path and not self.path.startswith("[") else ""
        return Fault(f"{prefix}{separator}{self.path}", self.message)

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InvalidInput(HpoError, ValueError):
    """An input is invalid. ``faults`` holds all its faults, in order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class PluginError(HpoError):
    """A plugin could not be used."""


class UnknownPlugin(PluginError):
    """No installed plugin has that name.

    Attributes:
        plugin: The name, without a variant; empty if the plugin is installed and only the variant
            is unknown.
    """

    def __init__(self, message: str, plugin: str = "") -> None:
        super().__init__(message)
        self.plugin = plugin


class DuplicatePlugin(PluginError):
    """Two installed distributions, or two specs, use the same name."""


class BrokenPlugin(PluginError):
    """A plugin is installed, but cannot be imported or violates the contract of the hooks."""


class Unsupported(PluginError):
    """A study needs a feature that its strategy or backend does not support."""


class StoreError(HpoError):
    """A store could not be opened, read or written."""


class UnknownStudy(StoreError):
    """The store has no study with this name."""


class UnknownJob(StoreError):
    """The study has no job with this id."""


class UnknownTrial(StoreError):
    """The study has no trial with this number."""


class StudyRunning(StoreError):
    """Another live controller is running the study."""


class StudyChanged(StoreError):
    """A stored study was run again with a different configuration."""


class StrategyError(HpoError):
    """A strategy raised an exception or violated its contract."""


class BackendError(HpoError):
    """A backend could not run jobs. (The failure of a single job is a state of that job.)"""


class StudyFailed(HpoError):
    """A study failed. The message gives the reason; ``__cause__`` is the exception, if any."""


class NoResult(HpoError):
    """The requested result does not exist, such as the best trial when none has completed."""


for _each in tuple(vars().values()):
    if isinstance(_each, type) and issubclass(_each, HpoError):
        _each.__module__ = "hpo_core.errors"  # shown in tracebacks


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known word closest to `word`, or ``""``.

    Case is ignored, and a prefix matches: ``min`` is close to ``minimize``.
    """
    by_lower = {name.lower(): name for name in known}
    lower = word.lower()
    import difflib  # only when something is wrong

    matches = difflib.get_close_matches(lower, by_lower, n=1, cutoff=0.6)
    matches += [name for name in by_lower if lower and name.startswith(lower)]
    return f"; did you mean {by_lower[matches[0]]!r}?" if matches else ""


def listed(names: Sequence[str], empty: str = "none") -> str:
    """Return names as a readable list: ``a, b, c``, or `empty`."""
    return ", ".join(names) if names else empty
