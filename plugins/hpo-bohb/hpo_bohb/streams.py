"""numpy's global stream, swapped for one of our own while hpbandster draws from it.

hpbandster and scipy draw from `numpy.random` itself. A `Stream` takes its place for as long as they
are at work, and the global one is as it was afterwards.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np


def seed_of(seed: int) -> int:
    """Return a seed as numpy's old generators take it: the last 32 bits."""
    return seed % 2**32


class Stream:
    """A stream of our own.

    Args:
        seed: Its seed, as for `numpy.random.seed`.
    """

    def __init__(self, seed: int) -> None:
        self._generator = np.random.RandomState(seed)

    @contextmanager
    def in_place_of_the_global_one(self) -> Iterator[None]:
        """Let whoever draws from `numpy.random` draw from this, and leave that as it was."""
        outside = np.random.get_state()
        np.random.set_state(self._generator.get_state())
        try:
            yield
        finally:
            self._generator.set_state(np.random.get_state())
            np.random.set_state(outside)

    def to_json(self) -> dict[str, Any]:
        """Return where it is."""
        return generator_to_json(self._generator)

    def seat(self, saved: Mapping[str, Any]) -> None:
        """Put it where it was when `to_json` returned this."""
        seat(self._generator, saved)


def generator_to_json(generator: np.random.RandomState) -> dict[str, Any]:
    """Return where a generator is, as plain JSON of some 3 KB."""
    state = generator.get_state(legacy=False)
    assert isinstance(state, dict)
    return {
        "key": base64.b64encode(state["state"]["key"].astype("<u4").tobytes()).decode(),
        "pos": int(state["state"]["pos"]),
        "has_gauss": int(state["has_gauss"]),
        "gauss": float(state["gauss"]),
    }


def seat(generator: np.random.RandomState, saved: Mapping[str, Any]) -> None:
    """Put a generator where it was when `generator_to_json` returned this."""
    key = np.frombuffer(base64.b64decode(saved["key"]), "<u4").astype(np.uint32)
    generator.set_state(("MT19937", key, saved["pos"], saved["has_gauss"], saved["gauss"]))
