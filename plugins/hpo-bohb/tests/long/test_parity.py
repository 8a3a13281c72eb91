"""With one worker and the same seed, evaluations equal those of hpbandster's own run."""

from __future__ import annotations

from typing import Any

import pytest

SEEDS = (1, 2, 3)
SPACES = ("numbers", "mixed", "conditional", "forbidden")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("space", SPACES)
def test_170_evaluations_of_bohb(parity: Any, space: str, seed: int) -> None:
    evaluations, picks = parity("bohb", space, seed, brackets=9)

    assert evaluations == 170
    assert picks > 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("space", SPACES)
def test_bohb_with_every_sixth_evaluation_failing(parity: Any, space: str, seed: int) -> None:
    evaluations, picks = parity("bohb", space, seed, brackets=9, fails=True)

    assert evaluations >= 150
    assert picks > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_bohb_that_trains_promoted_configurations_again(parity: Any, seed: int) -> None:
    evaluations, picks = parity("bohb", "numbers", seed, brackets=9, resume=False)

    assert evaluations == 170
    assert picks > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_bohb_with_all_of_its_options(parity: Any, seed: int) -> None:
    evaluations, picks = parity(
        "bohb",
        "conditional",
        seed,
        brackets=14,
        eta=2.5,
        min_points_in_model=9,
        top_n_percent=30,
        num_samples=16,
        random_fraction=0.1,
        bandwidth_factor=2.0,
        min_bandwidth=0.01,
    )

    assert evaluations >= 150
    assert picks > 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("space", SPACES)
def test_hyperband(parity: Any, space: str, seed: int) -> None:
    evaluations, picks = parity("hyperband", space, seed, brackets=9)

    assert (evaluations, picks) == (170, 0)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("space", SPACES)
def test_random_search(parity: Any, space: str, seed: int) -> None:
    evaluations, picks = parity("random", space, seed, brackets=40)

    assert evaluations >= 150
    assert picks == 0
