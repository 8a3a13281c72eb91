"""The command `check`, which runs the contract kit on an installed strategy."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpo_core import registry
from hpo_core.cli.common import json_option, print_json
from hpo_core.cli.pairs import options_of
from hpo_core.cli.tables import LAST_CELL
from hpo_core.model.errors import nearest
from hpo_core.model.text import counted, cut, printable

if TYPE_CHECKING:
    from hpo_core.testing.kit import Check, CheckResult


@click.command("check", epilog="Example: hpo check grid -o points=3")
@click.argument("name", metavar="NAME[:VARIANT]")
@click.option(
    "-o", "options", metavar="KEY=VALUE", multiple=True, help="An option of the strategy."
)
@click.option(
    "--quick/--thorough",
    "is_quick",
    default=True,
    help="Less than a minute for a cheap strategy (the default), or ten times as much.",
)
@click.option(
    "--examples",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of examples that each check draws: 20, or 100 if thorough.",
)
@click.option(
    "--long-runs",
    type=click.IntRange(min=0),
    metavar="N",
    help="Number of long runs of each check: 3, or 10 if thorough; 0 for a slow strategy.",
)
@click.option(
    "--only", multiple=True, metavar="CHECK", help="Run this check alone; can be repeated."
)
@click.option(
    "--badge",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a badge to publish: .svg, or .json for shields.io.",
)
@json_option
def check_command(
    name: str,
    options: tuple[str, ...],
    is_quick: bool,
    examples: int | None,
    long_runs: int | None,
    only: tuple[str, ...],
    badge: Path | None,
    as_json: bool,
) -> int:
    """Check whether an installed strategy satisfies the contract; report violations and remedies.

    Exit status: 0 if all checks passed, 1 if a check failed, 2 for invalid input.
    """
    try:
        from hpo_core.testing import publish
        from hpo_core.testing.checks import CHECKS
        from hpo_core.testing.effort import QUICK, THOROUGH
        from hpo_core.testing.installed import installed_subject
        from hpo_core.testing.kit import CheckOutcome, result_of
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "hypothesis":
            raise
        raise click.UsageError(
            "the contract kit needs hypothesis: pip install 'hpo-core[testing]'"
        ) from None

    checks = _chosen(CHECKS, only)
    if badge is not None:
        _require_badge(badge)
    given = options_of(options)
    resolved = registry.strategy(name)
    effort = (QUICK if is_quick else THOROUGH).changed(examples, long_runs)
    subject = installed_subject(resolved, given, effort=effort)
    table = _Table(checks, is_shown=not as_json)
    results = []
    for number, check in enumerate(checks, 1):
        _progress(f"{number}/{len(checks)} {check.name}")
        results.append(result_of(check, subject))
        _progress("")
        table.show(results[-1])
    failed = publish.failures(results)
    if badge is not None:
        _write_badge(badge, results, len(CHECKS))
    if as_json:
        how_much = _effort(is_quick=is_quick, examples=examples, long_runs=long_runs)
        name, plugin = resolved.spec.name, resolved.plugin
        print_json(publish.report(name, plugin, given, how_much, results))
        return 1 if failed else 0
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


class _Table:
    """A table whose rows are printed as they come: its widths are known before."""

    def __init__(self, checks: list[Check], *, is_shown: bool) -> None:
        from hpo_core.testing.kit import CheckOutcome

        self._is_shown = is_shown
        self._name = max(len(check.name) for check in checks)
        self._outcome = max(len(outcome.value) for outcome in CheckOutcome)
        self._row("check", "outcome", "")

    def show(self, result: CheckResult) -> None:
        """Print a row."""
        from hpo_core.testing.kit import CheckOutcome

        if result.outcome is CheckOutcome.FAILED:
            self._row(result.check, result.outcome.value.upper(), "")
        else:
            self._row(result.check, result.outcome.value, result.detail)

    def _row(self, name: str, outcome: str, detail: str) -> None:
        if self._is_shown:
            last = cut(printable(detail), LAST_CELL)
            row = f"{name:<{self._name}}  {outcome:<{self._outcome}}  {last}"
            print(row.rstrip(), flush=True)


def _chosen(all_checks: Sequence[Check], only: tuple[str, ...]) -> list[Check]:
    """Return the checks of those names, in the kit's order, or all of them."""
    names = [check.name for check in all_checks]
    all_names = ", ".join(names)
    if unknown := [name for name in only if name not in names]:
        raise click.BadParameter(
            "; ".join(
                f"there is no check {name!r}" + (nearest(name, names) or f"; there are {all_names}")
                for name in unknown
            ),
            param_hint="'--only'",
        )
    return [check for check in all_checks if not only or check.name in only]


def _require_badge(badge: Path) -> None:
    from hpo_core.testing.publish import FORMATS

    if badge.suffix.lower() not in FORMATS:
        raise click.BadParameter(
            f"{str(badge)!r} must end with {' or '.join(FORMATS)}", param_hint="'--badge'"
        )
    if not badge.absolute().parent.is_dir():
        raise click.BadParameter(
            f"there is no folder {str(badge.parent)!r}", param_hint="'--badge'"
        )


def _write_badge(badge: Path, results: list[CheckResult], checks: int) -> None:
    from hpo_core.testing.publish import write_badge

    try:
        write_badge(badge, results, checks)
    except OSError as error:
        raise click.FileError(str(badge), error.strerror or str(error)) from error


def _effort(*, is_quick: bool, examples: int | None, long_runs: int | None) -> str:
    """Return the effort in words, with the numbers that were requested."""
    numbers = (("example", examples), ("long run", long_runs))
    requested = [counted(number, what) for what, number in numbers if number is not None]
    return ", ".join(["quick" if is_quick else "thorough", *requested])


def _progress(line: str) -> None:
    """Show the current check on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
