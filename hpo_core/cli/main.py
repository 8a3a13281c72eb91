"""The entry point. Commands are imported when they are called; exceptions become error messages.

Exit status: 0 success, 1 the study failed, 2 invalid input, 130 interrupted (and resumable).
"""

from __future__ import annotations

import importlib
import io
import sys

import click

from hpo_core import __version__
from hpo_core.cli import plugin_commands
from hpo_core.cli.stdio import forgiving, unwritten
from hpo_core.entries import Entry
from hpo_core.model.errors import HpoError, InvalidInput, StrategyError, StudyFailed, nearest
from hpo_core.model.text import printable

BUILT_IN = {
    "init": ("init", "Draft a study file from a script."),
    "run": ("run", "Run a study from its file, or resume it."),
    "resume": ("run", "Resume a stored study."),
    "extend": ("run", "Extend the budget of a study, and resume it."),
    "try": ("run", "Run one job with default values, and show its reports."),
    "studies": ("listings", "List the studies of the store."),
    "show": ("show", "Show the state of a study."),
    "top": ("listings", "Show a study's best trials."),
    "jobs": ("listings", "List a study's jobs."),
    "curves": ("curves", "Show the reports of trials."),
    "log": ("listings", "Show the output of a job."),
    "export": ("export", "Export a study's trials to a file."),
    "replay": ("replay", "Recompute every suggestion; compare with the stored ones."),
    "import": ("import_", "Import the trials of another program's study."),
    "enqueue": ("control", "Enqueue a configuration."),
    "stop": ("control", "Stop a running study and its jobs."),
    "copy": ("manage", "Copy a study with its files: a backup."),
    "rename": ("manage", "Rename a study."),
    "delete": ("manage", "Delete a study with its files."),
    "plugins": ("plugins", "List the installed plugins, and why any fail."),
    "check": ("check", "Check whether a strategy satisfies the contract."),
    "new-backend": ("scaffold", "Create the package of a new backend."),
    "new-strategy": ("scaffold", "Create the package of a new strategy."),
    "completion": ("completion", "Print the code for completion in bash, zsh or fish."),
}


class _Commands(click.Group):
    """A group of built-in and plugin commands, which are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*BUILT_IN, *_commands_of_plugins()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in BUILT_IN:
            found = _commands_of_plugins().get(cmd_name)
            return plugin_commands.load(found) if found else None
        module = importlib.import_module(f"hpo_core.cli.{BUILT_IN[cmd_name][0]}")
        command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; suggest a similar name if it does not exist."""
        name = args[0]
        if name in BUILT_IN or name.startswith("-") or name in _commands_of_plugins():
            return super().resolve_command(ctx, args)
        known = [*BUILT_IN, *_commands_of_plugins()]
        remedy = plugin_commands.missing(name) or nearest(name, known)
        raise click.UsageError(f"No such command {printable(repr(name))}{remedy}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in BUILT_IN.items()])
        if found := _commands_of_plugins():
            with formatter.section("Commands of plugins"):
                rows = [(name, commands[0].summary) for name, commands in found.items()]
                formatter.write_dl([(printable(name), printable(said)) for name, said in rows])


def _commands_of_plugins() -> dict[str, list[Entry]]:
    """Return the commands of plugins by name. Built-in commands take precedence."""
    found = plugin_commands.installed()
    return {name: commands for name, commands in found.items() if name not in BUILT_IN}


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: hpo run study.toml --strategy random",
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="hpo")
@click.pass_context
def hpo(ctx: click.Context) -> None:
    """Optimize the hyperparameters of any program."""
    if ctx.invoked_subcommand is None:
        from hpo_core.cli.next_steps import next_steps

        print(next_steps(), ctx.get_help(), sep="\n\n", file=sys.stderr)
        ctx.exit(2)  # no command is bad input


def main() -> None:
    """Run the command line, and exit with its status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # if the terminal lacks a character
    with forgiving() as output:
        status = _run()
        output.flush()
        if said := unwritten(output):
            print(f"error: {said}", file=sys.stderr)
            status = status or 2
    sys.exit(status)


def _run() -> int:
    """Run the command; print errors as sentences, and return the exit status."""
    try:
        " ".join(sys.argv).encode()
        status = hpo.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        from hpo_core.cli.hints import hint

        if said := hint(error):
            print(said, file=sys.stderr)
        status = error.exit_code
    except click.Abort:
        status = 130
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = 130
    except InvalidInput as error:
        for fault in error.faults:
            print(f"error: {printable(str(fault))}", file=sys.stderr)
        status = 2
    except UnicodeEncodeError as error:
        print(f"error: {error.object!r} is not text in UTF-8", file=sys.stderr)
        status = 2
    except HpoError as error:
        print("error:", "\n".join(map(printable, str(error).splitlines())), file=sys.stderr)
        status = 1 if isinstance(error, StudyFailed | StrategyError) else 2
    return int(status or 0)
