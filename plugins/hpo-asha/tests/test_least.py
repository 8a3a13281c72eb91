"""The number of jobs until a first trial is completed: as announced, and in a simulation."""

from __future__ import annotations

from typing import Any

import pytest
from hpo_asha.plugin import hpo_strategies

from hpo_core.testing import jobs_to_complete

SPECS = {spec.name: spec for spec in hpo_strategies()}


@pytest.mark.parametrize("most", [2, 9, 20, 27])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("asha", {}),
        ("asha", {"eta": 2}),
        ("asha:sha", {}),
        ("asha:sha", {"n": 30}),
        ("asha:pbt", {}),
        ("asha:pbt", {"population_size": 4, "quantile_fraction": 0.25}),
        ("asha", {"type": "stopping"}),
        ("asha:median", {}),
    ],
)
def test_first_trial_takes_the_announced_number_of_jobs(
    name: str, options: dict[str, Any], most: int
) -> None:
    announced, simulated = jobs_to_complete(SPECS[name], options, most)
    assert announced == simulated


@pytest.mark.parametrize("most", [2, 9, 20, 27])
@pytest.mark.parametrize("brackets", [1, None])
def test_hyperband_takes_at_least_the_announced_number_of_jobs(
    most: int, brackets: int | None
) -> None:
    announced, simulated = jobs_to_complete(SPECS["asha:hyperband"], {"brackets": brackets}, most)
    assert most // 3 < announced <= simulated
