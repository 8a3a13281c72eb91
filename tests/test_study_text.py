"""A stored configuration is written as a study file, and read back equal, whatever its content."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_core import (
    Budget,
    Categorical,
    Constant,
    Constraint,
    Float,
    Int,
    Objective,
    ParameterSet,
    Resources,
    SearchSpace,
    StudyConfig,
)
from hpo_core.config import differences, from_json, settled, to_json
from hpo_core.config_file import parse
from hpo_core.controller.stored.study_text import study_text
from hpo_core.plugin import JobSettings, Parameter, PluginChoice
from hpo_core.study_file import load

FOLDER = Path(tempfile.gettempdir()).resolve()


# -- any configuration ----------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
names = st.text("abcdefxyzÄß_-.'\" ", min_size=1, max_size=6)
numbers = st.floats(-1e9, 1e9)
whole = st.integers(-(2**63) + 1, 2**63 - 1)
values = st.one_of(texts, st.integers(-(2**80), 2**80), numbers, st.booleans())
options = values | st.lists(values, max_size=3) | st.dictionaries(names, values, max_size=3)
kinds = st.sampled_from(["last", "best"])
seconds = st.one_of(st.integers(1, 200_000).map(float), st.floats(1e-6, 1e12))


def distinct(kind: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(kind, min_size=1, max_size=4, unique_by=lambda value: (type(value), value)).map(
        tuple
    )


@st.composite
def parameters(draw: st.DrawFn, name: str, parent: Categorical | None) -> Parameter:
    when = {}
    if parent is not None and draw(st.booleans()):
        picked = draw(distinct(st.sampled_from(parent.choices)))
        when = {parent.name: picked[0] if len(picked) == 1 and draw(st.booleans()) else picked}
    shared = {"name": name, "when": when}
    kind = draw(st.sampled_from(["float", "log", "step", "int", "choice", "constant", "set"]))
    if kind in ("float", "log", "step"):
        low = draw(st.floats(1e-300, 1e6) if kind == "log" else st.floats(-1e6, 1e6))
        return Float(
            low=low,
            high=low + draw(st.floats(1, 1e6)),
            log=kind == "log",
            step=draw(st.floats(0.001, 1)) if kind == "step" else None,
            default=low if draw(st.booleans()) else None,
            **shared,
        )
    if kind == "int":
        low, high = sorted([draw(whole), draw(whole)])
        return Int(low=low, high=high, default=draw(st.sampled_from([None, high])), **shared)
    if kind == "constant":
        return Constant(value=draw(values), **shared)
    if kind == "set":
        rows = draw(distinct(values))
        return ParameterSet(
            combinations=tuple(
                {f"{name}1": row, f"{name} 2": index} for index, row in enumerate(rows)
            ),
            **shared,
        )
    choices = draw(distinct(values))
    return Categorical(choices=choices, default=draw(st.sampled_from([None, *choices])), **shared)


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    parent = Categorical("parent", draw(distinct(values)))
    rest = draw(st.lists(names, max_size=4, unique=True))
    axes = [parent, *(draw(parameters(f"p{name}", parent)) for name in rest)]
    first = parent.choices[0]
    forbidden = ({"parent": draw(st.sampled_from([first, (first,)]))},)
    is_forbidden = len(parent.choices) > 1 and draw(st.booleans())
    return SearchSpace(tuple(axes), forbidden if is_forbidden else ())


def optional(kind: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | kind


counts = st.integers(1, 10**12)
resources = st.builds(
    Resources,
    gpus=optional(st.sampled_from([0.25, 0.5, 1, 4])),
    cpus=st.integers(1, 99),
    memory=optional(counts | counts.map(lambda count: count * 2**20)),
)
jobs = st.builds(
    dict,
    environment=st.dictionaries(
        st.text("ABC_1é", min_size=1, max_size=5),
        texts.map(lambda text: text.replace("{", "{{").replace("}", "}}")),
        max_size=3,
    ),
    time_limit=optional(seconds),
    silence_limit=optional(seconds),
    grace=st.just(0.0) | seconds,
    max_iterations=optional(st.integers(5, 10**9)),
    min_iterations=st.integers(1, 5),
    retries=st.integers(0, 3),
    keep_checkpoints=optional(st.integers(0, 5)),
    on_time_limit=st.sampled_from([None, "complete", "fail"]),
    reads_configuration=st.booleans(),
    resources=optional(resources),
)
budgets = st.builds(
    Budget,
    jobs=counts,
    trials=optional(counts),
    iterations=optional(counts),
    compute_time=optional(seconds),
    wall_time=optional(seconds),
    count=st.sampled_from(["launched", "completed"]),
) | st.just(Budget())


@st.composite
def configurations(draw: st.DrawFn) -> StudyConfig:
    arguments = draw(st.lists(texts, max_size=3))
    escaped = [text.replace("{", "{{").replace("}", "}}") for text in arguments]
    metrics = draw(st.lists(texts.filter(bool), min_size=1, max_size=4, unique=True))
    work = (
        {"function": "module:name"}
        if draw(st.booleans())
        else {"command": ("{python}", *escaped, "{parent}")}
    )
    return StudyConfig(
        name=draw(st.from_regex(r"[A-Za-z0-9é][A-Za-z0-9 ._+-]{0,8}[a-z]", fullmatch=True)),
        seed=draw(st.integers(0, 2**63 - 1)),
        workers=draw(st.integers(1, 99)),
        strategy=PluginChoice(
            draw(st.sampled_from(["absent", "absent:variant"])),
            draw(st.dictionaries(names, options, max_size=4)),
        ),
        objectives=tuple(
            Objective(metric, draw(st.sampled_from(["minimize", "maximize"])), draw(kinds))
            for metric in metrics
        ),
        constraints=tuple(
            Constraint(metric, draw(st.just(0.0) | numbers))
            for metric in draw(st.lists(texts.filter(bool), max_size=2, unique=True))
        ),
        budget=draw(budgets),
        job=JobSettings(directory=draw(st.sampled_from([str(FOLDER), "/"])), **work, **draw(jobs)),
        space=draw(spaces()),
        backend=PluginChoice("absent backend", draw(st.dictionaries(names, values, max_size=2)))
        if draw(st.booleans()) else PluginChoice("local"),
        observers=tuple(draw(st.lists(texts, max_size=2))),
        job_name=draw(st.sampled_from(["{name}-{trial_id}", "{{x}} {job_id}"])),
        tags=tuple(draw(st.lists(texts, max_size=2))),
        max_failures_at_start=draw(st.sampled_from([None, 0, 5, 9])),
        max_failures=draw(optional(st.integers(0, 9))),
        durability=draw(st.sampled_from(["normal", "full"])),
    )  # fmt: skip


def read_back(text: str, suffix: str) -> StudyConfig:
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        Path(file.name).write_text(text, encoding="utf-8")
        config, faults = parse(load(file.name), FOLDER)
    assert not faults
    assert config is not None
    return settled(config)


@settings(max_examples=15)
@given(config=configurations())
def test_any_stored_study_comes_back_equal(config: StudyConfig) -> None:
    stored = from_json(to_json(settled(config)))
    for suffix in (".toml", ".json"):
        text = study_text(stored, "hpo.db", as_json=suffix == ".json", folder=FOLDER)
        assert differences(stored, read_back(text, suffix)) == []
