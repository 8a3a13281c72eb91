"""Commands that plugins provide with the entry-point group ``hpo_core.commands``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from hpo_core.cli import plugin_commands

Hpo = Callable[..., Any]

GREET = """
import click

@click.command(epilog="Example: hpo greet --name you")
@click.option("--name", default="world")
def greet(name):
    "Say hello."
    print(f"hello {name}")
"""


class Publish(Protocol):
    """Installs a distribution with a module, and commands that name it."""

    def __call__(self, distribution: str, source: str, *commands: str) -> str: ...


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    modules: list[str] = []

    def install(distribution: str, source: str, *commands: str) -> str:
        module = f"test_commands_{distribution.replace('-', '_')}"
        modules.append(module)
        folder = tmp_path / distribution
        information = folder / f"{distribution.replace('-', '_')}-1.5.dist-info"
        information.mkdir(parents=True)
        (folder / f"{module}.py").write_text(source)
        (information / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n"
            f"Summary: What {distribution} does\n\nSummary: not this one\n"
        )
        lines = [f"{name} = {module}:{name.replace('-', '_')}" for name in commands]
        (information / "entry_points.txt").write_text(
            "\n".join(["[console_scripts]", "other = other:main", "[hpo_core.commands]", *lines])
        )
        monkeypatch.syspath_prepend(folder)
        return module

    yield install
    for module in modules:
        sys.modules.pop(module, None)


def test_a_plugins_command_is_called_by_its_entry_points_name(hpo: Hpo, publish: Publish) -> None:
    publish("hpo-greet", GREET, "greet")
    ended = hpo("greet", "--name", "you")
    assert (ended.status, ended.out) == (0, "hello you\n")
    assert "hpo greet" in hpo("greet", "--help").out


def test_the_help_lists_it_with_its_distributions_summary_and_imports_nothing(
    hpo: Hpo, publish: Publish
) -> None:
    module = publish("hpo-greet", "raise RuntimeError('imported')", "greet")
    ended = hpo("--help")
    assert ended.status == 0
    _, found, listed = ended.out.partition("Commands of plugins:\n")
    assert found
    assert ["greet", "What", "hpo-greet", "does"] in map(str.split, listed.splitlines())
    assert module not in sys.modules
    assert "other" not in ended.out.split()


def test_a_command_that_is_built_in_wins_and_hpo_plugins_says_so(
    hpo: Hpo, publish: Publish
) -> None:
    publish("hpo-greet", GREET.replace("greet", "studies"), "studies")
    assert "hello" not in hpo("studies", "--help").out
    of_plugins = hpo("--help").out.partition("Commands of plugins")[2]
    assert "studies" not in [line.split()[0] for line in of_plugins.splitlines() if line.strip()]
    listed = hpo("plugins").out
    (line,) = [
        line for line in listed.splitlines() if line.startswith("studies ") and "FAI" in line
    ]
    assert "hpo has a built-in command 'studies'" in line


def test_hpo_plugins_lists_commands(hpo: Hpo, publish: Publish) -> None:
    publish("hpo-greet", GREET, "greet")
    (line,) = [line for line in hpo("plugins").out.splitlines() if line.startswith("greet ")]
    assert line.split(maxsplit=4)[1:4] == ["command", "hpo-greet", "1.5"]
    (found,) = [found for found in hpo("plugins", "--json").json() if found["name"] == "greet"]
    assert found["command"] == [{"name": "greet", "summary": "What hpo-greet does"}]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise RuntimeError('no\\nscreen')", "RuntimeError: no screen"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("import a_module_that_is_missing", "No module named 'a_module_that_is_missing'"),
        ("", "has no attribute 'greet'"),
        ("greet = 7", "is 7, and no click.Command"),
    ],
)
def test_a_broken_command_is_one_sentence(
    hpo: Hpo, publish: Publish, source: str, said: str
) -> None:
    publish("hpo-greet", source, "greet")
    ended = hpo("greet")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("error: the command 'greet' (hpo-greet 1.5) ")
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_two_commands_of_one_name_are_refused_with_both_distributions(
    hpo: Hpo, publish: Publish
) -> None:
    publish("hpo-greet", GREET, "greet")
    publish("hpo-welcome", GREET, "greet")
    ended = hpo("greet")
    assert ended.status == 2
    assert "hpo-greet 1.5 and hpo-welcome 1.5" in ended.err.replace(
        "hpo-welcome 1.5 and hpo-greet 1.5", "hpo-greet 1.5 and hpo-welcome 1.5"
    )


def test_a_misspelt_command_may_be_a_plugins(hpo: Hpo, publish: Publish) -> None:
    publish("hpo-greet", GREET, "greet")
    assert "did you mean 'greet'?" in hpo("gret").err


def test_a_command_of_a_package_that_is_missing_is_named_with_what_to_install() -> None:
    assert plugin_commands.missing("report", {"report": "hpo-view"}) == "; pip install hpo-view"
    assert plugin_commands.missing("rnu", {"report": "hpo-view"}) == ""


@pytest.mark.parametrize("package", sorted(set(plugin_commands.PACKAGES.values())))
def test_a_package_that_is_proposed_exists(package: str) -> None:
    assert (Path(__file__).parents[2] / "plugins" / package / "pyproject.toml").exists()


def test_unreadable_metadata_is_ignored(hpo: Hpo, publish: Publish, tmp_path: Path) -> None:
    publish("hpo-greet", GREET, "greet")
    publish("hpo-odd", "", "odd")
    (tmp_path / "hpo-odd/hpo_odd-1.5.dist-info/entry_points.txt").write_bytes(b"\xff\x00[broken")
    ended = hpo("--help")
    assert ended.status == 0
    assert "greet" in ended.out


def test_commands_are_found_without_the_library_for_metadata() -> None:
    code = (
        "import sys; from hpo_core.cli import plugin_commands; plugin_commands.installed();"
        " print('importlib.metadata' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert printed == "False\n"
