"""Each folder of hpo_core lists each of its files in the docstring of its package."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "hpo_core"
FOLDERS = sorted(path.parent for path in ROOT.glob("*/**/__init__.py"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_lists_each_of_its_files(folder: Path) -> None:
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    unlisted = sorted(name for name in files if not re.search(rf"\b{name}\b", text))
    assert not unlisted, f"{folder / '__init__.py'} does not list {unlisted}"
