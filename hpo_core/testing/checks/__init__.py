"""The promises of a strategy, in the order in which they are shown.

suggestions  what it answers: in the space, within its targets, as it declares
randomness   the study's seed alone decides
recovery     adopt, restore, save_state
reports      whatever is told, in whatever order
life         from many pending jobs to exhaustion; waiting
plain        what is plain JSON, and what only looks like it
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
