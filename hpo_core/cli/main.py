"""The entry point: commands are imported when they are called, errors become sentences.

Exit status: 0 done, 1 the study failed, 2 bad input, 130 interrupted (and resumable).
"""

from __future__ import annotations

import importlib
import os
import sys

import click

from hpo_core import __version__
from hpo_core.model.errors import HpoError, StrategyError, StudyFailed
from hpo_core.model.text import printable

_COMMANDS = {
    "run": ("running", "Run a study from its file, or carry it on."),
    "resume": ("running", "Carry a study on, from the store alone."),
    "extend": ("running", "Give a study a larger budget, and carry it on."),
    "try": ("running", "Run one job with default values, and say what it reported."),
    "studies": ("looking", "List the studies of the store."),
    "show": ("looking", "Show where a study stands."),
    "top": ("looking", "Show a study's best trials."),
    "jobs": ("looking", "List a study's jobs."),
    "log": ("looking", "Show what a job printed."),
    "export": ("looking", "Write a study's trials to a file."),
    "enqueue": ("steering", "Put a known configuration first."),
    "stop": ("steering", "End a running study, its jobs too."),
    "plugins": ("installed", "List what is installed: strategies, backends, failures."),
}


class _Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"hpo_core.cli.{_COMMANDS[cmd_name][0]}")
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: hpo run study.toml --strategy random",
)
@click.version_option(__version__, prog_name="hpo")
def hpo() -> None:
    """Find the parameters that make a program's numbers best."""


def main() -> None:
    """Run the command line, and exit with its status."""
    try:
        status = hpo.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except click.Abort:
        status = 130
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = 130
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except HpoError as error:
        for line in str(error).splitlines():
            print(f"error: {printable(line)}", file=sys.stderr)
        status = 1 if isinstance(error, StudyFailed | StrategyError) else 2
    sys.exit(status or 0)
