"""pandas tables: a row for each trial, job or report, and columns of exact types."""

from __future__ import annotations

import csv
import io

import pytest

import hpo_core
from hpo_core import (
    Categorical,
    Constant,
    InvalidInput,
    ParameterSet,
    SearchSpace,
    optimize,
    report,
)

pytest.importorskip("pandas")


def types(frame):
    return {column: str(kind) for column, kind in frame.dtypes.items()}


def test_every_column_of_trials_has_its_type(make):
    frame = make().run().to_pandas()
    assert types(frame) == {
        "trial_id": "int64",
        "name": "string",
        "state": "string",
        "iteration": "Int64",  # none has reported one
        "seconds": "float64",
        "reason": "string",
        "value.loss": "float64",
        "metric.loss": "float64",
        "param.x": "float64",
        "param.n": "int64",
        "param.kind": "string",
    }
    assert list(frame["trial_id"]) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("table", ["trials", "jobs", "reports"])
def test_a_table_without_rows_has_the_declared_columns(make, table):
    empty, full = make().to_pandas(table), make().run().to_pandas(table)
    assert empty.empty
    assert list(empty.columns) == list(full.columns)


def test_a_constrained_metric_has_its_column_before_it_is_reported(make):
    frame = make(constraints=[hpo_core.Constraint("size", 3.0)]).to_pandas()
    assert {"value.loss", "metric.loss", "metric.size"} <= set(frame.columns)


def test_whole_numbers_are_nullable_only_where_some_are_missing(make):
    parameters = [
        Categorical("model", ("tree", "line")),
        Categorical("depth", (1, 2), when={"model": "tree"}),
        Categorical("is_fast", (True, False)),
        Categorical("mixed", (1, "a")),
        Constant("seed", 2**70),
        ParameterSet("pair", [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
    ]
    study = make(function=lambda c: 0.0, parameters=parameters, budget={"jobs": 12}).run()
    frame = study.to_pandas()
    assert types(frame) == types(frame) | {
        "param.model": "string",
        "param.depth": "Int64",
        "param.is_fast": "bool",
        "param.mixed": "object",
        "param.seed": "object",
        "param.a": "int64",
        "param.b": "string",
    }
    assert set(frame["param.depth"].dropna()) == {1, 2}
    assert list(frame["param.depth"].isna()) == list(frame["param.model"] == "line")
    assert set(frame["param.seed"]) == {2**70}


def test_jobs_have_a_row_each_with_what_they_ran(make):
    def fails_once(configuration, job):
        if job.id.endswith(".1"):
            raise ValueError("once")
        return 1.0

    frame = make(function=fails_once, retries=1, budget={"trials": 2}).run().to_pandas("jobs")
    assert list(frame["job"]) == ["1.1", "1.2", "2.1", "2.2"]
    assert list(frame["state"]) == ["failed", "completed"] * 2
    kinds = types(frame)
    assert (kinds["attempt"], kinds["target"], kinds["started"]) == ("int64", "Int64", "float64")
    assert frame["param.x"][0] == frame["param.x"][1]


def test_reports_have_a_row_each(make):
    def trains(configuration):
        report(1, loss=2.0)
        report(2, loss=1.0, accuracy=0.5)

    frame = make(function=trains, budget={"jobs": 2}).run().to_pandas("reports")
    assert list(frame["trial_id"]) == [1, 1, 2, 2]
    assert types(frame)["iteration"] == "int64"
    assert list(frame["metric.accuracy"].isna()) == [True, False, True, False]


def test_an_unknown_table_is_refused_with_those_that_there_are(make):
    with pytest.raises(InvalidInput, match="did you mean 'trials'"):
        make().to_pandas("trial")


def test_the_table_of_a_result_is_that_of_its_study(make, squares):
    study = make().run()
    result = optimize(
        squares,
        SearchSpace(study.config.space.parameters),
        objective="loss",
        direction="minimize",
        budget={"jobs": 6},
        backend="inline",
        seed=3,
        name="squares",
    )
    columns = ["name", "state", "value.loss", "param.x", "param.n", "param.kind"]
    assert result.to_pandas()[columns].equals(study.to_pandas()[columns])


MIXED = [
    Categorical("model", ("tree", "line")),
    Categorical("depth", (1, 2), when={"model": "tree"}),
    Categorical("width", (None, 1)),
    Categorical("is_fast", (True, False)),
    Categorical("mixed", (1, "a")),
    Constant("seed", 2**70),
]


def test_parquet_keeps_each_type_and_what_is_missing(make):
    parquet = pytest.importorskip("pyarrow.parquet")
    study = make(function=lambda c: 0.0, parameters=MIXED, budget={"jobs": 12}).run()
    table = study.table()
    stored = parquet.read_table(io.BytesIO(table.to_parquet()))
    kinds = {field.name: str(field.type) for field in stored.schema}
    assert kinds == kinds | {
        "trial_id": "int64",
        "iteration": "int64",
        "seconds": "double",
        "value.loss": "double",
        "param.model": "string",
        "param.depth": "int64",
        "param.width": "int64",
        "param.is_fast": "bool",
        "param.mixed": "string",  # JSON
        "param.seed": "string",  # likewise
    }
    rows = table.rows()
    for name in ("trial_id", "iteration", "param.depth", "param.width", "param.is_fast"):
        assert stored[name].to_pylist() == [row[name] for row in rows]
    assert {None, 1, 2} == set(stored["param.depth"].to_pylist())
    assert set(stored["param.mixed"].to_pylist()) == {"1", '"a"'}
    assert set(stored["param.seed"].to_pylist()) == {str(2**70)}


@pytest.mark.parametrize("table", ["trials", "jobs", "reports"])
def test_every_format_has_the_same_columns_and_rows(make, table):
    parquet = pytest.importorskip("pyarrow.parquet")
    found = make(constraints=["size"]).run().table(table)
    names = [column.name for column in found.columns]
    assert list(found.to_pandas().columns) == names
    assert parquet.read_table(io.BytesIO(found.to_parquet())).column_names == names
    header, *rows = csv.reader(io.StringIO(found.to_csv()))
    assert header == names
    assert len(rows) == len(found) == len(found.rows()) > 0
    place = names.index("trial_id")
    assert [int(row[place]) for row in rows] == [row["trial_id"] for row in found.rows()]
