"""The documentation is correct: its studies can be read, and its code prints the stated output."""

from __future__ import annotations

import html
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hpo_core import InvalidInput
from hpo_core.controller.strategy.read_config import read_config

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("plugins/*/README.md")),
    *sorted(ROOT.glob("examples/*/README.md")),
    *sorted(ROOT.glob("examples/third_party/*/README.md")),
]
README = ROOT / "README.md"
CONFIGURATION = ROOT / "docs/configuration.md"
PLUGINS = ROOT / "docs/plugins.md"
PICTURE = ROOT / "docs/pictures/run.svg"
TUTORIAL = ROOT / "docs/write-a-strategy.md"
EXAMPLE = ROOT / "examples/third_party/hpo-hillclimb"

KNOWN_LANGUAGES = {"toml", "python", "python-fragment", "sh", "text", "mermaid", "yaml"}


class Block(NamedTuple):
    """A block of code on a page; its first line may name its file: ``# train.py``."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def file(self) -> str:
        named = re.match(r"# ([\w/]+\.\w+)\n", self.text)
        return named.group(1) if named else f"line_{self.line}.py"

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```([\w-]*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2])


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def blocks(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


def block(page: Path, file: str) -> Block:
    (found,) = (block for block in BLOCKS if block.page == page and block.file == file)
    return found


STUDIES = [block for block in blocks("toml") if "objective" in tomllib.loads(block.text)]


def run(*command: str | Path, cwd: Path, more_path: str = "") -> str:
    """Run Python with a folder's modules, and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": more_path}
    environment.pop("HPO_STORE", None)
    finished = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 0, f"{command}:\n{finished.stdout}{finished.stderr}"
    return finished.stdout


def hpo(*arguments: str, cwd: Path, more_path: str = "") -> str:
    return run("-c", _HPO, *arguments, cwd=cwd, more_path=more_path)


_HPO = "from hpo_core.cli.main import main; main()"


def lay_out(page: Path, folder: Path) -> None:
    """Write each block of a page that names its file."""
    for block in BLOCKS:
        if block.page == page and block.language != "text":
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")


def said_after(block: Block) -> str | None:
    """Return the text block that follows right after a block of code, if one does."""
    later = [other for other in BLOCKS if other.page == block.page and other.line > block.line]
    is_near = later and later[0].line <= block.line + block.text.count("\n") + 3
    return later[0].text if is_near and later[0].language == "text" else None


def words(text: str) -> list[list[str]]:
    """Return the words of each line: tables differ in spaces where names have another length."""
    return [line.split() for line in text.strip().splitlines()]


# -- code -----------------------------------------------------------------------------------


def test_every_block_is_of_a_language_that_is_tested_here() -> None:
    assert {block.language for block in BLOCKS} <= KNOWN_LANGUAGES


@pytest.mark.parametrize("study", STUDIES, ids=str)
def test_a_study_in_the_documentation_has_no_faults(study: Block, tmp_path: Path) -> None:
    assert read_config(tomllib.loads(study.text), tmp_path).name


NOT_COMPARED = {
    "docs/architecture.md": "drawings",
    "docs/protocol.md": "compared in tests/test_protocol.py",
    "docs/python-api.md": "made from the code",
    "docs/reliability.md": "what runs of minutes and hours printed, by the programs named there",
    "CONTRIBUTING.md": "a tree of files",
}
"""The pages with texts that no test here compares, and why."""


def test_every_text_is_compared_with_what_is_printed_or_is_known_not_to_be() -> None:
    after_code = {said_after(code) for code in blocks("python")}
    elsewhere = [said.text for said in blocks("text") if said.text not in after_code]
    pages = {str(said.page.relative_to(ROOT)) for said in blocks("text") if said.text in elsewhere}
    compared_below = {str(page.relative_to(ROOT)) for page in (README, CONFIGURATION, TUTORIAL)}
    assert pages == {*NOT_COMPARED, *compared_below}


def test_the_documentation_shows_studies() -> None:
    assert {study.page for study in STUDIES} >= {README, CONFIGURATION}


PARTS = [
    part
    for part in blocks("toml")
    if part not in STUDIES and not {"project", "build-system"} & set(tomllib.loads(part.text))
    if part.page != PLUGINS  # which makes up the plugins that it names
]


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_a_part_of_a_study_in_the_documentation_fits_into_a_study(
    part: Block, tmp_path: Path
) -> None:
    study = tomllib.loads(block(README, "study.toml").text)
    for key, value in tomllib.loads(part.text).items():
        is_table = key == "job" and isinstance(value, dict)
        study[key] = {**study[key], **value} if is_table else value
    assert read_config(study, tmp_path).name == "valley"


@pytest.mark.parametrize("code", blocks("python"), ids=str)
def test_python_in_the_documentation_runs_and_prints_what_it_says(
    code: Block, tmp_path: Path
) -> None:
    lay_out(code.page, tmp_path)
    printed = run(code.file, cwd=tmp_path, more_path=str(tmp_path))
    said = said_after(code)
    if said is not None:
        assert words(printed) == words(said)


@pytest.mark.parametrize("code", blocks("python-fragment"), ids=str)
def test_a_fragment_of_python_is_python(code: Block) -> None:
    assert compile(code.text, str(code), "exec")


JOBS = [block for block in blocks("sh") if block.text.startswith("# ")]
"""Those whose first line is a script's name; others are commands to type, see
``test_typed_commands.py``."""


@pytest.mark.parametrize("code", JOBS, ids=str)
def test_a_shell_job_in_the_documentation_is_heard(code: Block, tmp_path: Path) -> None:
    (tmp_path / "job.sh").write_text(code.text, encoding="utf-8")
    (tmp_path / "study.toml").write_text(
        'name = "shell"\nstrategy = "random"\nbudget = { jobs = 1 }\n'
        'objective = { metric = "validation/loss", direction = "minimize" }\n'
        'job = { command = ["sh", "job.sh"] }\n'
        'parameters = { x = { type = "float", low = 0.0, high = 1.0 } }\n',
        encoding="utf-8",
    )
    hpo("run", "study.toml", "--quiet", cwd=tmp_path)
    assert "0.41" in hpo("top", "shell", cwd=tmp_path)


def test_the_study_of_the_readme_comes_out_as_it_says(tmp_path: Path) -> None:
    lay_out(README, tmp_path)
    outcome = hpo("run", "study.toml", cwd=tmp_path)
    (said,) = (text for text in blocks("text") if text.text.startswith("Study 'valley'"))
    assert outcome == said.text
    assert block(README, "study.toml").text.count("\n") <= 20


def test_the_faults_of_a_file_are_told_as_the_documentation_says(tmp_path: Path) -> None:
    (said,) = (
        text.text for text in blocks("text") if text.page == CONFIGURATION if "two" in text.text
    )
    faulty = block(README, "study.toml").text.replace("workers = 2", 'workers = "two"')
    faulty = faulty.replace('"minimize"', '"minimise"').replace("{lr}", "{lrr}")
    with pytest.raises(InvalidInput) as raised:
        read_config(tomllib.loads(faulty), tmp_path)
    assert [f"error: {fault}" for fault in raised.value.faults] == said.splitlines()


def test_the_picture_of_a_run_shows_what_the_run_prints() -> None:
    (said,) = (text for text in blocks("text") if text.page == README and "rank" in text.text)
    drawn = html.unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)", PICTURE.read_text("utf-8"))))
    assert said.text.split() == drawn.split()[-len(said.text.split()) :], "make picture"


# -- the plugin -----------------------------------------------------------------------------


def install(page: Path, folder: Path) -> None:
    """Do what pip does with the package of a page, without building a wheel."""
    lay_out(page, folder)
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    name, version = project["project"]["name"], project["project"]["version"]
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    entries = project["project"]["entry-points"]["hpo_core"]
    lines = [f"{entry} = {module}\n" for entry, module in entries.items()]
    (info / "entry_points.txt").write_text("[hpo_core]\n" + "".join(lines))


def test_package_of_the_plugins_page_is_listed_runs_and_extends(tmp_path: Path) -> None:
    package, folder = tmp_path / "package", tmp_path / "study"
    install(PLUGINS, package)
    lay_out(README, folder)

    def with_plugin(*arguments: str) -> str:
        return hpo(*arguments, cwd=folder, more_path=str(package))

    assert "hpo-climb 0.1.0" in with_plugin("plugins")
    options = ("--strategy", "climb", "-o", "first=3", "--jobs", "8", "--workers", "1")
    with_plugin("run", "study.toml", *options)
    assert "12 completed" in with_plugin("extend", "valley", "--jobs", "+4", "--quiet") + (
        with_plugin("show", "valley")
    )


# -- the tutorial ---------------------------------------------------------------------------


def test_the_tutorial_builds_the_package_that_is_kept_in_the_examples() -> None:
    built = {
        block.file: block.text.partition("\n")[2]
        for block in BLOCKS
        if block.page == TUTORIAL and block.language in ("toml", "python")
    }
    kept = {
        str(path.relative_to(EXAMPLE)): path.read_text(encoding="utf-8")
        for path in EXAMPLE.rglob("*")
        if path.suffix in (".toml", ".py")
    }
    assert built == kept


def test_the_package_of_the_tutorial_runs_as_it_says_and_keeps_the_contract(
    tmp_path: Path,
) -> None:
    install(TUTORIAL, tmp_path)
    (said,) = (block for block in blocks("text") if block.text.startswith("Study 'bowl'"))
    assert hpo("run", "example/study.toml", cwd=tmp_path, more_path=str(tmp_path)) == said.text
    assert ", 0 failed" in hpo("check", "hillclimb", cwd=tmp_path, more_path=str(tmp_path))
