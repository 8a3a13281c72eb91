"""The report: one file with the content of the study, and without executable content."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import sample_studies as studies
from click.testing import CliRunner
from hpo_view.command import report_command
from hpo_view.report import report

import hpo_core as hpo
from hpo_core import InvalidInput

pytestmark = pytest.mark.xdist_group("view")  # its tests share what a fixture has made


@pytest.fixture(scope="module")
def page() -> str:
    return report([studies.rungs()])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "hpo.db"
    studies.study(name="one", store=path, budget={"trials": 12}).close()
    return path


def scripts(page: str) -> list[str]:
    return re.findall(r"<script>(.*?)</script>", page, re.DOTALL)


def data(page: str) -> Any:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(found)


def test_the_report_has_every_trial_with_its_values(page: str) -> None:
    (study,) = data(page)["studies"]
    names = [column["name"] for column in study["table"]["columns"]]
    assert names[:3] == ["trial", "state", "loss"]
    rows = study["table"]["rows"]
    trials = studies.rungs().trials
    assert [row[0] for row in rows] == [trial.trial_id for trial in trials]
    assert [row[1] for row in rows] == [trial.state.value for trial in trials]
    depth = names.index("depth")
    assert [row[depth] for row in rows] == [t.configuration.get("depth", "") for t in trials]


def test_the_report_has_budget_configuration_and_plugin_versions(page: str) -> None:
    (study,) = data(page)["studies"]
    limits = {limit["name"]: limit for limit in study["budget"]}
    assert limits["trials"] == {"name": "trials", "share": 1.0, "text": "24 of 24"}
    assert json.loads(study["config"])["strategy"]["name"] == "asha:hyperband"
    assert {each["role"] for each in study["plugins"]} >= {"strategy", "backend"}
    assert all(each["version"] for each in study["plugins"])


def test_failures_come_with_the_ends_of_their_logs(tmp_path: Path) -> None:
    command = ["{python}", "-c", "import sys; print('at \\x1b[31m' + sys.argv[1]); 1/0", "{x}"]
    with hpo.Study(
        command=command,
        parameters=[hpo.Float("x", 0, 1)],
        objective="loss",
        direction="minimize",
        budget={"jobs": 2},
        store=tmp_path / "hpo.db",
        max_failures_at_start=0,
    ) as study:
        study.run(progress=False)
        (failure,) = data(report([study]))["studies"][0]["failures"]
    assert failure["jobs"] == 2
    assert "at \\x1b[31m0." in failure["log"]
    assert "ZeroDivisionError" in failure["log"]


def test_the_policy_allows_the_two_scripts_of_the_page_and_no_address(page: str) -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    for script in scripts(page):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_hostile_names_end_no_script_and_are_not_lost() -> None:
    page = report([studies.hostile()])
    assert len(scripts(page)) == 2
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page.partition("<script>")[0]
    (study,) = data(page)["studies"]
    shown = studies.HOSTILE.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    assert shown in [column["name"] for column in study["table"]["columns"]]


def test_several_studies_stand_side_by_side() -> None:
    content = data(report([studies.plain(), studies.rungs()]))
    assert [study["name"] for study in content["studies"]] == ["plain", "rungs"]
    names = [figure["name"] for figure in content["compared"]]
    assert names == ["compare_optimization_history", "compare_edf"]


def test_studies_with_different_objectives_are_not_drawn_together() -> None:
    content = data(report([studies.plain(), studies.constrained()]))
    assert content["compared"] == []
    assert "no objective 'loss'" in content["notCompared"]


# -- the command -----------------------------------------------------------------------------


def call(*arguments: object) -> Any:
    return CliRunner().invoke(report_command, list(map(str, arguments)))


def test_the_command_writes_one_file_for_its_user_alone(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "r.html"
    ended = call("one", "--store", store, "-o", file, "--json")
    assert json.loads(ended.output)["bytes"] == file.stat().st_size
    assert file.stat().st_mode & 0o777 == 0o600
    assert call("one", "--store", store, "-o", file).exit_code == 0  # a report is replaced


def test_another_file_is_kept_without_force(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.html"
    file.write_text("mine")
    with pytest.raises(InvalidInput, match="--force replaces it"):
        raise call("one", "--store", store, "-o", file).exception
    assert file.read_text() == "mine"


def test_one_plot_is_written_as_a_page(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "slice.html"
    assert call("one", "--store", store, "--plot", "slice", "-o", file).exit_code == 0
    assert "Plotly.newPlot" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--plot", "slize", "-o", "a.png"), "no plot 'slize'; did you mean 'slice'"),
        (("-o", "a.png"), "a picture is of one plot: add --plot"),
        (("--plot", "slice", "-o", "a.bmp"), "'a.bmp' has no ending that is known"),
        (("-o", "none/a.html"), "there is no folder 'none'"),
    ],
)
def test_unwritable_file_is_reported_before_drawing(
    store: Path, arguments: tuple[str, ...], said: str
) -> None:
    error = call("one", "--store", store, *arguments).exception
    assert isinstance(error, InvalidInput)
    assert said in str(error)
