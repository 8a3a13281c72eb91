"""docs/reference/environment.md lists each variable that jobs get, and each that hpo-core reads."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/environment.md").read_text(encoding="utf-8")
PACKAGES = [ROOT / "hpo_core", *ROOT.glob("plugins/*/hpo_*")]

STUDY = """
name = "variables"
strategy = "random"
objective = { metric = "loss", direction = "minimize" }
budget = { jobs = 1 }

[job]
command = ["{python}", "job.py"]
reads_configuration = true
max_iterations = 3

[parameters]
x = { type = "float", low = 0.0, high = 1.0 }
"""

JOB = """
import json, os
print(json.dumps(sorted(name for name in os.environ if name.startswith("HPO_"))))
os.write(int(os.environ["HPO_REPORT_FD"]), b'{"iteration": 3, "loss": 1}\\n')
"""


def documented(heading: str) -> set[str]:
    """Return the variables in the table below a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))


def test_a_job_gets_the_variables_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "job.py").write_text(JOB)
    for name in ("HPO_STORE", "HPO_RUNTIME_DIR"):  # which hpo-core reads
        monkeypatch.delenv(name, raising=False)
    command = [sys.executable, "-c", "from hpo_core.cli.main import main; main()", "try"]
    tried = subprocess.run(
        [*command, "study.toml", "--json"], cwd=tmp_path, capture_output=True, text=True
    )
    assert tried.returncode == 0, tried.stderr
    assert set(json.loads(json.loads(tried.stdout)["output"])) == documented("What a job gets")


def test_what_the_code_reads_is_on_the_page() -> None:
    files = [file for package in PACKAGES for file in package.rglob("*.py")]
    own = [file for file in files if "testing" not in file.parts]  # that are jobs of tests
    read = {name for file in own for name in variables(ast.parse(file.read_text()))}
    assert read - documented("What a job gets") == documented("What hpo-core reads")


def variables(tree: ast.AST) -> Iterator[str]:
    """Yield the environment variables that a module names: read, set, or given to click."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if re.fullmatch(r"HPO_[A-Z_]*[A-Z]=?", text):
                yield text.rstrip("=")
            case (
                ast.Call(
                    func=ast.Attribute(value=ast.Attribute(attr="environ"), attr="get"),
                    args=[ast.Constant(value=str(name)), *_],
                )
                | ast.Subscript(
                    value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(name))
                )
            ):
                yield name
            case ast.Call(func=ast.Attribute(attr="getenv"), args=[ast.Constant(value=str(n)), *_]):
                yield n


@pytest.mark.parametrize(
    "code",
    ['os.environ.get("NEW", "")', 'os.environ["NEW"]', 'os.getenv("NEW")'],
)
def test_a_variable_that_the_code_reads_is_found(code: str) -> None:
    assert list(variables(ast.parse(code))) == ["NEW"]
