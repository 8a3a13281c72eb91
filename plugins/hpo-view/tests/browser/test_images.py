"""One plot as an image, drawn by a real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
import sample_studies as studies
from click.testing import CliRunner
from hpo_view.command import report_command


@pytest.mark.parametrize(("ending", "start"), [("svg", b"<svg"), ("pdf", b"%PDF-")])
def test_a_plot_is_written_as_an_image(tmp_path: Path, ending: str, start: bytes) -> None:
    studies.study(name="one", store=tmp_path / "hpo.db", budget={"trials": 12}).close()
    file = tmp_path / f"slice.{ending}"
    arguments = ["one", "--store", str(tmp_path / "hpo.db"), "--plot", "slice", "-o", str(file)]
    ended = CliRunner().invoke(report_command, arguments, catch_exceptions=False)
    assert ended.exit_code == 0
    content = file.read_bytes()
    assert content.startswith(start)
    assert ending != "svg" or b">lr<" in content
