"""Commands in the documentation exist, with their options and arguments.

Each line of an ``sh`` block without a script's name in its first line is checked: commands of
``hpo`` are parsed; targets of make, packages and files must exist. (``test_docs.py`` runs the
studies, jobs and programs of the documentation.)
"""

from __future__ import annotations

import re
import shlex
from importlib.metadata import entry_points
from itertools import dropwhile
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from markdown_it import MarkdownIt

from hpo_core.cli.main import hpo

ROOT = Path(__file__).parents[1]
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("plugins/*/README.md"),
    *ROOT.glob("examples/third_party/*/README.md"),
]
PACKAGES = {
    *(file.parent.name for file in ROOT.glob("plugins/*/pyproject.toml")),
    *(file.parent.name for file in ROOT.glob("examples/third_party/*/pyproject.toml")),
    *re.findall(r"^([\w-]+)==", (ROOT / "constraints.txt").read_text().lower(), re.MULTILINE),
    "hpo-core",
}
STRATEGIES = {entry.name for entry in entry_points(group="hpo_core")}
OTHERS = {"cd", "dask", "helm", "kubectl", "mkdir", "optuna-dashboard", "pytest", "touch"}
"""Commands of the system and of other programs, which are not looked at."""


READERS_OWN = {"train.py"}
"""Scripts that pages assume the reader to have."""


class Typed(NamedTuple):
    """A command that somebody is to type."""

    page: Path
    words: list[str]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {shlex.join(self.words)}"


def typed(page: Path) -> list[Typed]:
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(?!# [\w/]+\.sh\n)(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [Typed(page, words) for line in lines if (words := _words(line))]


def _words(line: str) -> list[str]:
    """Return the words of a command, without comments and variables before it."""
    words = shlex.split(line, comments=True)
    return list(dropwhile(re.compile(r"\w+=").match, words))


TYPED = [command for page in PAGES for command in typed(page)]


@pytest.mark.parametrize("command", TYPED, ids=str)
def test_a_command_to_type_exists(command: Typed) -> None:
    match command.words:
        case ["hpo" | ".venv/bin/hpo", name, *arguments]:
            parse(name, arguments)
        case ["make", *targets]:
            makefile = (ROOT / "Makefile").read_text()
            assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
        case ["pip", "install", *wanted]:
            assert [one for one in wanted if not is_installable(one)] == []
        case ["python" | ".venv/bin/python", file, *_]:
            assert (ROOT / file).is_file() or file in READERS_OWN
        case [program, *_]:
            assert program in OTHERS


def parse(name: str, arguments: list[str]) -> None:
    """Have click read the arguments of a command; find the strategy that they name."""
    found = hpo.get_command(click.Context(hpo), name)
    assert found is not None, f"there is no command hpo {name}"
    context = found.make_context(name, list(arguments))
    strategy = context.params.get("strategy")
    assert strategy is None or strategy.partition(":")[0] in STRATEGIES


def is_installable(wanted: str) -> bool:
    if wanted.startswith("-"):
        return True
    if wanted.startswith("."):  # a folder: of this repository, or of the package that is written
        return (ROOT / wanted.partition("[")[0] / "pyproject.toml").is_file()
    name = re.match(r"[\w.-]+", wanted)
    return name is not None and name[0].lower() in PACKAGES


@pytest.mark.parametrize(
    "words",
    [["hpo", "rum", "a.toml"], ["hpo", "run", "a.toml", "--job", "3"], ["hpo", "log", "name"]],
    ids=shlex.join,
)
def test_a_command_that_does_not_exist_is_found_out(words: list[str]) -> None:
    with pytest.raises((AssertionError, click.UsageError)):
        test_a_command_to_type_exists(Typed(ROOT, words))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_is_in_fences_which_say_what_it_is(page: Path) -> None:
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    code = [token for token in tokens if token.type in ("code_block", "fence")]
    assert [token.content for token in code if not token.info] == []
