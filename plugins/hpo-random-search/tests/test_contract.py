"""Random search keeps the contract of strategies: all that the kit checks."""

from hpo_random_search.plugin import hpo_strategies

from hpo_core.plugin import NoOptions, Problem, Strategy
from hpo_core.testing import StrategyContract

(SPEC,) = hpo_strategies()


class TestRandomSearch(StrategyContract):
    """In spaces of all kinds, finite and infinite."""

    capabilities = SPEC.capabilities
    is_adaptive = SPEC.is_adaptive
    options = SPEC.options

    def make_strategy(self, problem: Problem) -> Strategy:
        return SPEC.build(problem, NoOptions())
