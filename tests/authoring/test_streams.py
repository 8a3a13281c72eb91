"""Global random streams are replaced while a library draws, and restored afterwards."""

from __future__ import annotations

import random

import msgspec
import numpy as np
import pytest

from hpo_core.plugin import RandomStreams, drawing_from


def global_draws() -> tuple[float, float]:
    return random.random(), float(np.random.random())


def global_states() -> tuple[object, bytes]:
    return random.getstate(), np.random.get_state()[1].tobytes()  # type: ignore[union-attr]  # the old generator's


def test_global_draws_come_from_the_given_generators_and_from_them_alone() -> None:
    own = random.Random(1), np.random.RandomState(2)
    before = global_states()
    with drawing_from(*own):
        found = global_draws()
    assert found == (random.Random(1).random(), np.random.RandomState(2).random())
    assert global_states() == before


def test_the_generators_are_then_where_the_draws_have_left_them() -> None:
    one, other = random.Random(1), random.Random(1)
    with drawing_from(one):
        random.random()
    other.random()
    assert one.getstate() == other.getstate()


def test_the_global_streams_are_as_they_were_after_an_error_too() -> None:
    before = global_states()
    with pytest.raises(ValueError, match="empty"), RandomStreams(1).in_place():
        np.random.choice([np.random.random()][1:])
    assert global_states() == before


def test_a_library_that_seeds_the_global_streams_seeds_the_strategys_own() -> None:
    streams = RandomStreams(1)
    with streams.in_place():
        random.seed(5)
        np.random.seed(5)
    with streams.in_place():
        assert global_draws() == (random.Random(5).random(), np.random.RandomState(5).random())


def test_equal_seeds_give_equal_streams_and_others_give_others() -> None:
    drawn = []
    for seed in (1, 1, 2, 2**64 + 1):
        with RandomStreams(seed).in_place():
            drawn.append(global_draws())
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


def test_streams_go_on_where_they_were_saved() -> None:
    streams, other = RandomStreams(1), RandomStreams(2)
    with streams.in_place():
        global_draws()
    other.restore(msgspec.json.decode(msgspec.json.encode(streams.to_json())))
    drawn = []
    for each in (streams, other):
        with each.in_place():
            drawn.append(global_draws())
    assert drawn[0] == drawn[1]
