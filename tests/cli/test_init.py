"""`hpo init`: from a script that does not import hpo-core to a running study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SCRIPT = """
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--epochs", type=int, default=3)
given = parser.parse_args()
for epoch in range(1, given.epochs + 1):
    print(f"Epoch {epoch}: val_loss = {abs(given.lr - 0.05) / epoch:.4f}")
"""

SHELL = """
if [ "$1" = --help ]; then
    echo "  --lr NUM   the rate (default: 0.1)"
else
    echo "loss: $2"
fi
"""


def test_the_draft_of_an_unedited_script_runs(hpo: Any, folder: Path) -> None:
    (folder / "fit.py").write_text(SCRIPT)
    made = hpo("init", "fit.py")
    assert made.status == 0
    assert "wrote study.toml: 1 parameter to search" in made.out
    assert "objective: minimize val_loss" in made.out
    assert "next: look at the ranges, then: hpo try study.toml" in made.out
    tried = hpo("try", "study.toml")
    assert tried.status == 0
    assert "it reported: val_loss = 0.0167 (up to iteration 3)" in tried.out


def test_a_file_that_exists_stays_unless_force_is_given(hpo: Any, folder: Path) -> None:
    (folder / "fit.py").write_text(SCRIPT)
    (folder / "study.toml").write_text("mine")
    refused = hpo("init", "fit.py")
    assert (refused.status, (folder / "study.toml").read_text()) == (2, "mine")
    assert "-o: study.toml exists; --force replaces it" in refused.err
    assert hpo("init", "fit.py", "--force", "--json").json()["searched"] == ["lr"]


def test_a_script_in_another_language_is_run_with_help_when_told_to(hpo: Any, folder: Path) -> None:
    (folder / "fit.sh").write_text(SHELL)
    assert "hpo init --run" in hpo("init", "fit.sh").err
    made = hpo("init", "fit.sh", "--run", "--json").json()
    assert made["command"] == ["sh", "fit.sh", "--lr", "{lr}"]
    assert hpo("try", "study.toml").status == 0
