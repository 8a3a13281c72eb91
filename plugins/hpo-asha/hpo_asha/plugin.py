"""The entry point ``asha``: registers the variants, and imports them when one is built."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_asha import options as option
from hpo_asha.least import jobs_to_complete
from hpo_asha.options import Options, SchedulerOptions
from hpo_core.plugin import Capability, Problem, Strategy, StrategySpec, hookimpl

_RESUMES = frozenset(Capability) - {Capability.MULTI_OBJECTIVE}
_STOPS = _RESUMES - {Capability.RESUMING, Capability.CONSTRAINTS}

_STORED_DEFAULTS = {"rules": 1}

VARIANTS: tuple[tuple[str, type[SchedulerOptions], str, frozenset[Capability]], ...] = (
    ("asha", option.AshaOptions, "Asynchronous successive halving over any searcher", _RESUMES),
    (
        "asha:hyperband",
        option.HyperbandOptions,
        "The same in brackets that stop less early",
        _RESUMES,
    ),
    ("asha:sha", option.ShaOptions, "Successive halving: each rung is waited for", _RESUMES),
    ("asha:median", option.MedianOptions, "Stops what is worse than the median", _STOPS),
    (
        "asha:pbt",
        option.PBTOptions,
        "Population-based training: bad trials copy good ones",
        _RESUMES,
    ),
)
"""The name, options and summary of each variant, and its capabilities with a suitable searcher."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of ``asha`` and the other variants."""
    return [
        StrategySpec(
            name=name,
            summary=summary,
            build=build,
            options=options,
            capabilities=capabilities,
            stored_defaults=_STORED_DEFAULTS if "rules" in options.__struct_fields__ else {},
            jobs_to_complete=jobs_to_complete,
        )
        for name, options, summary, capabilities in VARIANTS
    ]


def build(problem: Problem, options: Options) -> Strategy:
    """Build a variant with its searcher.

    Raises:
        InvalidInput: If the options, or those of the searcher, do not suit the problem.
        PluginError: If the searcher is missing or broken, or does not support what the problem
            needs.
    """
    from hpo_asha.building import scheduler

    return scheduler(problem, options)
