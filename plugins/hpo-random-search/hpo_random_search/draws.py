"""Random numbers and configurations as pure functions of the place where they are used.

A number is a BLAKE2b hash of the seed, the trial and the attempt. So there is no state, nothing
depends on earlier draws, and numbers are the same in every process and on every Python version.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from hashlib import blake2b
from struct import Struct

from hpo_core import Configuration, SearchSpace

_eight_numbers = Struct("<8Q").unpack


def uniforms(*address: int) -> Iterator[float]:
    """Yield independent numbers, uniform in [0, 1), without end; an address determines them."""
    place = " ".join(map(str, address))
    for block in itertools.count():
        for word in _eight_numbers(_hash(f"{place} {block}")):
            yield (word >> 11) * 2.0**-53


def draw(space: SearchSpace, *address: int) -> Configuration:
    """Draw a configuration, forbidden ones included, parents before children.

    Every active parameter is uniform on its own scale (log-uniform with ``log``); all combinations
    of a ParameterSet are equally likely.
    """
    return space.draw(uniforms(*address).__next__)


def permutation(size: int, seed: int) -> Callable[[int], int]:
    """Return a random permutation of ``range(size)``, of any size, as a function.

    It is affine, ``i -> (a i + b) mod size`` with ``a`` and ``size`` coprime.
    """
    candidates = (
        int.from_bytes(_hash(f"{seed} walk {attempt}"), "little") for attempt in itertools.count()
    )
    offset = next(candidates)
    factor = next(number for number in candidates if math.gcd(number, size) == 1)
    return lambda place: (factor * place + offset) % size


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), person=b"hpo-random").digest()
