"""The promises of a strategy, in the order in which they are shown.

suggestions  answers: in the space, within the targets, as declared
randomness   only the study's seed decides
recovery     adopt, restore, save_state
reports      any reports, in any order
life         many pending jobs, waiting, exhaustion
plain        whether a value is plain JSON
extremes     one point, 200 parameters, unknown options, the cost of an ask
"""

from __future__ import annotations

from hpo_core.testing.checks import extremes, life, randomness, recovery, reports, suggestions
from hpo_core.testing.kit import Check

CHECKS: tuple[Check, ...] = tuple(
    found
    for module in (suggestions, randomness, recovery, reports, life, extremes)
    for found in vars(module).values()
    if isinstance(found, Check)
)
"""All checks."""
