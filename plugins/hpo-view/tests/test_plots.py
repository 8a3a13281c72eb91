"""The data of each plot of studies that have run, not its layout."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
import sample_studies as studies
from hpo_view.hypervolume import Hypervolume
from sample_studies import traces

import hpo_core as hpo
from hpo_core import InvalidInput, TrialState

pytestmark = pytest.mark.xdist_group("view")  # its tests share what a fixture has made

PLOTS = (
    "budget", "contour", "edf", "failures", "hypervolume_history", "intermediate_values",
    "optimization_history", "parallel_coordinate", "param_importances", "pareto_front", "rank",
    "rungs", "slice", "timeline",
)  # fmt: skip


def caption(figure: object) -> str:
    return figure.layout.meta["caption"]  # type: ignore[attr-defined, no-any-return]


def test_every_plot_is_reached_from_a_study() -> None:
    assert set(PLOTS) <= set(dir(studies.plain().plot))


@pytest.mark.parametrize("make", studies.ODD, ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", PLOTS)
def test_every_plot_draws_every_study_or_says_why_not(
    name: str, make: Callable[[], hpo.Study]
) -> None:
    figure = getattr(make().plot, name)()
    assert caption(figure)
    assert figure.data or figure.layout.annotations[0].text
    written = figure.to_json()
    for forbidden in ("<script", "\\u003cscript", "\\u001b", "\\u202e", "\u202e"):
        assert forbidden not in written


# -- the objective ---------------------------------------------------------------------------


def test_the_history_has_each_completed_trial_and_the_incumbents_line() -> None:
    study = studies.plain()
    figure = study.plot.optimization_history()
    (completed,) = traces(figure, "completed")
    (line,) = traces(figure, "incumbent")
    done = [trial for trial in study.trials if trial.state is TrialState.COMPLETED]
    assert list(completed.x) == [trial.trial_id for trial in done]
    assert list(completed.y) == [trial.value for trial in done]
    assert line.y[-1] == study.best.value
    assert list(line.y) == sorted(line.y, reverse=True)
    assert f"{study.best.value:.6g} (trial {study.best.trial_id})" in caption(figure)


def test_a_trial_that_breaks_a_constraint_is_drawn_and_never_the_incumbent() -> None:
    study = studies.constrained()
    figure = study.plot.optimization_history()
    (infeasible,) = traces(figure, "infeasible")
    (line,) = traces(figure, "incumbent")
    broken = {trial.trial_id for trial in study.trials if not trial.is_feasible}
    assert set(infeasible.x) == {t for t in broken if study.trials[t - 1].values}
    assert not broken & {int(x) for x in line.x}
    assert line.y[-1] == study.best.value
    assert list(line.y) == sorted(line.y)


def test_several_objectives_have_a_panel_each() -> None:
    figure = studies.several().plot.optimization_history()
    assert figure.layout.yaxis.title.text == "loss (lower is better)"
    assert figure.layout.yaxis2.title.text == "size (higher is better)"


def test_studies_are_compared_in_one_figure() -> None:
    figure = studies.plain().plot.edf(studies.rungs())
    assert [trace.name for trace in figure.data] == ["plain", "rungs"]
    assert all(trace.y[-1] == 1.0 for trace in figure.data)


def test_an_objective_or_parameter_that_does_not_exist_is_named_with_those_that_do() -> None:
    plot = studies.several().plot
    with pytest.raises(InvalidInput, match="no objective 'los'; did you mean 'loss'"):
        plot.slice(objective="los")
    with pytest.raises(InvalidInput, match=r"params\[1\].*no parameter 'lrate'"):
        plot.contour(params=["lr", "lrate"])


# -- parameters ------------------------------------------------------------------------------


def test_a_slice_has_the_trials_in_which_the_parameter_is_active() -> None:
    study = studies.plain()
    figure = study.plot.slice(params=["depth"])
    done = [t for t in study.trials if t.state is TrialState.COMPLETED]
    active = [t for t in done if "depth" in t.configuration]
    (drawn,) = (trace for trace in figure.data if trace.x[0] is not None)
    assert 0 < len(active) < len(done)
    assert list(drawn.marker.color) == [t.trial_id for t in active]
    assert list(drawn.x) == [t.configuration["depth"] for t in active]
    assert "only trials in which it is active" in caption(figure)


def test_a_log_parameter_has_a_log_axis_and_a_choice_its_names_in_their_order() -> None:
    figure = studies.plain().plot.slice(params=["lr", "kind"])
    assert figure.layout.xaxis.type == "log"
    assert list(figure.layout.xaxis2.categoryarray) == ["plain", "deep"]


def test_parallel_coordinates_place_an_inactive_parameter_apart() -> None:
    study = studies.plain()
    (trace,) = study.plot.parallel_coordinate().data
    depth = next(each for each in trace.dimensions if each.label == "depth")
    assert depth.ticktext[0] == "inactive"
    done = [t for t in study.trials if t.state is TrialState.COMPLETED]
    inactive = [t for t in done if "depth" not in t.configuration]
    assert list(depth.values).count(depth.tickvals[0]) == len(inactive)
    assert [each.label for each in trace.dimensions] == ["loss", "lr", "hidden", "kind", "depth"]


def test_choices_that_look_alike_are_told_apart() -> None:
    figure = studies.hostile().plot.slice(params=["kind"])
    assert {'"1"', "1"} <= set(figure.layout.xaxis.categoryarray)


def test_importances_find_the_parameter_that_matters_and_name_the_method() -> None:
    figure = studies.plain().plot.param_importances()
    (bars,) = figure.data
    assert bars.y[-1] == "lr"
    assert sum(bars.x) == pytest.approx(1.0)
    assert "version" not in bars.y
    assert "PED-ANOVA by Optuna" in caption(figure)


def test_pairs_are_drawn_of_trials_in_which_both_are_active() -> None:
    study = studies.plain()
    figure = study.plot.rank(params=["lr", "depth"])
    (drawn,) = figure.data
    active = [t for t in study.trials if "depth" in t.configuration and t.values]
    assert [int(each[0]) for each in drawn.customdata] == [t.trial_id for t in active]


# -- several objectives ----------------------------------------------------------------------


def test_the_front_is_that_of_the_study() -> None:
    study = studies.several()
    figure = study.plot.pareto_front()
    (front,) = traces(figure, "Pareto front")
    assert list(front.customdata) == [trial.trial_id for trial in study.pareto_front]


def test_the_hypervolume_grows_to_that_of_the_front() -> None:
    figure = studies.several().plot.hypervolume_history()
    (line,) = figure.data
    assert list(line.y) == sorted(line.y)
    assert line.y[-1] > 0


def test_a_hypervolume_is_that_of_the_union_of_boxes() -> None:
    two = Hypervolume((3.0, 3.0))
    assert [two.add(point) for point in ((1, 2), (2, 1), (2, 2), (1, 1), (4, 0))] == [
        2.0, 3.0, 3.0, 4.0, 4.0,
    ]  # fmt: skip
    three = Hypervolume((2.0, 2.0, 2.0))
    assert three.add((1, 0, 0)) == 4
    assert three.add((0, 1, 0)) == 6
    assert three.add((0, 0, 1)) == 7
    assert three.add((0, 0, 0)) == 8


# -- what ran --------------------------------------------------------------------------------


def test_curves_end_where_their_trials_did_and_have_gaps_at_nan() -> None:
    study = studies.rungs()
    figure = study.plot.intermediate_values()
    ends = [trace for trace in figure.data if trace.mode == "markers"]
    paused = [t.trial_id for t in study.trials if t.state is TrialState.PAUSED]
    assert sorted(next(e for e in ends if e.name == "paused").customdata) == paused
    assert {shape.x0 for shape in figure.layout.shapes} == {1, 3, 9}
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert all(y is None or y == y for trace in lines for y in trace.y)


def test_rungs_count_the_trials_that_reached_them() -> None:
    study = studies.rungs()
    figure = study.plot.rungs()
    bars = [trace for trace in figure.data if trace.type == "bar"]
    counts = [sum(bar.y[place] for bar in bars) for place in range(3)]
    assert counts == [
        sum(t.iteration is not None and t.iteration >= rung for t in study.trials)
        for rung in (1, 3, 9)
    ]
    assert len(bars) > 1  # brackets


def test_the_timeline_and_the_budget_count_every_job() -> None:
    study = studies.rungs()
    figure = study.plot.timeline()
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert sum(len(bar.x) for bar in bars) == len(study.jobs)
    used = study.plot.budget()
    (line,) = used.data
    assert (line.name, line.y[-1]) == ("trials", 1.0)


def test_failures_that_differ_in_numbers_alone_are_one_cause() -> None:
    study = studies.plain()
    (bar,) = study.plot.failures().data
    failed = [trial for trial in study.trials if trial.state is TrialState.FAILED]
    assert len(failed) > 1
    assert list(bar.x) == [len(failed)]


def test_what_is_imported_for_a_plot_is_not_imported_before() -> None:
    code = (
        "import sys, hpo_core; s = hpo_core.Study(command=['true', '{x}'], parameters="
        "[hpo_core.Float('x', 0, 1)], objective='y', direction='minimize'); dir(s.plot);"
        "print({'plotly', 'optuna', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
