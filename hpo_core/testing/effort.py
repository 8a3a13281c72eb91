"""The effort of a check: for a minute, or enough to find rare faults."""

from __future__ import annotations

import msgspec


class Effort(msgspec.Struct, frozen=True):
    """The effort of a check.

    Attributes:
        examples: Number of generated short cases.
        long_runs: Number of results of each long run.
        cuts: Number of points at which checks of recovery interrupt a long run.
    """

    examples: int = 20
    long_runs: tuple[int, ...] = (60, 100, 150)
    cuts: int = 10

    def changed(self, examples: int | None, long_runs: int | None) -> Effort:
        """Return it with other numbers of examples and of long runs; None keeps the present one."""
        return msgspec.structs.replace(
            self,
            examples=self.examples if examples is None else examples,
            long_runs=self.long_runs[:long_runs],
        )


QUICK = Effort()
"""Takes less than a minute for a cheap strategy."""

THOROUGH = Effort(examples=100, long_runs=(60, 100, 150, 150, 80, 120, 150, 100, 60, 150), cuts=20)
"""Takes some minutes for a cheap strategy."""
