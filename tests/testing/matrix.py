"""Run all checks on all broken strategies, and print which check finds which strategy.

``make test-kit`` runs it. ``-j 2`` checks two strategies at a time. A line that begins with ``!``
is a strategy that the check meant for it has missed; the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from broken import BROKEN
from test_kit import CHECKS, CheckOutcome, result_of, subject

STRATEGIES = list(BROKEN)


def failed_checks(place: int) -> tuple[list[str], float]:
    """Return the checks that a strategy of `STRATEGIES` fails, and the seconds that they take."""
    began = time.perf_counter()
    checked = subject(STRATEGIES[place])
    failed = [
        check.name for check in CHECKS if result_of(check, checked).outcome is CheckOutcome.FAILED
    ]
    return failed, time.perf_counter() - began


def main() -> int:
    """Print a line for each strategy: what was meant to find it, and what else does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-j", type=int, default=1, metavar="N", help="strategies at a time")
    missed = 0
    with ProcessPoolExecutor(max_workers=parser.parse_args().j) as workers:
        found = workers.map(failed_checks, range(len(STRATEGIES)))
        for strategy, (failed, seconds) in zip(STRATEGIES, found, strict=True):
            meant = BROKEN[strategy]
            missed += meant not in failed
            others = ", ".join(name for name in failed if name != meant)
            mark = " " if meant in failed else "!"
            row = f"{mark} {strategy.__name__:<32} {meant:<44} {seconds:4.0f} s"
            print(f"{row}, also: {others or '-'}", flush=True)
    print(f"{len(BROKEN)} broken strategies, {missed} missed by the check meant for them")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
