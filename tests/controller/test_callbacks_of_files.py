"""Callbacks of a study file, ``observers = ["module:function"]``; the best job; tags of jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hpo_core import InvalidInput, Study, load_study

STUDY = """
name = "called"
seed = 3
strategy = "random"
backend = "inline"
observers = ["{module}:done"]

[objective]
metric = "loss"
direction = "minimize"

[budget]
jobs = 6

[job]
function = "{module}:train"
tags = ["{{kind}}", "{{big?big:}}", "deep {{depth}}", "all", "all"]

[parameters.x]
type = "int"
low = 0
high = 99

[parameters.kind]
type = "categorical"
choices = ["tree", "line"]

[parameters.big]
type = "categorical"
choices = [true, false]

[parameters.depth]
type = "int"
low = 1
high = 2
when = {{ kind = "tree" }}
"""

MODULE = """
import json
from pathlib import Path

HERE = Path(__file__).parent

def train(configuration):
    return {"loss": float(configuration["x"]), "size": 2.0}

def done(finished):
    with open(HERE / "done", "a") as file:
        told = [finished.job.id, finished.best_job, finished.job.tags, dict(finished.metrics)]
        print(json.dumps(told), file=file)

def raises(finished):
    raise OSError("no mail server")

number = 7
"""


@pytest.fixture
def module(tmp_path: Path) -> str:
    """Write a study and its module, and return the module's name."""
    name = f"callbacks_{abs(hash(str(tmp_path)))}"  # each test imports its own
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / "study.toml").write_text(STUDY.format(module=name))
    return name


def made(tmp_path: Path, *changes: tuple[str, str], **given: Any) -> Study:
    text = (tmp_path / "study.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "study.toml").write_text(text)
    return Study.from_file(tmp_path / "study.toml", store=tmp_path / "hpo.db", **given)


def calls(tmp_path: Path) -> list[Any]:
    return [json.loads(line) for line in (tmp_path / "done").read_text().splitlines()]


def test_a_callback_gets_every_job_with_the_best_one_so_far(tmp_path: Path, module: str) -> None:
    study = made(tmp_path).run(progress=False)
    best: tuple[float, str | None] = (float("inf"), None)
    found = calls(tmp_path)
    assert [call[0] for call in found] == [job.id for job in study.jobs]
    for job, best_job, _, metrics in found:
        best = min(best, (metrics["loss"], job), key=lambda each: each[0])
        assert best_job == best[1]
        assert metrics["size"] == 2.0


def test_the_best_job_of_an_earlier_session_is_known_to_the_next(
    tmp_path: Path, module: str
) -> None:
    study = made(tmp_path).run(progress=False)
    best = study.best.trial_id
    study.extend(jobs="+3")
    load_study(tmp_path / "hpo.db", "called").resume(progress=False)
    first = calls(tmp_path)[6]
    new, stored = first[3]["loss"], study.trials[best - 1].value
    assert first[1] == (first[0] if new < stored else f"{best}.1")


def test_jobs_have_the_tags_of_their_parameters(tmp_path: Path, module: str) -> None:
    study = made(tmp_path).run(progress=False)
    tags = {job: given for job, _, given, _ in calls(tmp_path)}
    for trial in study.trials:
        given: Mapping[str, Any] = trial.configuration
        expected = [given["kind"], *(["big"] if given["big"] else ())]
        expected += [f"deep {given['depth']}"] if "depth" in given else []
        assert tags[f"{trial.trial_id}.1"] == [*expected, "all"]
    assert study.tags(study.jobs) == [tuple(tags[job.id]) for job in study.jobs]


def test_a_tag_with_an_unknown_name_is_a_fault_with_its_place(tmp_path: Path, module: str) -> None:
    with pytest.raises(InvalidInput, match=r"job\.tags\[0\]: .*kin"):
        made(tmp_path, ('"{kind}"', '"{kin}"'))


def test_tags_may_change_between_sessions(tmp_path: Path, module: str) -> None:
    made(tmp_path).run(progress=False).extend(jobs=8)
    made(tmp_path, ('"{kind}"', '"other"'), ("jobs = 6", "jobs = 8")).run(progress=False)
    assert [tags[0] for _, _, tags, _ in calls(tmp_path)][6:] == ["other"] * 2


def test_a_callback_that_raises_is_said_once_and_counted(
    tmp_path: Path, module: str, caplog: pytest.LogCaptureFixture
) -> None:
    study = made(tmp_path, (":done", ":raises")).run(progress=False)
    assert len(study.trials) == 6
    said = [text for text in caplog.messages if "no mail server" in text]
    assert len(said) == 1
    assert any("missed 6 of 14 events: 6 failed" in text for text in caplog.messages)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent_module:done", "ModuleNotFoundError"),
        ("{module}:gone", "has no function 'gone'"),
        ("{module}:number", "is not a function"),
    ],
)
def test_a_callback_that_cannot_be_loaded_is_refused_before_anything_runs(
    tmp_path: Path, module: str, name: str, said: str
) -> None:
    name = name.format(module=module)
    study = made(tmp_path, (f"{module}:done", name))
    with pytest.raises(InvalidInput) as caught:
        study.run(progress=False)
    message = str(caught.value)
    assert message.startswith(f"observers[0]: the function '{name}' can't be loaded")
    assert said in message
    assert not (tmp_path / "hpo.db").exists()


def test_a_callback_takes_no_options(tmp_path: Path, module: str) -> None:
    given = f'{{ name = "{module}:done", options = {{ to = "me" }} }}'
    with pytest.raises(InvalidInput, match=r"observers\[0\]\.options: .* takes no options"):
        made(tmp_path, (f'"{module}:done"', given))
