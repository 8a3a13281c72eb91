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


LONGEST = 300


def lines_of_code(file: Path) -> int:
    """Return the number of lines of a file, without blank lines, comments and docstrings."""
    text = file.read_text(encoding="utf-8")
    docstrings = {
        number
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node.value.value, str)
        for number in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in docstrings
        for number, line in enumerate(text.splitlines(), 1)
    )


def test_no_file_has_more_than_300_lines_of_code() -> None:
    files = [*ROOT.rglob("*.py"), *ROOT.parent.glob("plugins/*/hpo_*/**/*.py")]
    assert [str(file) for file in files if lines_of_code(file) > LONGEST] == []
