"""Faults of earlier controllers of this kind: each must be impossible here, and has tests.

`FAULTS` lists all of them, with the tests that name them; the tests below cover the faults of the
controller, through the public interface.
"""

from __future__ import annotations

import ast
import random
import sqlite3
import threading
from pathlib import Path

import pytest

import hpo_core
from hpo_core import (
    Budget,
    Categorical,
    Configuration,
    Float,
    HyperParameterOptimizer,
    Int,
    InvalidInput,
    Objective,
    SearchSpace,
    StudyConfig,
    TrialState,
    optimize,
)
from hpo_core.errors import StrategyError, StudyFailed
from hpo_core.plugin import BaseStrategy, JobSettings, PluginChoice, Start

HERE = Path(__file__).parent

FAULTS = {
    "10 jobs allowed, 4 workers: 12 ran, since the limit was checked once a round": [
        "tests/test_faults_of_earlier_controllers.py::"
        "test_ten_jobs_on_four_workers_are_ten__not_twelve",
        "tests/controller/test_budgets.py::"
        "test_a_budget_of_ten_jobs_runs_ten_jobs_whatever_the_workers",
    ],
    "the time limit lived in the reporting thread: a reporting error disabled it": [
        "tests/controller/test_control.py::test_the_time_limit_does_not_depend_on_observers_or_reports",
        "tests/test_faults_of_earlier_controllers.py::"
        "test_the_time_limit_holds_though_reporting_breaks",
    ],
    "a ratio was compared with a limit in minutes: 600 minutes stopped at 600 times it": [
        "tests/model/test_budget.py::test_fault_a_ratio_was_compared_with_a_limit_in_minutes",
        "tests/test_faults_of_earlier_controllers.py::"
        "test_a_limit_of_time_is_in_seconds_and_so_is_its_use",
    ],
    "the iteration budget was shown and never enforced; bad types were swallowed": [
        "tests/controller/test_budgets.py::test_two_workers_that_report_all_at_once_do_not_exceed_it",
        "tests/model/test_budget.py::test_fault_bad_types_in_a_budget_were_swallowed",
        "tests/test_faults_of_earlier_controllers.py::"
        "test_a_budget_of_iterations_is_kept_and_bad_types_are_errors",
    ],
    "a crashed strategy left is_running true for ever, and wait() returned at once": [
        "tests/controller/test_broken_strategies.py::"
        "test_a_strategy_that_raises_ends_the_study_with_the_cause",
        "tests/test_faults_of_earlier_controllers.py::test_crashed_strategy_ends_the_study",
    ],
    "stop() aborted a snapshot of the jobs while new ones were being launched: orphans": [
        "tests/controller/test_control.py::"
        "test_stop_at_any_moment_leaves_no_process_while_jobs_are_launched_all_the_time",
    ],
    'a typing error in the direction ("minimize" for min) silently maximised': [
        "tests/model/test_objective.py::"
        "test_fault_a_typing_error_in_the_direction_silently_maximised",
    ],
    "any exception on reading a metric became no metric: a failure looked like a silent job": [
        "tests/backends/local/test_commands.py::test_a_malformed_line_ends_the_job_as_failed",
        "tests/test_faults_of_earlier_controllers.py::"
        "test_unreadable_report_does_not_make_a_job_silent",
    ],
    "a dominated point ranked first in the Pareto front": [
        "tests/model/test_objective.py::"
        "test_fault_a_dominated_point_ranked_first_in_the_pareto_front",
        "tests/test_faults_of_earlier_controllers.py::test_no_dominated_trial_is_on_the_front",
    ],
    'the callback "job completed" fired on running jobs, once, with a partial value': [
        "tests/controller/test_jobs.py::"
        "test_a_callback_fires_once_for_each_finished_job_with_its_final_value",
        "tests/test_faults_of_earlier_controllers.py::"
        "test_the_callback_never_fires_on_a_running_job_with_a_partial_value",
    ],
    "the grid of 0..0.3 by 0.1 lost 0.2; 0..10 by 3 sampled 12; no maximum was reached": [
        "tests/model/test_ranges.py::test_fault_the_grid_of_0_to_0_3_by_0_1_lost_0_2",
        "tests/model/test_ranges.py::test_fault_integers_0_to_10_by_3_sampled_12",
        "tests/model/test_ranges.py::test_fault_a_stepped_float_never_reached_its_maximum",
        "plugins/hpo-grid-search/tests/test_grid_search.py::"
        "test_the_grid_of_0_to_0_3_by_0_1_keeps_0_2",
    ],
    "random search over 100 points missed some in 89 % of runs: it gave up after 42 repeats": [
        "plugins/hpo-random-search/tests/test_random_search.py::"
        "test_it_misses_none_of_100_points_where_others_gave_up_after_42_repeats",
        "tests/test_faults_of_earlier_controllers.py::"
        "test_random_search_visits_all_of_100_points_each_once",
    ],
    "a process-wide seed: a restart repeated the samples, two searches shared a stream": [
        "plugins/hpo-random-search/tests/test_random_search.py::"
        "test_the_seed_decides_and_a_global_one_does_not",
        "tests/test_faults_of_earlier_controllers.py::"
        "test_searches_in_one_process_share_no_stream_and_leave_the_global_one_alone",
    ],
    "strategies resolved by class names: a user's RandomSearch was silently replaced": [
        "tests/registry/test_resolution.py::test_a_class_of_the_same_name_as_a_built_in_one_is_not_replaced",
        "tests/test_faults_of_earlier_controllers.py::"
        "test_a_users_class_named_random_search_is_the_one_that_is_asked",
    ],
    "a restart lost the grid's place, the seen set, the study and the budgets": [
        "plugins/hpo-grid-search/tests/test_grid_search.py::"
        "test_a_restart_keeps_the_grids_place_and_what_was_adopted",
        "tests/controller/test_recovery.py::test_stopped_study_is_resumed_exactly",
        "tests/controller/test_budgets.py::test_counts_are_kept_across_resumes",
        "tests/controller/test_budgets.py::test_time_is_kept_across_resumes",
    ],
    "misspelt options were swallowed by **_": [
        "tests/model/test_budget.py::test_fault_misspelt_options_were_swallowed",
        "tests/test_faults_of_earlier_controllers.py::"
        "test_a_misspelt_option_is_an_error_that_names_the_nearest",
    ],
    "a log-uniform parameter reached the strategy as its raw exponents": [
        "plugins/hpo-random-search/tests/test_random_search.py::"
        "test_a_log_float_is_uniform_on_its_log_scale",
        "tests/test_faults_of_earlier_controllers.py::"
        "test_a_log_parameter_is_its_value_and_never_its_exponent",
    ],
    "a sampler stopped at 15 of 30 and made again repeated all 15; a resumed run diverged": [
        "plugins/hpo-random-search/tests/test_random_search.py::"
        "test_a_restart_at_15_of_30_does_not_repeat_the_first_15",
        "tests/controller/test_recovery.py::test_stopped_study_is_resumed_exactly",
    ],
    "trials left RUNNING for ever after a crash; a false heartbeat kills a live process": [
        "tests/controller/test_recovery.py::"
        "test_killed_at_any_point_no_finished_job_is_lost_and_none_runs_twice",
        "tests/controller/test_recovery.py::"
        "test_one_in_another_process_is_refused_and_comes_on_after_a_kill",
        "tests/controller/test_budgets.py::"
        "test_a_retry_for_which_no_job_is_left_leaves_its_trial_failed_not_running",
    ],
    "one look-up imported every plugin, a broken one broke all, state was a pickle": [
        "tests/registry/test_resolution.py::test_looking_one_plugin_up_imports_no_other",
        "tests/registry/test_broken_plugins.py::"
        "test_a_broken_plugin_is_an_error_with_its_reason_for_who_uses_it_alone",
        "tests/registry/test_broken_plugins.py::test_two_distributions_with_one_name_are_an_error_that_shows_both",
        "tests/test_faults_of_earlier_controllers.py::test_a_store_holds_text_and_numbers_alone",
    ],
    "a core and its plugins drifted apart for years": [
        "tests/test_layers.py::"
        "test_plugins_import_only_public_names_of_hpo_core_and_never_each_other",
        "tests/test_packages.py::test_wheels_of_the_core_and_one_plugin_run_a_study",
        "tests/controller/test_recovery.py::test_a_strategy_of_another_version_is_remarked",
    ],
}
"""For each fault the tests that would find it, as pytest names them."""


def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_tests(fault):
    assert FAULTS[fault]
    for place in FAULTS[fault]:
        path, name = place.split("::")
        assert name in names_in(HERE.parent / path), place


# -- the controller's own -------------------------------------------------------------------

MINIMIZE = Objective("loss", "minimize")
SHELL_JOB = 'echo "{\\"loss\\": $1}" > /dev/fd/$HPO_REPORT_FD'


def run(function, parameters=None, **changes):
    """Run a study of an integer x, by default in this process and in memory."""
    settings = {"objective": MINIMIZE, "backend": "inline", "seed": 7, **changes}
    return optimize(function, parameters or [Int("x", 1, 1000)], **settings)


def loss_is_x(configuration):
    return configuration["x"]


def study(folder, script, *, observers=(), strategy=None, **changes):
    """Return the controller of a study of shell scripts that get x as their argument."""
    (folder / "job.sh").write_text(script)
    settings = {
        "name": "s",
        "seed": 7,
        "strategy": PluginChoice("random"),
        "objectives": (MINIMIZE,),
        "space": SearchSpace((Int("x", 1, 1000),)),
        "job": JobSettings(command=("/bin/sh", "job.sh", "{x}"), directory=str(folder), grace=0.0),
        **changes,
    }
    return HyperParameterOptimizer(
        StudyConfig(**settings), store=folder / "hpo.db", strategy=strategy, observers=observers
    )


def test_ten_jobs_on_four_workers_are_ten__not_twelve(tmp_path):
    with study(tmp_path, SHELL_JOB, workers=4, budget=Budget(jobs=10)) as optimizer:
        result = optimizer.run()
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETED] * 10
    connection = sqlite3.connect(tmp_path / "hpo.db")
    assert connection.execute("SELECT count(*) FROM job").fetchone() == (10,)
    connection.close()


def test_the_time_limit_holds_though_reporting_breaks(tmp_path):
    class Breaks:
        def observe(self, event, /):
            raise RuntimeError("reporting broke")

    budget = Budget(wall_time=0.2)
    with study(tmp_path, "exec sleep 60", observers=[Breaks()], budget=budget) as optimizer:
        result = optimizer.run()
    assert result.reason == "its wall time of 0.2s has passed"


def test_a_limit_of_time_is_in_seconds_and_so_is_its_use(tmp_path):
    with study(tmp_path, "exec sleep 60", budget=Budget(compute_time=0.3)) as optimizer:
        usage = optimizer.run().usage
    assert 0.3 <= usage.compute_time < 5


def test_a_budget_of_iterations_is_kept_and_bad_types_are_errors():
    def job(configuration):
        for iteration in range(1, 8):
            hpo_core.report(iteration, loss=1.0)

    assert run(job, budget=Budget(iterations=20)).usage.iterations == 20
    for limit in ("20", 20.0, True):
        with pytest.raises(InvalidInput, match="iterations"):
            Budget(iterations=limit)


def test_crashed_strategy_ends_the_study(tmp_path):
    class Crashes(BaseStrategy):
        def ask(self, trial_id, /):
            if trial_id == 3:
                raise ZeroDivisionError("by zero")
            return Start(Configuration(x=trial_id))

    with study(tmp_path, "exec sleep 60", strategy=Crashes(), workers=4) as optimizer:
        optimizer.start()
        assert optimizer.wait(30)
        assert not optimizer.is_running
        assert isinstance(optimizer.error, StrategyError)
        assert isinstance(optimizer.error.__cause__, ZeroDivisionError)


def test_unreadable_report_does_not_make_a_job_silent(tmp_path):
    script = 'echo "loss: 1" > /dev/fd/$HPO_REPORT_FD'
    with study(tmp_path, script, budget=Budget(jobs=1)) as optimizer:
        (trial,) = optimizer.run().trials
    assert trial.state is TrialState.FAILED
    assert "malformed report line 'loss: 1'" in trial.reason
    assert "never reported" not in trial.reason


def test_no_dominated_trial_is_on_the_front():
    def two(configuration):
        return {"a": configuration["x"], "b": -configuration["x"] % 5}

    objectives = (Objective("a", "minimize"), Objective("b", "minimize"))
    result = run(two, [Int("x", 1, 20)], objective=objectives, strategy="grid")
    front = [(trial.values["a"], trial.values["b"]) for trial in result.pareto_front]
    assert front == [(1, 4), (2, 3), (3, 2), (4, 1), (5, 0)]
    assert [(t.values["a"], t.values["b"]) for t in result.top(5)] == front


def test_the_callback_never_fires_on_a_running_job_with_a_partial_value():
    fired = []

    def job(configuration):
        for iteration in (1, 2, 3):
            hpo_core.report(iteration, loss=10 - iteration)
            assert len(fired) == configuration["x"] - 1

    run(job, [Int("x", 1, 3)], strategy="grid", on_job_finished=fired.append)
    assert [(job.job.id, job.values["loss"], job.iteration) for job in fired] == [
        ("1.1", 7, 3),
        ("2.1", 7, 3),
        ("3.1", 7, 3),
    ]


def test_random_search_visits_all_of_100_points_each_once():
    result = run(loss_is_x, [Int("x", 1, 100)])
    assert sorted(trial.configuration["x"] for trial in result.trials) == list(range(1, 101))


def test_searches_in_one_process_share_no_stream_and_leave_the_global_one_alone():
    parameters = [Float("x", 0.0, 1.0)]

    def search(seed):
        result = run(loss_is_x, parameters, seed=seed, budget=Budget(jobs=5))
        return [trial.configuration["x"] for trial in result.trials]

    alone = {seed: search(seed) for seed in (1, 2)}
    assert alone[1] != alone[2]
    random.seed(1337)
    before = random.getstate()
    side_by_side = {}
    threads = [
        threading.Thread(target=lambda seed=seed: side_by_side.update({seed: search(seed)}))
        for seed in (1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert side_by_side == alone
    assert random.getstate() == before


def test_a_users_class_named_random_search_is_the_one_that_is_asked():
    class RandomSearch(BaseStrategy):
        def ask(self, trial_id, /):
            return Start(Configuration(x=100 + trial_id))

    result = run(loss_is_x, strategy=RandomSearch(), budget=Budget(jobs=3))
    assert [trial.configuration["x"] for trial in result.trials] == [101, 102, 103]


def test_a_misspelt_option_is_an_error_that_names_the_nearest():
    with pytest.raises(InvalidInput, match=r"^options.point: .*did you mean 'points'"):
        run(loss_is_x, strategy="grid", options={"point": 3})
    with pytest.raises(InvalidInput, match="seeds"):
        run(loss_is_x, strategy="random", options={"seeds": 3})


def test_a_log_parameter_is_its_value_and_never_its_exponent():
    seen = []

    class Looks(BaseStrategy):
        def ask(self, trial_id, /):
            return Start(Configuration(lr=10.0**-trial_id))

        def adopt(self, trial_id, suggestion, /):
            seen.append(suggestion.configuration["lr"])

    axis = Float("lr", 1e-4, 1e-1, log=True)
    result = run(
        lambda configuration: configuration["lr"],
        [axis],
        strategy=Looks(),
        enqueue=[{"lr": 0.05}],
        budget=Budget(jobs=4),
    )
    assert seen == [0.05]
    assert [trial.value for trial in result.trials] == [0.05, 1e-2, 1e-3, 1e-4]
    drawn = run(lambda c: c["lr"], [axis], budget=Budget(jobs=200)).trials
    assert all(1e-4 <= trial.value <= 1e-1 for trial in drawn)
    assert 70 < sum(trial.value < 10**-2.5 for trial in drawn) < 130, "half of it by decades"


def test_a_store_holds_text_and_numbers_alone(tmp_path):
    class Remembers(BaseStrategy):
        def ask(self, trial_id, /):
            return Start(Configuration(x=trial_id, k="a"), notes={"rung": 1})

        def save_state(self):
            return {"draws": [1, 2, 3]}

    run(
        loss_is_x,
        [Int("x", 1, 9), Categorical("k", ("a", None))],
        strategy=Remembers(),
        budget=Budget(jobs=4),
        store=tmp_path / "hpo.db",
    )
    connection = sqlite3.connect(tmp_path / "hpo.db")
    tables = [name for (name,) in connection.execute("SELECT name FROM pragma_table_list")]
    kinds = set()
    for table in tables:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        for column in columns:
            rows = connection.execute(f"SELECT DISTINCT typeof({column}) FROM {table}")
            kinds |= {kind for (kind,) in rows}
    state = connection.execute("SELECT strategy_state FROM progress").fetchone()
    connection.close()
    assert kinds == {"text", "integer", "real", "null"}
    assert state == ('{"draws":[1,2,3]}',)


def test_a_failed_study_is_an_exception_and_no_empty_result():
    class Crashes(BaseStrategy):
        def ask(self, trial_id, /):
            raise ZeroDivisionError("by zero")

    with pytest.raises(StudyFailed, match="by zero"):
        run(loss_is_x, strategy=Crashes())
