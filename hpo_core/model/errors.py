"""Every error that hpo-core raises on purpose, by name.

Each message is one sentence for a person: what is wrong, where, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class HpoError(Exception):
    """The base of every error that hpo-core raises on purpose."""


class Fault(NamedTuple):
    """One thing that is wrong with an input.

    Attributes:
        path: Where, as a dotted key such as ``parameters.lr.low``; empty for the whole.
        message: What is wrong and how to mend it.
    """

    path: str
    message: str

    def under(self, prefix: str) -> Fault:
        """The same fault, seen from one level further out."""
        separator = "." if prefix and self.path and not self.path.startswith("[") else ""
        return Fault(f"{prefix}{separator}{self.path}", self.message)

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InvalidInput(HpoError, ValueError):
    """An input is wrong. ``faults`` holds everything that is wrong with it, in order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class PluginError(HpoError):
    """A plugin could not be used."""


class UnknownPlugin(PluginError):
    """No installed plugin has that name.

    Attributes:
        plugin: The name, without a variant; empty if the plugin is there and lacks something.
    """

    def __init__(self, message: str, plugin: str = "") -> None:
        super().__init__(message)
        self.plugin = plugin


class DuplicatePlugin(PluginError):
    """Two installed distributions, or two specs, claim one name."""


class BrokenPlugin(PluginError):
    """A plugin is installed, but fails to import or breaks the contract of the hooks."""


class Unsupported(PluginError):
    """A study needs what its strategy or backend does not offer."""


class StoreError(HpoError):
    """A store could not be opened, read or written."""


class UnknownStudy(StoreError):
    """The store has no study of that name."""


class UnknownJob(StoreError):
    """The study has no job of that id."""


class UnknownTrial(StoreError):
    """The study has no trial of that number."""


class StudyRunning(StoreError):
    """The study is being run by another controller, which is alive."""


class StudyChanged(StoreError):
    """A stored study was run again with another configuration."""


class StrategyError(HpoError):
    """A strategy raised, or broke its contract."""


class BackendError(HpoError):
    """A backend could not run jobs at all (a job's own fault is a state of the job)."""


class StudyFailed(HpoError):
    """A study ended as failed; the message says why, ``__cause__`` is the error if there is one."""


class NoResult(HpoError):
    """A result was asked for that does not exist, such as the best of no completed trial."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known word closest to `word`, or ``""``.

    Upper case counts as lower case, and a beginning as the word: ``min`` for ``minimize``.
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
