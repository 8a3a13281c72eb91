"""Completion of the command line by bash, zsh and fish: commands, options, names of studies."""

from __future__ import annotations

import os
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from hpo_core.cli.common import json_option, print_json
from hpo_core.model.errors import HpoError


@click.command("completion", epilog="Example: hpo completion bash")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@json_option
def completion_command(shell: str, as_json: bool) -> None:
    """Print the code that completes the words of hpo in SHELL.

    For every new shell: eval "$(hpo completion bash)" in ~/.bashrc, the same with zsh in ~/.zshrc,
    and hpo completion fish | source in ~/.config/fish/config.fish.
    """
    from hpo_core.cli.main import hpo

    kind = get_completion_class(shell)
    assert kind is not None
    code = kind(hpo, {}, "hpo", "_HPO_COMPLETE").source()
    if as_json:
        print_json({"shell": shell, "code": code})
    else:
        print(code)


def names_of_studies(
    ctx: click.Context, parameter: click.Parameter, beginning: str
) -> list[CompletionItem]:
    """Return the studies of the store whose names begin so; none if it can't be read."""
    from hpo_core.study.study import studies

    path = ctx.params.get("store_path") or os.environ.get("HPO_STORE") or "hpo.db"
    try:
        found = [study.name for study in studies(path)]
    except HpoError:
        return []
    return [CompletionItem(name) for name in found if name.startswith(beginning)]


def names_of_plugins(
    ctx: click.Context, parameter: click.Parameter, beginning: str
) -> list[CompletionItem]:
    """Return the strategies, or the backends, whose names begin so; broken plugins have none."""
    from hpo_core import registry

    of_kind: str = {"strategy": "strategies", "backend": "backends"}[str(parameter.name)]
    specs: list[Any] = [spec for found in registry.describe() for spec in getattr(found, of_kind)]
    return [
        CompletionItem(spec.name, help=spec.summary)
        for spec in specs
        if spec.name.startswith(beginning)
    ]
