"""A study of a function that only a program has: what the command line says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpo_core import Float, Study


@pytest.mark.parametrize("command", [["resume", "mine"], ["extend", "mine", "--jobs", "9"]])
def test_a_study_of_a_lambda_is_resumed_in_python_alone(hpo, folder, command) -> None:
    study = Study(
        function=lambda configuration: configuration["x"],
        parameters=[Float("x", 0, 1)],
        objective="loss",
        direction="minimize",
        budget={"jobs": 2},
        name="mine",
        store=Path("hpo.db"),
    )
    study.run()
    study.extend(jobs=4)
    ended = hpo(*command)
    assert ended.status == 2
    assert ended.out == ""
    [line] = ended.err.splitlines()
    assert line.startswith("error: the study 'mine' calls ")
    assert line.endswith(
        "<lambda>, which cannot be imported: only the notebook or program that defined it has it; "
        "give it again in Python: load_study('hpo.db', 'mine').resume(function=...)"
    )
    assert hpo("show", "mine").status == 0
    assert hpo("show", "mine", "--json").json()["config"]["budget"]["jobs"] == 4
