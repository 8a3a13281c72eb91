"""The command ``hpo optunahub``, which fetches code of the hub after a question."""

from __future__ import annotations

import click

from hpo_core.plugin import HpoError
from hpo_optunahub import registry
from hpo_optunahub.options import is_commit, is_package


@click.group(epilog="Example: hpo optunahub fetch samplers/auto_sampler")
def optunahub() -> None:
    """Fetch samplers of OptunaHub."""


@optunahub.command(epilog="Example: hpo optunahub fetch samplers/auto_sampler")
@click.argument("package")
@click.option("--commit", metavar="COMMIT", help="40 digits; by default the newest commit.")
@click.option(
    "--repository",
    default=registry.REPOSITORY,
    show_default=True,
    metavar="URL",
    help="The git repository of the registry.",
)
@click.option("--yes", is_flag=True, help="Fetch without a question.")
def fetch(package: str, commit: str | None, repository: str, yes: bool) -> None:
    """Fetch PACKAGE at a commit, and print the options for a study file.

    The code comes from people on the internet, and runs on this machine with your rights once a
    study uses it. Nothing is contacted before you agree.
    """
    if not is_package(package):
        raise HpoError(f"{package!r} is not a package; give one such as samplers/auto_sampler")
    if commit is not None and not is_commit(commit):
        raise HpoError(f"{commit!r} is not a commit; give all of its 40 digits")
    if not yes:
        at = commit or "its newest commit"
        click.confirm(f"Fetch {package} from {repository} at {at}? A study runs it", abort=True)
    commit = commit or registry.newest_commit(repository)
    place = registry.fetch(package, commit, repository)
    click.echo(f"{package} is in {place}. Read it, and put this into the study file:\n")
    click.echo('[strategy]\nname = "optunahub"\n\n[strategy.options]')
    click.echo(f'package = "{package}"\ncommit = "{commit}"')
