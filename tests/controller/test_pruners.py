"""A strategy that stops jobs early needs iterations; one warning reports that there are none."""

import logging

import pytest

from hpo_core import Configuration, HyperParameterOptimizer, report
from hpo_core.plugin import BaseStrategy, Capability, PluginChoice, Start

PRUNED = PluginChoice("optuna:tpe", {"pruner": "median"})
SAID = "stops jobs early by their iterations, but job 1.1 reported none"


def reports_without_iterations(configuration):
    report(loss=configuration["x"])
    report(loss=configuration["x"])


def reports_at_the_end_alone(configuration):
    return configuration["x"]


def reports_iterations(configuration):
    for iteration in range(1, 10):
        report(iteration, loss=configuration["x"])


class Silent(BaseStrategy):
    """Does not say what it can do."""

    def ask(self, trial_id, /):
        return Start(Configuration(x=trial_id))


class Announced(Silent):
    """Says that it can do everything."""

    capabilities = frozenset(Capability)


def warnings_of(lab, caplog, job, strategy, **changes):
    """Run a small study in memory, and return what was logged."""
    given = None if isinstance(strategy, PluginChoice | str) else strategy
    if given is None:
        changes["strategy"] = strategy
    config = lab.config(job, budget=3, **changes)
    with (
        caplog.at_level(logging.WARNING, "hpo_core"),
        HyperParameterOptimizer(config, strategy=given, function=job) as optimizer,
    ):
        optimizer.run()
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("job", [reports_without_iterations, reports_at_the_end_alone])
def test_pruner_without_iterations_gives_one_warning_with_the_remedy(lab, caplog, job):
    (said,) = warnings_of(lab, caplog, job, PRUNED)
    assert SAID in said
    assert "the strategy 'optuna:tpe'" in said
    assert "hpo_core.report(3, loss=0.5)" in said
    assert '{"iteration": 3, "loss": 0.5}' in said


def test_jobs_that_count_are_in_order(lab, caplog):
    assert warnings_of(lab, caplog, reports_iterations, PRUNED) == []


@pytest.mark.parametrize("strategy", ["random", "optuna:tpe"])
def test_so_are_jobs_of_a_strategy_that_stops_none(lab, caplog, strategy):
    assert warnings_of(lab, caplog, reports_at_the_end_alone, strategy) == []


def test_so_are_jobs_that_end_at_the_target_that_the_strategy_gave_them(lab, caplog):
    job = reports_at_the_end_alone
    asha = PluginChoice("asha", {"eta": 2})  # three jobs are enough for it
    assert warnings_of(lab, caplog, job, asha, max_iterations=2) == []


@pytest.mark.parametrize(("strategy", "is_said"), [(Silent, False), (Announced, True)])
def test_a_strategy_that_does_not_say_what_it_can_do_is_not_suspected(
    lab, caplog, strategy, is_said
):
    said = warnings_of(lab, caplog, reports_at_the_end_alone, strategy())
    assert [SAID in one for one in said] == [True] * is_said
