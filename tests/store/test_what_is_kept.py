"""A run's store records what happened: suggestions, reports and jobs, value by value."""

import math
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hpo_core.plugin
from hpo_core import (
    Budget,
    Categorical,
    Configuration,
    HyperParameterOptimizer,
    Int,
    Objective,
    SearchSpace,
    StudyConfig,
    StudyState,
)
from hpo_core.model.values import same_values
from hpo_core.plugin import (
    Asked,
    BaseStrategy,
    Decision,
    JobSettings,
    PluginChoice,
    Resume,
    Start,
    Status,
    Told,
)
from hpo_core.store.store import Store

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8),
)
JSONS = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
METRICS = st.dictionaries(
    st.text(max_size=6).filter(lambda name: name != "iteration"), st.floats(), max_size=3
)
REPORTS = st.lists(st.tuples(st.none() | st.integers(0, 50), METRICS), max_size=4)
DECISIONS = st.sampled_from(list(Decision))


class Recorder(BaseStrategy):
    """Suggests what it was given, and writes down all that it answers and hears."""

    def __init__(self, starts, decisions=()):
        self._starts = list(starts)
        self._decisions = list(decisions)
        self.history = []

    def ask(self, trial_id, /):
        if not self._starts:
            return hpo_core.plugin.Exhausted()
        suggestion = self._starts.pop(0)
        self.history.append(Asked(trial_id, suggestion))
        return suggestion

    def adopt(self, trial_id, suggestion, /):
        self.history.append(Asked(trial_id, suggestion, adopted=True))

    def tell(self, report, /):
        decision = self._decisions.pop(0) if self._decisions else Decision.CONTINUE
        self.history.append(Told(report, decision))
        return decision

    def save_state(self):
        return {"seen": len(self.history)}


def config(name="s", space=None, **changes):
    return StudyConfig(
        name=name,
        seed=7,
        strategy=changes.pop("strategy", PluginChoice("random")),
        backend=PluginChoice("inline"),
        objectives=(Objective("loss", "minimize"),),
        job=JobSettings(function="here:job", **changes.pop("job", {})),
        space=space or SearchSpace((Int("x", 1, 1000),)),
        **changes,
    )


def stored_history(path, name="s"):
    with Store(path, create=False) as store:
        study = store.study(name)
        return list(store.history(study.id)), store.saved_state(study.id)


def same(one, other):
    """Compare reports by value and type; NaN equals NaN."""
    if type(one) is not type(other):
        return False
    match one:
        case float():
            return one == other or (math.isnan(one) and math.isnan(other))
        case Asked() | Told() | Start() | Resume() | hpo_core.plugin.Report():
            return all(same(getattr(one, f), getattr(other, f)) for f in one.__struct_fields__)
        case Configuration():
            return same_values(one, other)
        case dict():
            return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
        case list() | tuple():
            return len(one) == len(other) and all(map(same, one, other))
        case _:
            return one == other


@settings(max_examples=40)
@given(
    values=st.lists(VALUES, min_size=1, max_size=4, unique_by=lambda v: (type(v), v)),
    notes=JSONS,
    reports=REPORTS,
    decisions=st.lists(DECISIONS, max_size=12),
    target=st.none() | st.integers(1, 60),
)
def test_the_history_is_what_was_asked_and_told(
    tmp_path_factory, values, notes, reports, decisions, target
):
    path = tmp_path_factory.mktemp("store") / "hpo.db"
    starts = [Start(Configuration(v=value), iterations=target, notes=notes) for value in values]

    def job(configuration):
        for iteration, metrics in reports:
            hpo_core.report(iteration, **metrics)
        return {"loss": 1.5}

    strategy = Recorder(starts, decisions)
    space = SearchSpace((Categorical("v", tuple(values)),))
    with HyperParameterOptimizer(
        config(space=space), store=path, strategy=strategy, function=job
    ) as study:
        study.run()
    stored, saved = stored_history(path)
    assert same(stored, strategy.history)
    asked = [index for index, event in enumerate(stored) if isinstance(event, Asked)]
    assert saved == ({"seen": asked[-1] + 1}, asked[-1] + 1) or saved[1] == saved[0]["seen"]


def test_enqueued_points_and_resumed_trials_are_in_the_history_in_their_order(tmp_path):
    path = tmp_path / "hpo.db"
    starts = [
        Start(Configuration(x=1), iterations=1),
        Resume(1, iterations=3, notes={"rung": 1}),
        Start(Configuration(x=2), iterations=1),
        Resume(2, iterations=9, configuration=Configuration(x=7), checkpoint_from=1),
        Resume(2, iterations=12),
    ]

    def job(configuration, job):
        hpo_core.report(job.iterations, loss=configuration["x"])

    strategy = Recorder(starts)
    with HyperParameterOptimizer(
        config(enqueue=({"x": 500},)), store=path, strategy=strategy, function=job
    ) as study:
        # trial 1 is the enqueued one: the first Start is trial 2
        strategy._starts[1] = Resume(2, iterations=3, notes={"rung": 1})
        result = study.run()
    stored, _ = stored_history(path)
    assert same(stored, strategy.history)
    assert [type(e.suggestion).__name__ for e in stored if isinstance(e, Asked)] == [
        "Start", "Start", "Resume", "Start", "Resume", "Resume",
    ]  # fmt: skip
    assert [event.adopted for event in stored if isinstance(event, Asked)] == [True] + [False] * 5
    changed = result.trials[1]
    assert (changed.trial_id, changed.configuration) == (2, {"x": 7})
    first = next(e for e in stored if isinstance(e, Asked) and e.trial_id == 2)
    assert first.suggestion.configuration == {"x": 1}, "as it was suggested, before it was changed"


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_a_history_is_read_in_pieces_and_is_a_sequence_like_any_other(tmp_path, monkeypatch, piece):
    monkeypatch.setattr("hpo_core.store.history._PIECE", piece)
    path = tmp_path / "hpo.db"

    def job(configuration, job):
        hpo_core.report(job.iterations, loss=configuration["x"])

    strategy = Recorder(
        suggestion
        for x in range(1, 10)
        for suggestion in (Start(Configuration(x=x), iterations=1), Resume(x, iterations=2))
    )
    with HyperParameterOptimizer(config(), store=path, strategy=strategy, function=job) as study:
        study.run()
    told = strategy.history
    with Store(path) as store:
        history = store.history(store.study("s").id)
        assert len(history) == len(told) == 54
        assert list(history) == told
        assert [history[place] for place in range(-54, 54)] == told + told
        for cut in (0, 1, 7, 20, 54):
            assert list(history[:cut]) == told[:cut]
            assert list(history[cut:]) == told[cut:]
        assert list(history[5:40][3:-2]) == told[5:40][3:-2]
        assert list(history[::-1]) == told[::-1]
        assert not history[54:]
        with pytest.raises(IndexError):
            history[54]


def test_a_history_ends_where_it_ended_when_it_was_asked_for(tmp_path):
    path = tmp_path / "hpo.db"
    with HyperParameterOptimizer(
        config(), store=path, strategy=Recorder([Start(Configuration(x=1))] * 3), function=bool
    ) as study:
        history = study._store.history(1)
        study.run()
        assert list(history) == []
        assert len(study._store.history(1)) > 0


def test_each_state_of_a_job_comes_back_with_its_reason_and_times(tmp_path):
    path = tmp_path / "hpo.db"

    def job(configuration):
        if configuration["x"] == 2:
            raise RuntimeError("no luck")
        hpo_core.report(3, loss=1.0, other=math.nan)

    strategy = Recorder(Start(Configuration(x=x)) for x in (1, 2))
    with HyperParameterOptimizer(config(), store=path, strategy=strategy, function=job) as study:
        study.run()
    with Store(path) as store:
        record = store.study("s")
        good, bad = store.jobs(record.id)
        totals = store.totals(record.id)
    assert (good.id, good.state.value, good.iteration, good.iterations) == (
        "1.1",
        "completed",
        3,
        3,
    )
    assert good.metrics["loss"] == 1.0
    assert math.isnan(good.metrics["other"])
    assert good.reason == "other was nan at iteration 3"
    assert good.queued <= good.started <= good.ended
    assert (bad.state.value, bad.reason.split("\n")[0]) == ("failed", "RuntimeError: no luck")
    assert (totals.trials, totals.completed, totals.failed, totals.jobs) == (2, 1, 1, 2)
    assert totals.compute_time == good.seconds + bad.seconds


def loss_is_x(configuration):
    return configuration["x"]


def test_several_studies_live_in_one_file_and_know_nothing_of_each_other(tmp_path):
    path = tmp_path / "hpo.db"
    for name, jobs in (("one", 3), ("two", 5)):
        with HyperParameterOptimizer(
            config(name, budget=Budget(jobs=jobs)), store=path, function=loss_is_x
        ) as study:
            study.run()
    with Store(path) as store:
        counts = {study.name: len(store.trials(study.id)) for study in store.studies()}
        assert counts == {"one": 3, "two": 5}
        ids = {name: [t.id for t in store.trials(store.study(name).id)] for name in counts}
    assert ids == {"one": [1, 2, 3], "two": [1, 2, 3, 4, 5]}


RUNS = """
import sys
sys.path[:0] = [sys.argv[1]]
import study_in_one_file
study_in_one_file.run(*sys.argv[2:])
"""

MODULE = """
from hpo_core import *
from hpo_core.plugin import JobSettings, PluginChoice

def run(path, name):
    config = StudyConfig(
        name=name, seed=7, strategy=PluginChoice("random"), backend=PluginChoice("inline"),
        objectives=(Objective("loss", "minimize"),), budget=Budget(jobs=150),
        job=JobSettings(function="study_in_one_file:loss"),
        space=SearchSpace((Int("x", 1, 1000),)),
    )
    with HyperParameterOptimizer(config, store=path, function=loss) as study:
        assert len(study.run().trials) == 150

def loss(configuration):
    return configuration["x"]
"""


def test_studies_of_one_file_may_run_at_the_same_time(tmp_path):
    (tmp_path / "study_in_one_file.py").write_text(MODULE)
    path = str(tmp_path / "hpo.db")
    runs = [
        subprocess.Popen([sys.executable, "-c", RUNS, str(tmp_path), path, name])
        for name in ("one", "two", "three")
    ]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    with Store(path) as store:
        assert {study.state for study in store.studies()} == {StudyState.FINISHED}


def test_readers_see_whole_turns_while_it_is_written(tmp_path):
    """A reader in another thread, with its own connection, never sees half of a turn."""
    path = tmp_path / "hpo.db"
    over = threading.Event()
    faults, seen = [], []

    def read():
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        while not over.is_set():
            done, told, queued = connection.execute(
                "SELECT (SELECT count(*) FROM job WHERE state = 'completed'), "
                "(SELECT count(*) FROM log WHERE kind = 'completed'), "
                "(SELECT count(*) FROM job WHERE state IN ('queued', 'running'))"
            ).fetchone()
            seen.append(done)
            if done != told or queued > 1:
                faults.append((done, told, queued))
        connection.close()

    with HyperParameterOptimizer(
        config(budget=Budget(jobs=300)), store=path, function=loss_is_x
    ) as study:
        reader = threading.Thread(target=read)
        reader.start()
        study.run()
        over.set()
        reader.join()
    assert faults == []
    assert len(set(seen)) > 3, "it must have read while it was written"


def test_a_store_needs_nothing_but_its_file_and_the_folder_beside_it(tmp_path):
    path = tmp_path / "hpo.db"
    with HyperParameterOptimizer(
        config(budget=Budget(jobs=2)), store=path, function=loss_is_x
    ) as study:
        study.run()
    assert {file.name for file in tmp_path.iterdir()} <= {"hpo.db", "hpo.files"}
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    path.rename(moved / "hpo.db")
    with Store(Path(moved) / "hpo.db", create=False) as store:
        assert len(store.trials(store.study("s").id)) == 2


def test_the_stored_configuration_has_every_default_and_the_plugins_versions(tmp_path):
    path = tmp_path / "hpo.db"
    given = config(budget=Budget(jobs=1), strategy=PluginChoice("grid"))
    with HyperParameterOptimizer(given, store=path, function=loss_is_x) as study:
        study.run()
    with Store(path) as store:
        record = store.study("s")
    stored = hpo_core.config.from_json(record.config)
    assert stored == study.config
    assert stored.strategy.options == {"points": None}
    assert record.plugins["strategy"] == {
        "name": "grid", "distribution": "hpo-grid-search", "version": "0.1.0", "contract": 1,
    }  # fmt: skip
    assert record.plugins["backend"]["distribution"] == "hpo-core"


def test_statuses_and_decisions_are_kept_by_their_names(tmp_path):
    """They are data for years: a renamed member must not change what is stored."""
    assert {status.value for status in Status} == {
        "running", "completed", "paused", "stopped", "failed", "timed_out",
    }  # fmt: skip
    assert {decision.value for decision in Decision} == {"continue", "pause", "stop"}
