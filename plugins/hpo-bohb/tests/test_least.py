"""The number of jobs until a first trial is completed: as announced, and in a simulation."""

from __future__ import annotations

import pytest
from hpo_bohb.plugin import hpo_strategies

from hpo_core.testing import jobs_to_complete

SPECS = {spec.name: spec for spec in hpo_strategies()}


@pytest.mark.parametrize("most", [1, 2, 9, 20, 27, 81])
@pytest.mark.parametrize("eta", [2, 3, 4])
@pytest.mark.parametrize("name", ["bohb", "bohb:hyperband", "bohb:random"])
def test_first_trial_takes_the_announced_number_of_jobs(name: str, eta: int, most: int) -> None:
    announced, simulated = jobs_to_complete(SPECS[name], {"eta": eta}, most)
    assert announced == simulated
