"""Replace the global random streams of `random`, numpy and PyTorch while a library draws.

Many libraries draw from the global streams. A strategy must not do so: other code draws from them
too, and a study would not be reproducible. So the strategy's streams replace the global ones while
the library runs. Afterwards the state of the global streams is restored.
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
    """A context manager that replaces global streams by these generators.

    On exit, the state of the generators includes the draws, and the global streams are restored.

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
    """The streams of a strategy that replace the global ones of `random`, numpy and PyTorch.

    The streams of numpy and PyTorch are included if they are imported when this is created. Import
    a library that draws from them before.

    Args:
        seed: The seed of all streams.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._generators: dict[str, Any] = {}
        for name in loaded():
            self._begin(name)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """A context manager that replaces the global streams by these."""
        with drawing_from(*self._generators.values()):
            yield

    def to_json(self) -> dict[str, Any]:
        """Return their state as plain JSON."""
        return {name: generator_to_json(each) for name, each in self._generators.items()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Restore a state that `to_json` returned."""
        for name, state in saved.items():
            if name not in self._generators:
                self._begin(name)
            set_generator(self._generators[name], state)

    def _begin(self, name: str) -> None:
        self._generators[name] = _MAKERS[name](self._seed)


def loaded() -> list[str]:
    """Return the modules with a global stream that have been imported."""
    return [name for name in _MAKERS if name in sys.modules]


def global_states() -> dict[str, object]:
    """Return the states of the global streams, by module, in a form that can be compared."""
    states: dict[str, object] = {"random": random.getstate()}
    if (numpy := sys.modules.get("numpy")) is not None:
        kind, keys, *rest = numpy.random.get_state()
        states["numpy"] = (kind, keys.tobytes(), *rest)
    if (torch := sys.modules.get("torch")) is not None:
        states["torch"] = torch.get_rng_state().numpy().tobytes()
    return states


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
    """Functions to get and set a state."""

    get: Callable[[], Any]
    put: Callable[[Any], None]


def _states(generator: Any) -> tuple[_State, _State]:
    """Return access to the states of the global stream that a generator replaces, and of the
    generator.
    """
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
