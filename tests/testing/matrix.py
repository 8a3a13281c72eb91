"""Run all checks on all broken strategies, and print which check finds which strategy.

``make test-kit`` runs it. A line that begins with ``!`` is a strategy that the check meant for it
has missed; the exit status is 1 then.
"""

from __future__ import annotations

import sys

from broken import BROKEN
from test_kit import CHECKS, CheckOutcome, result_of, subject


def main() -> int:
    """Print a line for each strategy: what was meant to find it, and what else does."""
    missed = 0
    for strategy, meant in BROKEN.items():
        checked = subject(strategy)
        failed = [
            check.name
            for check in CHECKS
            if result_of(check, checked).outcome is CheckOutcome.FAILED
        ]
        missed += meant not in failed
        others = ", ".join(name for name in failed if name != meant)
        mark = " " if meant in failed else "!"
        print(f"{mark} {strategy.__name__:<32} {meant:<44} also: {others or '-'}", flush=True)
    print(f"{len(BROKEN)} broken strategies, {missed} missed by the check meant for them")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
