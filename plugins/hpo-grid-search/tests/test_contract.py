"""Grid search keeps the contract of strategies: all that the kit checks."""

from hpo_grid_search.options import GridOptions
from hpo_grid_search.plugin import hpo_strategies

from hpo_core.plugin import Problem, Strategy
from hpo_core.testing import StrategyContract

(SPEC,) = hpo_strategies()


class TestGridSearch(StrategyContract):
    """With three points for each Float, so that spaces of all kinds are taken."""

    capabilities = SPEC.capabilities
    is_adaptive = SPEC.is_adaptive
    options = SPEC.options

    def make_strategy(self, problem: Problem) -> Strategy:
        return SPEC.build(problem, GridOptions(points=3))


class TestGridSearchWithoutPoints(StrategyContract):
    """As it is by default: it refuses continuous Floats."""

    capabilities = SPEC.capabilities
    is_adaptive = SPEC.is_adaptive
    options = SPEC.options
    examples = 5
    long_runs = (60,)

    def make_strategy(self, problem: Problem) -> Strategy:
        return SPEC.build(problem, GridOptions())
