"""The contract of plots: entry points of the group ``hpo_core.plots`` reach ``study.plot``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hpo_core import Int, Study
from hpo_core.errors import PluginError
from hpo_core.study.plots import VIEW

PLOTS = """
def losses(study, *, best=1):
    return [trial.values for trial in study.top(best)]

number = 7
"""


@pytest.fixture
def study() -> Study:
    return Study(
        function=lambda configuration: configuration["x"] ** 2,
        parameters=[Int("x", 1, 9)],
        objective="square",
        direction="minimize",
        budget={"jobs": 4},
        seed=7,
        backend="inline",
    )


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Install a distribution with two plots, one of which is invalid; return its module's name."""
    information = tmp_path / "hpo_pictures-1.0.dist-info"
    information.mkdir()
    (tmp_path / "contract_pictures.py").write_text(PLOTS)
    (information / "METADATA").write_text("Name: hpo-pictures\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        "[hpo_core.plots]\nlosses = contract_pictures:losses\n"
        "number = contract_pictures:number\nmissing = contract_pictures:absent\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "contract_pictures"
    sys.modules.pop("contract_pictures", None)


def test_a_plot_is_called_with_the_study_and_returns_its_figure(
    study: Study, pictures: str
) -> None:
    study.run(progress=False)
    assert study.plot.losses() == [study.best.values]
    assert len(study.plot.losses(best=3)) == 3


def test_plots_are_listed_without_importing_them(study: Study, pictures: str) -> None:
    assert {"losses", "missing", "number"} <= set(dir(study.plot))
    assert repr(study.plot) == f"<plots of the study 'study': {', '.join(dir(study.plot))}>"
    assert pictures not in sys.modules


def test_a_plot_that_no_plugin_brings_is_named_with_what_to_do(study: Study, pictures: str) -> None:
    with pytest.raises(PluginError, match="no plot 'loses' is installed; did you mean 'losses'"):
        study.plot.loses()
    with pytest.raises(PluginError, match="pip install a package that provides it"):
        study.plot.landscape()
    assert not hasattr(study.plot, "landscape")


def test_a_plot_of_hpo_view_is_named_with_its_package_where_that_is_missing(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(PluginError, match=r"no plot 'contour' is installed.*pip install hpo-view$"):
        study.plot.contour()


def test_the_plots_that_are_known_to_be_of_hpo_view_are_those_it_brings(study: Study) -> None:
    assert set(VIEW) <= set(dir(study.plot))


@pytest.mark.parametrize(
    ("name", "said"), [("number", "is 7"), ("missing", "has no attribute 'absent'")]
)
def test_a_broken_plot_is_one_sentence(study: Study, pictures: str, name: str, said: str) -> None:
    with pytest.raises(PluginError) as caught:
        getattr(study.plot, name)
    assert said in str(caught.value)
    assert "hpo-pictures 1.0" in str(caught.value)


def test_special_attributes_are_not_plots(study: Study) -> None:
    plots: Any = study.plot
    assert not hasattr(plots, "__array__")


def test_hpo_plugins_lists_plots(pictures: str) -> None:
    code = (
        "import sys; from hpo_core.cli.main import main;"
        " sys.argv = ['hpo', 'plugins', '--json']; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": sys.path[0]},
    )
    found = {one["name"]: one for one in json.loads(ended.stdout)}
    assert found["losses"]["plot"] == [{"name": "losses", "summary": ""}]
