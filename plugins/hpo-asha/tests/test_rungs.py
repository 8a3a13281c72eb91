"""Iterations of rungs: the tables of the papers, and cases between powers of eta."""

from __future__ import annotations

import pytest
from hpo_asha.rungs import (
    BracketTurns,
    Rung,
    RungResult,
    hyperband_sizes,
    levels,
    levels_from_below,
    levels_to_stop_at,
)


@pytest.mark.parametrize(
    ("least", "most", "eta", "expected"),
    [
        (1, 81, 3, (1, 3, 9, 27, 81)),  # Li et al. 2018, table 1
        (1, 9, 3, (1, 3, 9)),
        (1, 256, 4, (1, 4, 16, 64, 256)),
        (4, 256, 4, (4, 16, 64, 256)),
        (1, 20, 3, (2, 7, 20)),
        (1, 28, 3, (1, 3, 9, 28)),
        (1, 30, 3, (1, 3, 10, 30)),
        (1, 50, 3, (2, 6, 17, 50)),
        (1, 82, 3, (1, 3, 9, 27, 82)),
        (1, 100, 3, (1, 4, 11, 33, 100)),
        (5, 6, 2, (5, 6)),
        (1, 2, 3, (1, 2)),
    ],
)
def test_rungs_are_spaced_downward_from_the_last_each_the_etath_part_of_the_next(
    least: int, most: int, eta: int, expected: tuple[int, ...]
) -> None:
    assert levels(least, most, eta) == expected


@pytest.mark.parametrize("eta", [2, 3, 4, 7])
def test_there_are_as_many_rungs_as_in_the_papers_and_they_grow(eta: int) -> None:
    for least in (1, 2, 5):
        for most in range(least + 1, 400):
            found = levels(least, most, eta)
            in_the_papers = next(k for k in range(99) if least * eta ** (k + 1) > most) + 1
            assert len(found) == max(in_the_papers, 2)
            assert least <= found[0]
            assert found[-1] == most
            assert list(found) == sorted(set(found))


@pytest.mark.parametrize(
    ("most", "expected"),
    [(20, (1, 3, 9, 20)), (27, (1, 3, 9, 27)), (28, (1, 3, 9, 28)), (80, (1, 3, 9, 27, 80))],
)
def test_jobs_are_stopped_where_optunas_pruner_stops_them_but_not_close_to_the_end(
    most: int, expected: tuple[int, ...]
) -> None:
    assert levels_to_stop_at(1, most, 3) == expected


def test_studies_stored_before_keep_their_rungs() -> None:
    assert levels_from_below(1, 28, 3) == (1, 3, 9, 27, 28)


def test_the_brackets_of_hyperband_are_those_of_its_papers_first_table() -> None:
    # Li et al. 2018, table 1: R = 81 and eta = 3
    assert hyperband_sizes(rungs=5, eta=3) == (81, 34, 15, 8, 5)


def test_brackets_take_turns_each_for_as_many_trials_as_its_size() -> None:
    brackets = BracketTurns([(1, 3, 9), (3, 9), (9,)], sizes=hyperband_sizes(3, 3))
    order = [brackets.of(number) for number in range(17)]
    assert order == [0] * 9 + [1] * 5 + [2] * 3
    assert [brackets.of(number) for number in range(17, 34)] == order


def test_results_are_in_order_and_equal_ones_by_trial() -> None:
    rung = Rung()
    for trial, loss in ((4, 0.5), (1, 0.7), (3, 0.5), (2, float("inf"))):
        rung.add(RungResult(0.0, loss, trial))
    assert [rung[place].trial_id for place in range(len(rung))] == [3, 4, 1, 2]
    assert rung.place(RungResult(0.0, 0.5, 4)) == 1


def test_a_broken_constraint_is_worse_than_any_loss_and_a_little_better_than_much() -> None:
    kept, a_little, much = RungResult(0.0, 9.0, 1), RungResult(0.1, 0.0, 2), RungResult(0.5, 0.0, 3)
    assert a_little.is_worse(kept)
    assert much.is_worse(a_little)
    assert not RungResult(0.0, 9.0, 2).is_worse(kept)
