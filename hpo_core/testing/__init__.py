"""Contract kits: what an author inherits to prove a plugin, and what `hpo check` runs.

    strategy_contract  StrategyContract: the checks of strategies as a pytest class
    kit                the same checks without pytest: run them, one result each
    checks/            the promises of a strategy, one function each
    subject            the strategy under check: how to make it, what it says it can do
    simulator          a study in miniature, in which a strategy is asked and told
    recorded_run       a run's history, told to a new strategy
    moves, landscape   what may happen in a study; what its losses are like
    cases              a problem with what happens in its study
    spaces, drawing    spaces and schedules, drawn by hypothesis
    long_runs          schedules of a hundred results
    effort             how much a check tries
    gallery            fixed problems, for the checks that draw none
    wording            problems, schedules and suggestions in words
    elsewhere, clock   the same strategy in another process, folder, environment and time
    drawn_by           which line drew from a global random stream
    publish            a report and a badge for a strategy's author
    backends           BackendContract: the same for backends, as a pytest class
    backend_checks/    the promises of a backend
    relay              a slow and unreliable network
    driver             a controller in miniature, which watches the order of events
    jobs, doomed       the functions that jobs call; a controller that is to be killed

The names here are loaded when they are used: hypothesis and pytest come with
``pip install 'hpo-core[testing]'``, and nothing else of hpo-core needs them.
"""

from hpo_core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
