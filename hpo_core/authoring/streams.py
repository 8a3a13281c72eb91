"""The global random streams of `random`, numpy and PyTorch, replaced while a library draws.

Many libraries draw from global streams. A strategy may not: somebody else draws from them too, and
a study would come out otherwise each time. So the strategy's own streams stand in their place for
as long as the library is at work, and afterwards the global ones are as they were.
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from hpo_core.authoring.generators import generator_to_json, set_generator


@contextmanager
def drawing_from(*generators: Any) -> Iterator[None]:
    """Let whoever draws from a global stream draw from one of these generators instead.

    Afterwards the generators are where the draws have left them, and the global streams as they
    were before.

    Args:
        generators: A `random.Random` for the stream of `random`, a `numpy.random.RandomState`
            for that of `numpy.random`, a `torch.Generator` for that of PyTorch on the CPU.
    """
    states = [_states(generator) for generator in generators]
    outside = [stream.get() for stream, _ in states]
    try:
        for stream, own in states:
            stream.put(own.get())
        yield
    finally:
        for (stream, own), before in zip(states, outside, strict=True):
            own.put(stream.get())
            stream.put(before)


class RandomStreams:
    """A strategy's own streams in place of the global ones: of `random`, and of numpy and PyTorch.

    Those two take part if they have been imported when this is made: import a library that draws
    from them before.

    Args:
        seed: The seed of all of them.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._generators: dict[str, Any] = {}
        for name in loaded():
            self._begin(name)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let whoever draws from a global stream draw from these."""
        with drawing_from(*self._generators.values()):
            yield

    def to_json(self) -> dict[str, Any]:
        """Return where they are, as plain JSON."""
        return {name: generator_to_json(each) for name, each in self._generators.items()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Put them where they were when `to_json` returned this."""
        for name, state in saved.items():
            if name not in self._generators:
                self._begin(name)
            set_generator(self._generators[name], state)

    def _begin(self, name: str) -> None:
        self._generators[name] = _MAKERS[name](self._seed)


def loaded() -> list[str]:
    """Return the modules with a global stream that have been imported."""
    return [name for name in _MAKERS if name in sys.modules]


def _numpy_generator(seed: int) -> Any:
    return importlib.import_module("numpy").random.RandomState(seed % 2**32)


def _torch_generator(seed: int) -> Any:
    return importlib.import_module("torch").Generator().manual_seed(seed % 2**63)


_MAKERS: Mapping[str, Callable[[int], Any]] = {
    "random": random.Random,
    "numpy": _numpy_generator,
    "torch": _torch_generator,
}


class _State(NamedTuple):
    """How a state is read and set."""

    get: Callable[[], Any]
    put: Callable[[Any], None]


def _states(generator: Any) -> tuple[_State, _State]:
    """Return the state of the global stream that a generator replaces, and the generator's own."""
    if isinstance(generator, random.Random):
        return (
            _State(random.getstate, random.setstate),
            _State(generator.getstate, generator.setstate),
        )
    home = sys.modules[type(generator).__module__.partition(".")[0]]
    own = _State(generator.get_state, generator.set_state)
    if home.__name__ == "torch":
        return _State(home.get_rng_state, home.set_rng_state), own
    return _State(home.random.get_state, home.random.set_state), own
