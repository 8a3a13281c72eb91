"""How much a check tries: a minute's worth, or as much as finds what is rare."""

from __future__ import annotations

import msgspec


class Effort(msgspec.Struct, frozen=True):
    """How much a check tries.

    Attributes:
        examples: How many short cases it draws.
        long_runs: How many results each long run has; a check goes through all of these runs.
        cuts: At how many points a long run is interrupted, where that is what is checked.
    """

    examples: int = 20
    long_runs: tuple[int, ...] = (60, 100, 150)
    cuts: int = 10

    def changed(self, examples: int | None, long_runs: int | None) -> Effort:
        """Return it with other numbers of examples and of long runs; None leaves one as it is."""
        return msgspec.structs.replace(
            self,
            examples=self.examples if examples is None else examples,
            long_runs=self.long_runs[:long_runs],
        )


QUICK = Effort()
"""Less than a minute for a strategy that costs nothing."""

THOROUGH = Effort(examples=100, long_runs=(60, 100, 150, 150, 80, 120, 150, 100, 60, 150), cuts=20)
"""Some minutes for a strategy that costs nothing."""
