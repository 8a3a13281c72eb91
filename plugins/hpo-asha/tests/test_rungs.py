"""How far trials train: the tables of the papers, and what lies between powers of eta."""

from __future__ import annotations

import pytest
from hpo_asha.rungs import Brackets, Result, Rung, hyperband_sizes, levels


@pytest.mark.parametrize(
    ("least", "most", "eta", "expected"),
    [
        (1, 81, 3, (1, 3, 9, 27, 81)),  # Li et al. 2018, table 1
        (1, 9, 3, (1, 3, 9)),
        (1, 256, 4, (1, 4, 16, 64, 256)),
        (4, 256, 4, (4, 16, 64, 256)),
        (1, 20, 3, (1, 3, 9, 20)),
        (1, 28, 3, (1, 3, 9, 27, 28)),
        (5, 6, 2, (5, 6)),
    ],
)
def test_rungs_are_eta_times_further_each_until_the_last(
    least: int, most: int, eta: int, expected: tuple[int, ...]
) -> None:
    assert levels(least, most, eta) == expected


def test_the_brackets_of_hyperband_are_those_of_its_papers_first_table() -> None:
    # Li et al. 2018, table 1: R = 81 and eta = 3
    assert hyperband_sizes(rungs=5, eta=3) == (81, 34, 15, 8, 5)


def test_brackets_take_turns_each_for_as_many_trials_as_its_size() -> None:
    brackets = Brackets([(1, 3, 9), (3, 9), (9,)], sizes=hyperband_sizes(3, 3))
    order = [brackets.of(number) for number in range(17)]
    assert order == [0] * 9 + [1] * 5 + [2] * 3
    assert [brackets.of(number) for number in range(17, 34)] == order


def test_results_are_in_order_and_equal_ones_by_trial() -> None:
    rung = Rung()
    for trial, loss in ((4, 0.5), (1, 0.7), (3, 0.5), (2, float("inf"))):
        rung.add(Result(0.0, loss, trial))
    assert [rung[place].trial_id for place in range(len(rung))] == [3, 4, 1, 2]
    assert rung.place(Result(0.0, 0.5, 4)) == 1


def test_a_broken_constraint_is_worse_than_any_loss_and_a_little_better_than_much() -> None:
    kept, a_little, much = Result(0.0, 9.0, 1), Result(0.1, 0.0, 2), Result(0.5, 0.0, 3)
    assert a_little.is_worse(kept)
    assert much.is_worse(a_little)
    assert not Result(0.0, 9.0, 2).is_worse(kept)
