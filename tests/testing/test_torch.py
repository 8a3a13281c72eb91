"""The global stream of PyTorch is replaced like those of random and numpy, and checked by the kit.

``make integration-torch`` runs this: PyTorch is large.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from samples import Stream

from hpo_core.plugin import (
    Configuration,
    RandomStreams,
    drawing_from,
    generator_to_json,
    set_generator,
)
from hpo_core.testing.checks.randomness import global_random_streams_are_left_alone
from hpo_core.testing.effort import Effort
from hpo_core.testing.kit import CheckOutcome, result_of
from hpo_core.testing.subject import Subject

torch: Any = pytest.importorskip("torch")


def drawn() -> list[float]:
    numbers: list[float] = torch.rand(3).tolist()
    return numbers


def test_draws_come_from_the_given_generator_and_the_global_stream_is_as_it_was() -> None:
    own, same = (torch.Generator().manual_seed(7) for _ in range(2))
    before = torch.get_rng_state()
    with drawing_from(own):
        found = drawn()
    assert found == torch.rand(3, generator=same).tolist()
    assert torch.equal(own.get_state(), same.get_state())
    assert torch.equal(torch.get_rng_state(), before)


def test_a_library_that_seeds_the_global_stream_seeds_the_strategys_own() -> None:
    before = torch.get_rng_state()
    streams = RandomStreams(1)
    with streams.in_place():
        torch.manual_seed(5)
    with streams.in_place():
        assert drawn() == torch.rand(3, generator=torch.Generator().manual_seed(5)).tolist()
    assert torch.equal(torch.get_rng_state(), before)


def test_streams_go_on_where_they_were_saved() -> None:
    streams, other = RandomStreams(1), RandomStreams(2)
    with streams.in_place():
        drawn()
    other.restore(msgspec.json.decode(msgspec.json.encode(streams.to_json())))
    found = []
    for each in (streams, other):
        with each.in_place():
            found.append(drawn())
    assert found[0] == found[1]


def test_a_generator_comes_back_from_json_bit_for_bit() -> None:
    one, other = torch.Generator().manual_seed(3), torch.Generator()
    torch.rand(5, generator=one)
    set_generator(other, msgspec.json.decode(msgspec.json.encode(generator_to_json(one))))
    assert torch.equal(one.get_state(), other.get_state())


class DrawsFromTorchLate(Stream):
    """Draws from the global stream of PyTorch once it knows a good configuration."""

    def draw(self) -> Configuration:
        if len(self.configurations) > 20:
            torch.rand(1)
        return super().draw()


class DrawsFromItsOwn(Stream):
    """Draws from the global stream of PyTorch as well, but in isolation."""

    def draw(self) -> Configuration:
        with RandomStreams(self.problem.seed).in_place():
            torch.rand(1)
        return super().draw()


def outcome(strategy: type[Stream]) -> Any:
    subject = Subject(strategy, frozenset(), effort=Effort(examples=2, long_runs=(60,)))
    return result_of(global_random_streams_are_left_alone, subject)


def test_the_kit_finds_out_who_draws_from_it_and_names_the_line() -> None:
    found = outcome(DrawsFromTorchLate)
    assert found.outcome is CheckOutcome.FAILED
    assert found.detail.startswith("ask changes the global stream of torch\n")
    assert re.search(r"\ndrawn by test_torch\.py:\d+ in draw: torch\.rand\(1\)\n", found.detail)


def test_the_kit_is_content_with_draws_in_isolation() -> None:
    assert outcome(DrawsFromItsOwn).outcome is CheckOutcome.PASSED
