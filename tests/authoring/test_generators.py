"""States of random generators as plain JSON, restored bit for bit."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from hpo_core.plugin import generator_to_json, set_generator

MAKERS: dict[str, Callable[[int], Any]] = {
    "random": random.Random,
    "legacy": np.random.RandomState,
    **{
        name: lambda seed, name=name: np.random.Generator(getattr(np.random, name)(seed))
        for name in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
    },
}


def draws(generator: Any) -> list[float]:
    if isinstance(generator, random.Random):
        return [generator.gauss(0, 1), generator.random(), generator.gauss(0, 1)]
    return [float(generator.normal()), float(generator.uniform()), float(generator.normal())]


@pytest.mark.parametrize("kind", MAKERS)
def test_generator_continues_from_its_saved_state(kind: str) -> None:
    generator, other = MAKERS[kind](3), MAKERS[kind](4)
    draws(generator)  # an odd number of Gaussian draws: one is held ready
    saved = msgspec.json.decode(msgspec.json.encode(generator_to_json(generator)))
    expected = draws(generator)
    set_generator(other, saved)
    assert draws(other) == expected
    assert generator_to_json(other) == generator_to_json(generator)


def test_a_state_that_hpo_optuna_stored_before_is_read() -> None:
    generator = np.random.RandomState(3)
    saved = generator_to_json(generator)
    table = {"array": "<u4", "shape": [624], "order": "C", "base64": saved["key"]}
    other = np.random.RandomState(4)
    set_generator(other, {**saved, "key": table})
    assert draws(other) == draws(generator)


def test_object_that_is_not_a_generator_is_rejected() -> None:
    with pytest.raises(TypeError, match="is not a random generator that can be saved"):
        generator_to_json(random)
