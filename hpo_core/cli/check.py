"""The command `check`, which runs the contract kit on an installed strategy."""

from __future__ import annotations

import sys
from typing import Any

import click
import msgspec

from hpo_core import registry
from hpo_core.cli import tables
from hpo_core.cli.common import json_option, print_json
from hpo_core.cli.pairs import options_of
from hpo_core.contracts.strategy import Capability, StrategySpec
from hpo_core.model.errors import InvalidInput
from hpo_core.model.parameters import Float
from hpo_core.model.text import printable


@click.command("check", epilog="Example: hpo check grid -o points=3")
@click.argument("name", metavar="NAME[:VARIANT]")
@click.option(
    "-o", "options", metavar="KEY=VALUE", multiple=True, help="An option of the strategy."
)
@click.option(
    "--examples",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="Number of examples that each check draws; use fewer for a slow strategy.",
)
@json_option
def check_command(name: str, options: tuple[str, ...], examples: int, as_json: bool) -> int:
    """Check whether an installed strategy satisfies the contract; report violations and remedies.

    Exit status: 0 if all checks passed, 1 if a check failed, 2 for invalid input.
    """
    try:
        from hpo_core.testing.checks import CHECKS
        from hpo_core.testing.kit import CheckOutcome, result_of
        from hpo_core.testing.subject import Installed, Subject
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "hypothesis":
            raise
        raise click.UsageError(
            "the contract kit needs hypothesis: pip install 'hpo-core[testing]'"
        ) from None

    given = options_of(options)
    resolved = registry.strategy(name)
    read, faults = registry.options(resolved, given, "options")
    registry.require(faults)
    subject = Subject(
        lambda problem: resolved.spec.build(problem, read),
        _capabilities(resolved.spec, read),
        origin=Installed(resolved.spec.name, given),
        options=resolved.spec.options,
        examples=examples,
    )
    results = []
    for number, check in enumerate(CHECKS, 1):
        _progress(f"{number}/{len(CHECKS)} {check.name}")
        results.append(result_of(check, subject))
    _progress("")
    failed = [result for result in results if result.outcome is CheckOutcome.FAILED]
    if as_json:
        print_json(
            {
                "strategy": resolved.spec.name,
                "distribution": resolved.plugin.distribution,
                "version": resolved.plugin.version,
                "passed": not failed,
                "checks": msgspec.to_builtins(results),
            }
        )
        return 1 if failed else 0
    rows = [
        [
            result.check,
            result.outcome.value.upper()
            if result.outcome is CheckOutcome.FAILED
            else result.outcome.value,
            "" if result.outcome is CheckOutcome.FAILED else result.detail,
        ]
        for result in results
    ]
    print(tables.lay_out(["check", "outcome", ""], rows))
    for result in failed:
        print(f"\n{result.check}: {result.promise}.")
        for line in result.detail.splitlines():
            print(f"    {printable(line)}")
        if result.remedy:
            print(f"    remedy: {result.remedy}")
    counts = [f"{sum(r.outcome is kind for r in results)} {kind.value}" for kind in CheckOutcome]
    print(
        f"\n{resolved.spec.name} ({resolved.plugin.distribution} {resolved.plugin.version}): "
        + ", ".join(counts)
    )
    return 1 if failed else 0


def _capabilities(spec: StrategySpec, options: Any) -> frozenset[Capability]:
    """Return the capabilities of a strategy: those of the instance, or else of its spec."""
    from hpo_core.testing.spaces import problem

    try:
        strategy = spec.build(problem(Float("x", 0.0, 1.0)), options)
    except InvalidInput:  # it rejects such a problem, which is allowed
        return spec.capabilities
    own: frozenset[Capability] = getattr(strategy, "capabilities", spec.capabilities)
    getattr(strategy, "close", lambda: None)()
    return own


def _progress(line: str) -> None:
    """Show the current check on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
