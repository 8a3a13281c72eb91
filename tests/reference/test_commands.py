"""docs/reference/commands.md lists every command with its options, as in ``--help``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from hpo_core.cli.main import hpo

sys.path.insert(0, str(Path(__file__).parent))

from rendering import AGAIN, FOLDER, cell, sentence, table

PAGE = FOLDER / "commands.md"

HEAD = """\
# Every command and option

Made from the code (`make reference`): what `hpo COMMAND --help` says. What commands have in
common, such as exit statuses, is in [the command line](../commands.md).
"""


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield the commands of hpo-core itself; plugins provide others."""
    with click.Context(hpo, info_name="hpo") as context:
        for name in hpo.list_commands(context):
            command = hpo.get_command(context, name)
            if command is not None and getattr(command.callback, "__module__", "").startswith(
                "hpo_core."
            ):
                yield name, command


def page() -> str:
    return "\n".join([HEAD, *(entry(name, command) for name, command in commands())])


def entry(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"hpo {name}")
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    usage = " ".join([f"hpo {name}", *(each.make_metavar(context) for each in arguments)])
    paragraphs = [sentence(text) for text in (command.help or "").split("\n\n")]
    options = [each for each in command.params if isinstance(each, click.Option)]
    parts = [f"## `hpo {name}`\n", f"Usage: `{usage} [OPTIONS]`\n", "\n\n".join(paragraphs) + "\n"]
    if options:
        rows = [option_row(option, context) for option in options]
        parts.append(table(("option", "default", "meaning"), rows))
    if command.epilog:
        parts.append(re.sub(r"Example: (.*)", r"Example: `\1`", command.epilog) + "\n")
    return "\n".join(parts)


def option_row(option: click.Option, context: click.Context) -> list[str]:
    record = option.get_help_record(context)
    assert record is not None, f"{option} is hidden"
    written, said = record
    shown = option.get_help_extra(context)
    meaning = re.sub(r"  \[[^]]*\]$", "", said)
    default = f"`{shown['default']}`" if "default" in shown else ""
    return [f"`{cell(written)}`", default, sentence(meaning)]


def test_the_page_is_what_help_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), AGAIN


def test_every_command_and_option_has_words_and_every_command_an_example() -> None:
    for name, command in commands():
        assert command.help, name
        assert (command.epilog or "").startswith("Example"), name
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name}: {option.opts}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
